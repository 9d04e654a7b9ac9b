// What the theme asks of Bootstrap's 82 kB and the book needs: a menu that opens, and the button that
// leads back to the top. Tooltips are the browser's own.
(() => {
  "use strict";
  const AGAIN = 200; // px: less is no way down, but what the browser does to keep the text in its place

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

  /** The button back to the top shows once the reader scrolls up, until they go down again. */
  const backToTop = (button) => {
    let up = false;
    let turn = scrollY; // the furthest that the reader has come this way
    addEventListener("scroll", () => {
      turn = up ? Math.min(turn, scrollY) : Math.max(turn, scrollY);
      if (Math.abs(scrollY - turn) > AGAIN) [up, turn] = [!up, scrollY];
      button.style.display = up && scrollY > AGAIN ? "block" : "none";
    }, { passive: true });
    button.addEventListener("click", () => scrollTo(0, 0));
  };

  for (const button of document.querySelectorAll("[data-bs-toggle='dropdown']")) menu(button);
  const top = document.getElementById("pst-back-to-top");
  if (top) backToTop(top);
})();
