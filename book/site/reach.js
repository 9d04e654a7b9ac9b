// Two repairs of the theme for keyboards and small screens.
//
// What scrolls sideways must be reachable by keyboard; what does not scroll should not be a stop on the
// way. The theme decides this once for code and tables; windows change their width.
(() => {
  "use strict";
  const NAMES = {
    ".formula": "Wide formula",
    ".widget-live": "Interactive figure",
    "div.highlight pre": "Wide code",
    ".pst-scrollable-table-container": "Wide table",
  };
  const update = (element, name) => {
    if (element.scrollWidth > element.clientWidth) {
      element.tabIndex = 0;
      element.setAttribute("role", "group");
      element.setAttribute("aria-label", name);
    } else {
      for (const attribute of ["tabindex", "role", "aria-label"]) element.removeAttribute(attribute);
    }
  };
  const start = () => {
    const names = new Map();
    const watch = new ResizeObserver((entries) => {
      for (const { target } of entries) update(target, names.get(target));
    });
    for (const [selector, name] of Object.entries(NAMES)) {
      for (const element of document.querySelectorAll(selector)) {
        names.set(element, name);
        watch.observe(element);
      }
    }
  };

  // On a narrow screen "On this page" lies over the text, and the theme leaves it there after a choice. It closes,
  // and the reader goes on from the heading, also by keyboard.
  const goTo = (place) => {
    place.scrollIntoView(); // also where the address stays the same
    const heading = place.querySelector(":scope > :is(h1, h2, h3, h4)") ?? place;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  };
  addEventListener("click", (event) => {
    const link = event.target.closest?.('dialog[open] a[href^="#"]');
    if (!link) return;
    event.preventDefault(); // else the browser follows the link later, and takes the focus from the heading
    link.closest("dialog").close();
    location.hash = link.hash;
    goTo(document.getElementById(decodeURIComponent(link.hash.slice(1))) ?? document.querySelector("article section"));
  }, true); // before the theme, which takes a click by keyboard, without coordinates, for one beside the contents
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
