// The definition of a term, as long as the pointer is at its link to the glossary or at what is shown,
// or the keyboard is at the link; Escape hides it. A tap leads to the glossary. The definitions are loaded
// when the reader first moves.
(() => {
  "use strict";
  const SOON = 200, LATER = 250; // ms until it is shown, and hidden
  const first = document.querySelector("article a.term");
  if (!first) return;
  const tip = document.createElement("div");
  tip.id = tip.className = "term-tip";
  tip.setAttribute("role", "tooltip");
  let wanted = null, here = null, timer = 0, loaded = null;

  const load = () => loaded ??= new Promise((done) => {
    const script = document.createElement("script");
    script.src = new URL("../_static/glossary.js", first.href);
    script.onload = done;
    document.head.append(script);
  });
  for (const move of ["pointerover", "focusin"]) addEventListener(move, load, { once: true });

  const hide = () => {
    clearTimeout(timer);
    here?.removeAttribute("aria-describedby");
    tip.remove();
    here = wanted = null;
  };
  /** Under the link, within the text; above it where the window ends. */
  const place = (link) => {
    const line = link.getClientRects()[0], { bottom } = link.getBoundingClientRect(), box = tip.offsetParent.getBoundingClientRect();
    const { right } = document.querySelector("article").getBoundingClientRect(), height = document.documentElement.clientHeight;
    const left = Math.max(8, Math.min(line.left, right - tip.offsetWidth));
    const above = bottom + tip.offsetHeight > height && line.top > tip.offsetHeight;
    tip.style.left = `${left - box.left}px`;
    tip.style.top = `${(above ? line.top - tip.offsetHeight : bottom) - box.top}px`;
  };
  const show = async (link) => {
    hide();
    wanted = link;
    await load();
    if (wanted !== link) return; // the reader has gone on meanwhile
    here = link;
    tip.textContent = window.bookGlossary[decodeURIComponent(link.hash.slice(1))];
    document.querySelector("article").append(tip);
    link.setAttribute("aria-describedby", tip.id);
    place(link);
  };
  const soon = (task, ms) => { clearTimeout(timer); timer = setTimeout(task, ms); };
  const termAt = (event) => event.target.closest?.("a.term");
  addEventListener("pointerover", (event) => {
    const link = termAt(event);
    if (event.target === tip || (link && link === here)) clearTimeout(timer);
    else if (link && event.pointerType !== "touch") soon(() => show(link), SOON);
    else if (!here || here !== document.activeElement) soon(hide, LATER);
  });
  addEventListener("focusin", (event) => { if (event.target.matches("a.term:focus-visible")) show(event.target); });
  addEventListener("focusout", (event) => { if (termAt(event)) hide(); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
})();
