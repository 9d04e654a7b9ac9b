// A deck: reveal.js over slides that canvas.js has fitted, with widgets that keep their keys.
(() => {
  "use strict";

  const root = document.documentElement;
  const asked = new URLSearchParams(location.search);
  const printing = asked.get("view") === "print" || asked.has("print-pdf");
  const nav = document.querySelector("nav.turn");

  // ---------------------------------------------------------------- looks

  const LOOKS = { theme: ["light", "dark"], contrast: ["plain", "more"] };

  const remembered = (name) => {
    try { return localStorage.getItem(`deck-${name}`); } catch { return null; }
  };

  /** Paper is light; else what the address asks for, or what was chosen before. */
  function look(name, value) {
    root.dataset[name] = LOOKS[name].includes(value) ? value : LOOKS[name][0];
  }

  function change(name) {
    look(name, LOOKS[name].find((value) => value !== root.dataset[name]));
    try { localStorage.setItem(`deck-${name}`, root.dataset[name]); } catch { /* not kept, then */ }
  }

  for (const name of Object.keys(LOOKS)) look(name, printing ? asked.get(name) : asked.get(name) ?? remembered(name));

  // ---------------------------------------------------------------- keys

  const within = (selector) => document.activeElement?.closest(selector);
  const TURNS = { PageDown: "next", PageUp: "prev" }; // what a presenter's remote sends

  /** Whether a key is the deck's; else it belongs to a widget, or to the button that has the focus. */
  const isOurs = (event) => !document.querySelector("dialog[open]") && !within(".gl-frame") &&
    !(within("nav.turn, a") && [" ", "Enter"].includes(event.key));

  // In a widget all keys are the widget's but those of a remote; Escape gives the keyboard back to the slides.
  document.addEventListener("keydown", (event) => {
    if (!within(".gl-frame") || document.querySelector("dialog[open]")) return;
    if (!(event.key in TURNS) && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    document.activeElement.blur();
    if (event.key in TURNS) Reveal[TURNS[event.key]]();
  }, { capture: true });

  nav.addEventListener("click", (event) => {
    const turn = event.target.closest("button")?.dataset.turn;
    if (turn) Reveal[turn]();
  });

  // ---------------------------------------------------------------- slides

  function arrived() {
    if (within("section:not(.present)")) document.activeElement.blur();
    const button = nav.querySelector('[data-turn="toggleOverview"]');
    const [now, total] = [Reveal.getSlidePastCount() + 1, Reveal.getTotalSlides()];
    button.textContent = `${now} / ${total}`;
    button.setAttribute("aria-label", `${now} / ${total}: overview of the slides`);
  }

  async function printed() {
    await window.bookWidgets?.mountAll();
    await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
    root.dataset.deck = "printed";
  }

  async function start() {
    await deckCanvas.prepare();
    Reveal.on("pdf-ready", printed);
    Reveal.on("slidechanged", arrived);
    await Reveal.initialize({
      width: 1024, height: 768, margin: 0, minScale: 0.1, maxScale: 10, center: false,
      hash: true, controls: false, progress: false, slideNumber: false,
      transition: "none", backgroundTransition: "none", autoAnimate: false, scrollActivationWidth: null,
      viewDistance: 1000, mobileViewDistance: 1000, // a slide that is away keeps its size: widgets are drawn for it
      pdfSeparateFragments: false, pdfMaxPagesPerSlide: 1,
      keyboardCondition: isOurs, plugins: [RevealNotes],
    });
    Reveal.getRevealElement().removeAttribute("role"); // "application": a screen reader could not read the slides
    Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light" }, () => change("theme"));
    Reveal.addKeyBinding({ keyCode: 67, key: "C", description: "More or plain contrast" }, () => change("contrast"));
    if (!printing) arrived();
    root.dataset.deck ??= "ready";
  }
  start();
})();
