// Full screen: a widget by itself, as large as the screen allows, with labels for the back row.
//
// It is a modal dialog over the whole window, which every browser has: the rest of the page is inert, Escape leaves, the
// focus returns. Where the browser lets a page fill the screen, the window does so first (an iPhone and some frames do not).
// Imports nothing: dom.js builds on it.

const CANVAS = { width: 800, height: 600 }; // pixels of layout that a widget has at least: what its style sheet counts on
const LEAST = 0.85; // times that size; where even this does not fit, on a phone, the widget stays as it is and scrolls
const [OPEN, CLOSE] = ["Full screen", "Leave full screen"];

/**
 * How a widget is laid out on a screen of this size: `scale` magnifies a canvas of `width` by `height` pixels until it fills
 * the screen. null where the letters would become too small: there it is laid out as in the page.
 */
export function canvasOf(width, height) {
  const scale = Math.min(width / CANVAS.width, height / CANVAS.height);
  return scale < LEAST ? null : { scale, width: width / scale, height: height / scale };
}

const element = (tag, kind) => Object.assign(document.createElement(tag), { className: kind });

/** The element that goes into the page: `root`, and a button that gives it the screen. `name` is the widget's, for screen readers. */
export function screened(life, root, name) {
  const frame = element("div", "gl-frame");
  const dialog = element("dialog", "gl-screen");
  const toggle = element("button", "gl-button gl-whole");
  const words = element("span", "gl-words");
  toggle.type = "button";
  toggle.append(words);
  dialog.setAttribute("aria-label", name);
  frame.append(toggle, root);
  const sizes = new ResizeObserver(fit);
  let filled = false; // has this widget made the window fill the screen?

  function label(text) {
    words.textContent = text;
    toggle.title = text;
    toggle.setAttribute("aria-label", `${text}: ${name}`);
  }
  function fit() {
    const canvas = dialog.open ? canvasOf(dialog.clientWidth, dialog.clientHeight) : null;
    root.classList.toggle("gl-canvas", canvas !== null);
    for (const side of ["width", "height"]) root.style[side] = canvas ? `${canvas[side]}px` : "";
    frame.style.setProperty("--gl-scale", canvas ? canvas.scale : 1);
  }
  async function open() {
    try {
      if (document.fullscreenEnabled && !document.fullscreenElement) {
        await document.documentElement.requestFullscreen();
        filled = true;
      }
    } catch { /* refused, for instance by the frame around: the dialog fills the window */ }
    if (!frame.isConnected || dialog.open) return leaveScreen();
    frame.style.minHeight = `${frame.offsetHeight}px`; // the page keeps its place
    frame.append(dialog);
    dialog.append(toggle, root);
    label(CLOSE);
    dialog.showModal();
    fit();
    sizes.observe(dialog);
    return undefined;
  }
  function leaveScreen() {
    if (filled && document.fullscreenElement) document.exitFullscreen().catch(() => {});
    filled = false;
  }
  /** Whatever closed it: the button, Escape, the browser, the end of the view. */
  function restore() {
    if (!dialog.isConnected) return;
    sizes.disconnect();
    frame.append(toggle, root);
    dialog.close();
    dialog.remove();
    fit();
    frame.style.minHeight = "";
    label(OPEN);
    toggle.focus();
    leaveScreen();
  }
  label(OPEN);
  life.listen(toggle, "click", () => (dialog.isConnected ? restore() : open()));
  life.listen(dialog, "close", restore);
  life.listen(document, "fullscreenchange", () => filled && !document.fullscreenElement && restore());
  // A notebook around the widget has meanings of its own for these keys.
  life.listen(frame, "keydown", (event) => {
    if ((event.target === toggle && [" ", "Enter"].includes(event.key)) || (dialog.isConnected && event.key === "Escape")) event.stopPropagation();
  });
  life.keep(() => {
    restore();
    frame.remove();
  });
  return frame;
}
