// What the theme asks of Bootstrap's 82 kB and the book needs: a menu that opens. Tooltips are the
// browser's own.
(() => {
  "use strict";
  /** A button that opens a list of links or buttons, also by arrow keys. */
  const menu = (button) => {
    const list = button.parentElement.querySelector(".dropdown-menu");
    const items = () => [...list.querySelectorAll(".dropdown-item")];
    const open = (shown) => {
      for (const part of [button, list]) part.classList.toggle("show", shown);
      button.setAttribute("aria-expanded", String(shown));
      list.style.translate = "none";
      const { left, right } = list.getBoundingClientRect(); // on a phone it would reach over the edge
      const over = Math.min(0, document.documentElement.clientWidth - right - 8);
      if (shown) list.style.translate = `${Math.max(over, 8 - left)}px 0`;
    };
    const isOpen = () => list.classList.contains("show");
    button.addEventListener("click", () => open(!isOpen()));
    addEventListener("click", ({ target }) => { if (!button.contains(target)) open(false); });
    button.parentElement.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !button.parentElement.contains(relatedTarget)) open(false);
    });
    button.parentElement.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape" && isOpen()) {
        open(false);
        button.focus();
      } else if (step) {
        open(true);
        const all = items();
        const at = all.indexOf(document.activeElement);
        const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
        all[Math.min(Math.max(next, 0), all.length - 1)].focus();
      } else {
        return;
      }
      event.preventDefault();
    });
  };

  for (const button of document.querySelectorAll("[data-bs-toggle='dropdown']")) menu(button);
})();
