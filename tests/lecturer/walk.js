// Walks over all slides of an open deck; gives what is cut, scrolls, or has letters below so many pixels.
// Boxes are compared with the slide's own, so that the scale of the window does not matter.
async (letters) => {
  const found = [];
  const frame = () => new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
  const SAID = ".katex-mathml, .gl-spoken, aside.notes, script, style, noscript"; // read by a voice, or not at all

  const name = (e) => `<${[e.tagName.toLowerCase(), ...e.classList].join(".")}> ${e.textContent.trim().slice(0, 30)}`;
  const cut = (box, seen) => Math.max(
    box.left - seen.left, box.top - seen.top, seen.right - box.right, seen.bottom - box.bottom,
  );
  const more = (e) => Math.max(e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight);
  /** Where an element ends: its box, or its text, which may be more; formulas reach below their line unseen. */
  const bottom = (e) => {
    const range = document.createRange();
    range.selectNodeContents(e);
    const all = e.matches("figure") || e.querySelector(".katex") ? [e] : [e, range];
    return Math.max(...all.map((each) => each.getBoundingClientRect().bottom));
  };
  const says = (e) => [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());

  for (let k = 0; k < Reveal.getTotalSlides(); k += 1) {
    Reveal.slide(k);
    const slide = Reveal.getCurrentSlide().querySelector(".slide");
    const tell = (what) => found.push(`${k + 1} ${slide.querySelector("h1, h2").textContent}: ${what}`);
    for (const figure of slide.querySelectorAll("figure.live")) {
      await frame(); // laid out, and drawn
      await frame();
      const problem = figure.querySelector(".widget-error");
      if (problem || !figure.querySelector(".gl-canvas")) tell(problem?.textContent ?? "no widget");
    }
    for (const image of slide.querySelectorAll("img")) {
      if (!image.checkVisibility()) continue;
      try { await image.decode(); } catch { tell(`${image.getAttribute("src")} is no picture`); }
    }
    const parts = [...slide.children].filter((e) => e.getBoundingClientRect().height);
    for (const [above, below] of parts.slice(1).map((e, k) => [parts[k], e])) {
      if (below.getBoundingClientRect().top < bottom(above) - 1) tell(`${name(below)} lies on ${name(above)}`);
    }
    for (const text of slide.querySelectorAll(":scope > svg text")) {
      const { a, b } = text.getScreenCTM(); // b is not 0 where the text is turned
      const size = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b) / Reveal.getScale();
      if (size < letters - 0.1) tell(`${text.textContent} has letters of ${size.toFixed(1)} px in the picture`);
    }
    const [box, scale] = [slide.getBoundingClientRect(), Reveal.getScale()];
    for (const e of [slide, ...slide.querySelectorAll("*")]) {
      const seen = e.getBoundingClientRect();
      if (e.closest(SAID) || e.ownerSVGElement || !seen.width || !seen.height) continue;
      const around = e.parentElement.closest(".slide .proof")?.getBoundingClientRect() ?? box;
      const by = Math.round(cut(around, seen) / scale);
      if (by > 1) tell(`${name(e)} is cut by ${by} px`);
      const { display, overflow, fontSize } = getComputedStyle(e);
      const widget = e.closest(".gl-frame"); // in it nothing may overflow; elsewhere a tall formula may
      const holds = widget ? display !== "inline" && e.tagName !== "SELECT" : e === slide || overflow !== "visible";
      if (holds && e.clientHeight && more(e) > 2) tell(`${name(e)} has ${more(e)} px too much`);
      if (!widget && says(e) && !e.closest(".katex, sub, sup") && parseFloat(fontSize) < letters - 0.1) {
        tell(`${name(e)} has letters of ${fontSize}`);
      }
    }
  }
  return found;
}
