// What scrolls sideways must be reachable by keyboard; what does not scroll should not be a stop on the way.
(() => {
  "use strict";
  const update = (element) => {
    if (element.scrollWidth > element.clientWidth + 1) {
      element.tabIndex = 0;
      element.setAttribute("role", "group");
      element.setAttribute("aria-label", element.dataset.reach);
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) element.removeAttribute(name);
    }
  };
  const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => update(target)));
  const start = () => {
    for (const [selector, name] of [[".formula", "Wide formula"], [".widget-live", "Interactive figure"]]) {
      for (const element of document.querySelectorAll(selector)) {
        element.dataset.reach = name;
        watch.observe(element);
      }
    }
  };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
