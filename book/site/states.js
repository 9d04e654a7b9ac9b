// A widget's state in the address: symmetry.html#fig-hat?log2_scales=1,0,-1&p=1 sets what differs from the page's own
// start; other figures follow after ";". What may be set is the trait `_linkable` (gaugelib/widgets/base.py). A widget
// whose text says anything else opens as the page has it. gaugebook/states.py writes the same addresses.
(() => {
  "use strict";
  const MOST = 1000; // characters for one figure
  const NUMBER = /^-?\d+(\.\d+)?(e-?\d+)?$/i;

  class Refused extends Error {}

  /** Figures, each with the text of its state. */
  const asked = (hash) => {
    let text = "";
    try { text = decodeURIComponent(hash.slice(1)); } catch { /* none of ours */ }
    return new Map(text.split(";").filter((part) => part.includes("?")).map((part) => part.split(/\?(.*)/s)));
  };

  const written = (value) => (Array.isArray(value) ? value.map(written).join() : String(value).replace("e+", "e"));

  /** What a text says, among the values that are allowed; undefined if it is none of them. */
  const read = (text, { of, near = 0, each, least, most, from, to, whole }) => {
    if (each) {
      const all = text.split(",", text ? most + 1 : 0).map((part) => read(part, each));
      return all.length < least || all.length > most || all.includes(undefined) ? undefined : all;
    }
    const number = NUMBER.test(text) ? Number(text) + 0 : NaN; // never −0
    const means = (value) => String(value) === text || (typeof value === "number" && Math.abs(value - number) <= near * value);
    if (of) return of.find(means);
    return number >= from && number <= to && !(whole && number % 1) ? number : undefined;
  };

  /** The state that a text asks for, from the page's start; throws the name of what cannot be. */
  const stateOf = (text, linkable, start) => {
    const check = (good, name = "") => {
      if (!good) throw new Refused(/^\w{1,30}$/.test(name) ? `“${name}”` : "a part of it");
    };
    check(text.length <= MOST);
    const given = new Map();
    for (const part of text ? text.split("&") : []) {
      const [name, value, more] = part.split("=");
      check(Object.hasOwn(linkable, name) && value !== undefined && more === undefined && !given.has(name), name);
      given.set(name, value);
    }
    const state = { ...start };
    for (const name of Object.keys(linkable).sort((a, b) => ("by" in linkable[a]) - ("by" in linkable[b]))) {
      const { by, cases, opens } = linkable[name];
      const values = by ? cases[state[by]] : linkable[name];
      if (given.has(name)) {
        state[name] = read(given.get(name), values);
        check(state[name] !== undefined, name);
      } else if (by) state[name] = read(written(state[name]), values) ?? values.opens;
    }
    for (const [name, { size = 0, with: others = [] }] of Object.entries(linkable)) {
      check(!size || [name, ...others].flatMap((each) => state[each]).some((value) => Math.abs(value) >= size), name);
    }
    return state;
  };

  const differing = (state, linkable, start) =>
    Object.keys(linkable).sort().filter((name) => written(state[name]) !== written(start[name]));

  const textOf = (state, linkable, start) =>
    encodeURI(differing(state, linkable, start).map((name) => `${name}=${written(state[name])}`).join("&"));

  if (typeof module !== "undefined") { // in Node, for the tests
    module.exports = { asked, stateOf, textOf };
    return;
  }

  const opened = new Map(); // figure → { view, model, note, el }
  const figureOf = (view) => view.closest("figure")?.id || view;
  const parts = ({ model }) => [model.get("_linkable") ?? {}, model.get("_start") ?? {}];
  const make = (tag, attributes) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  /** Does the page ask a question before this view, which it answers after it, and which is open still? */
  const isAsked = (view) => [...document.querySelectorAll(".predict-form:not(.done)")].some((form) => {
    const answer = document.querySelector(`.predict-here[data-predict="${form.dataset.predict}"]`);
    return form.compareDocumentPosition(view) & 4 && answer?.compareDocumentPosition(view) & 2;
  });

  const set = (widget, text) => {
    const [linkable, start] = parts(widget);
    let state = start;
    widget.note = "";
    try {
      state = stateOf(text, linkable, start);
      const told = isAsked(widget.view) ? differing(state, linkable, start).filter((name) => linkable[name].tells) : [];
      for (const name of told) state[name] = start[name];
      if (told.length) widget.note = `The link’s “${told}” would answer the question above. Answer it, then follow the link again.`;
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      widget.note = `The link could not be used, because of ${problem.message}: the figure is as the page has it.`;
    }
    widget.model.set(state);
  };

  const say = ({ note, el }) => {
    el?.querySelector(".link-note")?.remove();
    if (!el || !note) return;
    const line = make("p", { class: "link-note", role: "status" });
    el.prepend(line);
    setTimeout(() => { line.textContent = note; }, 100); // a region that is new does not speak
  };

  /** Before a widget is mounted: it opens as the address asks, or else its view, on a slide. */
  const attend = (view, model) => {
    const widget = { view, model };
    opened.set(figureOf(view), widget);
    const text = asked(location.hash).get(figureOf(view)) ?? view.dataset.state;
    if (text !== undefined) set(widget, text);
  };

  /** After a view was mounted in `el`: it says what could not be used, and gives links to its state. */
  const accompany = (view, el) => {
    const [figure, frame] = [figureOf(view), el.querySelector(".gl-frame")];
    const widget = opened.get(figure);
    Object.assign(widget, { el });
    say(widget);
    if (!frame || figure === view || !Object.keys(parts(widget)[0]).length) return;
    const name = `link to this state: ${frame.querySelector(".gl-widget").getAttribute("aria-label")}`;
    const button = make("button", { type: "button", class: "gl-button link-copy", title: "Copy link to this state", "aria-label": `Copy ${name}` });
    const said = make("span", { role: "status" });
    const field = make("input", { readonly: "", hidden: "", "aria-label": `The ${name}` });
    const box = make("div", { class: "link-box" });
    box.append(said, field);
    frame.prepend(button, box);
    button.onclick = async () => {
      const [linkable, start] = parts(widget);
      const state = Object.fromEntries(Object.keys(linkable).map((each) => [each, widget.model.get(each)]));
      const text = textOf(state, linkable, start);
      field.value = `${location.href.split(/[?#]/)[0]}#${figure}${text && `?${text}`}`;
      try {
        await navigator.clipboard.writeText(field.value);
        said.textContent = "Copied";
      } catch { // refused, as on the disk
        said.textContent = "Copy this link:";
        field.hidden = false;
        field.focus();
        field.select();
      }
    };
    button.onblur = field.onblur = ({ relatedTarget }) => {
      if (relatedTarget === field) return;
      said.textContent = "";
      field.hidden = true;
    };
  };

  /** The browser knows no such place: it is led to the figure, and keeps the address. */
  let followed = "";
  const arrive = () => {
    const { href, hash } = location;
    const [figure] = asked(hash).keys();
    const place = document.getElementById(figure);
    if (!place) return;
    followed = hash;
    location.replace(`#${figure}`);
    history.replaceState(history.state, "", href);
    place.scrollIntoView({ behavior: "instant" }); // on a long way, widgets that are mounted would move it
  };
  const follow = () => {
    for (const [figure, text] of asked(location.hash)) {
      if (!opened.has(figure)) continue;
      set(opened.get(figure), text);
      say(opened.get(figure));
    }
    arrive();
  };
  addEventListener("hashchange", () => {
    if (location.hash !== followed) follow();
    followed = location.hash;
  });
  addEventListener("click", ({ target }) => { // the same link once more changes no address
    if (target.closest?.("a[href*='?']")?.href === location.href) follow();
  });
  addEventListener("DOMContentLoaded", () => {
    arrive();
    const before = scrollY;
    addEventListener("load", () => { if (scrollY === before) arrive(); });
  });
  window.bookStates = { attend, accompany };
})();
