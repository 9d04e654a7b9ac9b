// A link to a place of the page leads there, although what stands above it may change its height after
// the browser has gone to it; unless the reader has begun to move. Who presses Home meanwhile means the
// top, although the browser may still be on its way to the place. Stands in every page before the style
// sheets, for which scripts wait, so that no movement is missed.
(() => {
  "use strict";
  if (!location.hash) return;
  const FOLLOW = 5000; // ms after everything has loaded
  const SETTLE = 1000; // and after Home
  const moved = new AbortController();
  const { signal } = moved;
  let home = false;

  const land = () => {
    if (signal.aborted) return;
    if (home) return void scrollTo({ top: 0, behavior: "instant" });
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (place) place.scrollIntoView({ behavior: "instant" });
  };
  const finish = (after) => {
    const end = () => setTimeout(() => { land(); moved.abort(); }, after);
    document.readyState === "complete" ? end() : addEventListener("load", end);
  };
  const hear = (event) => {
    if (event.key !== "Home" || event.target.closest?.("input, textarea, select")) return moved.abort();
    if (home) return;
    home = true;
    addEventListener("scroll", land, { signal }); // the browser's own way to the place ends here
    land();
    finish(SETTLE);
  };
  for (const move of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(move, hear, { passive: true, capture: true, signal });
  }

  const growth = new ResizeObserver(land);
  addEventListener("DOMContentLoaded", () => {
    if (!signal.aborted) growth.observe(document.body);
  });
  signal.addEventListener("abort", () => growth.disconnect());
  finish(FOLLOW);
})();
