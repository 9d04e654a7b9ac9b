// Slides before they are shown: letters as large as fit, and widgets as large as their slide allows.
(() => {
  "use strict";

  const LETTERS = [40, 36, 32, 30, 28, 26, 24]; // pixels of a canvas of 1024 by 768: below 24 the back row cannot read
  const BESIDE = 30; // at most, beside a picture: that has the rest of the slide
  const EDGE = 8;
  const CANVAS = { width: 800, height: 600 }; // what a widget's style counts on (gaugelib/widgets/shared/screen.js)

  const all = (selector) => [...document.querySelectorAll(selector)];
  const over = (slide) => slide.scrollHeight > slide.clientHeight + 1 || slide.scrollWidth > slide.clientWidth + 1 ||
    [...slide.querySelectorAll(".katex-base, th, td, code")].some(spills);

  /** Whether a piece that cannot be broken reaches over the edge of its box, or of its slide. */
  function spills(piece) {
    const box = piece.closest(".proof, .slide");
    const [seen, room] = [piece, box].map((e) => e.getBoundingClientRect());
    const edge = box.matches(".slide") ? 3 * EDGE : EDGE;
    return seen.width > 0 && (seen.left < room.left + edge || seen.right > room.right - edge);
  }

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
    const most = slide.querySelector("figure, svg") ? BESIDE : LETTERS[0];
    for (const size of LETTERS.filter((each) => each <= most)) {
      slide.style.setProperty("--text", `${size}px`);
      if (!over(slide)) return;
    }
  }

  /** Lays a widget out as its full screen does, on the room that its slide has; not before the slide is there. */
  function lay(figure) {
    const frame = figure.querySelector(".gl-frame");
    const root = frame?.querySelector(":scope > .gl-widget"); // in full screen it lies in a dialog
    if (!root || root.classList.contains("gl-canvas") || !figure.clientWidth) return;
    const scale = Math.min(figure.clientWidth / CANVAS.width, figure.clientHeight / CANVAS.height);
    root.classList.add("gl-canvas");
    root.style.width = `${figure.clientWidth / scale}px`;
    root.style.height = `${figure.clientHeight / scale}px`;
    frame.style.setProperty("--gl-scale", scale);
  }

  /** Fits all slides, and each widget when it is mounted, when its slide comes, and when it returns from full screen. */
  async function prepare() {
    laidOut(() => document.body.offsetHeight); // asks for the fonts
    await document.fonts.ready;
    laidOut(() => all(".slide").forEach(fit));
    const shown = new ResizeObserver((seen) => seen.forEach(({ target }) => lay(target)));
    for (const figure of all("figure.live")) {
      new MutationObserver(() => lay(figure)).observe(figure, { childList: true, subtree: true });
      shown.observe(figure);
    }
  }

  window.deckCanvas = { prepare };
})();
