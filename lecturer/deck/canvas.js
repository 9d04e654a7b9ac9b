// Slides before they are shown: letters as large as fit, and widgets as large as their slide allows.
(() => {
  "use strict";

  const LETTERS = [32, 30, 28, 26, 24]; // pixels of a canvas of 1024 by 768: below 24 the back row cannot read
  const CANVAS = { width: 800, height: 600 }; // what a widget's style counts on (gaugelib/widgets/shared/screen.js)

  const all = (selector) => [...document.querySelectorAll(selector)];
  const over = (slide) => slide.scrollHeight > slide.clientHeight + 1 || slide.scrollWidth > slide.clientWidth + 1;

  /** Calls `act` while every slide is laid out; nothing of it is painted. */
  function laidOut(act) {
    document.documentElement.classList.add("measuring");
    try {
      return act();
    } finally {
      document.documentElement.classList.remove("measuring");
    }
  }

  /** The largest letters with which a slide holds what it has; 24 pixels if none do. */
  function fit(slide) {
    for (const size of LETTERS) {
      slide.style.setProperty("--text", `${size}px`);
      if (!over(slide)) return;
    }
  }

  /** Lays a widget out as its full screen does, on the room that its slide has. */
  function lay(figure, { width, height }) {
    const frame = figure.querySelector(".gl-frame");
    const root = frame?.querySelector(":scope > .gl-widget"); // in full screen it lies in a dialog
    if (!root || root.classList.contains("gl-canvas")) return;
    const scale = Math.min(width / CANVAS.width, height / CANVAS.height);
    root.classList.add("gl-canvas");
    root.style.width = `${width / scale}px`;
    root.style.height = `${height / scale}px`;
    frame.style.setProperty("--gl-scale", scale);
  }

  /** Fits all slides, and keeps the widgets fitted when they are mounted, or come back from the full screen. */
  async function prepare() {
    laidOut(() => document.body.offsetHeight); // asks for the fonts
    await document.fonts.ready;
    laidOut(() => all(".slide").forEach(fit));
    const rooms = laidOut(() => all("figure.live").map((figure) => [figure, {
      width: figure.clientWidth, height: figure.clientHeight,
    }]));
    for (const [figure, room] of rooms) {
      new MutationObserver(() => lay(figure, room)).observe(figure, { childList: true, subtree: true });
      lay(figure, room);
    }
  }

  window.deckCanvas = { prepare };
})();
