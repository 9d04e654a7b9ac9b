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
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
