// The controls of every widget: native elements, so that keyboard, touch and screen readers work as readers expect.
// Each returns { root, set(...) }: `root` goes into the page, `set` shows the model's value.
// `life` is the view's lifetime (dom.js).

import { html, say } from "./dom.js";

const OWN_KEYS = new Set([
  "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End", " ", "Enter",
]);

const isOwn = (event) => !(event.ctrlKey || event.metaKey || event.altKey) && OWN_KEYS.has(event.key);

/**
 * JupyterLab takes arrow keys for itself unless they stop here; its other shortcuts still pass. Notebook 7 takes them on
 * their way down already, but passes over what bears this attribute, so that is set before it looks.
 */
export function keepKeys(element, life) {
  const mark = (event) => element.toggleAttribute("data-lm-suppress-shortcuts", element.contains(event.target) && isOwn(event));
  life.listen(window, "keydown", mark, true);
  life.listen(element, "keydown", (event) => {
    if (isOwn(event)) event.stopPropagation();
  });
  return element;
}

/**
 * A labelled range input. `caption` is its visible name, `name` (if given) the longer one for screen readers;
 * `act(value)` runs while it moves. `set(value, text)` takes the text shown beside it and spoken.
 */
export function slider(life, { caption, name, min, max, step, act }) {
  const input = html("input", { type: "range", min, max, step, class: "gl-range", "aria-label": name });
  const shown = html("span", { class: "gl-value" });
  const root = html("label", { class: "gl-slider" }, html("span", { class: "gl-caption" }, caption), input, shown);
  keepKeys(input, life);
  life.listen(input, "input", () => act(Number(input.value)));
  const set = (value, text) => {
    input.value = String(value);
    input.setAttribute("aria-valuetext", text);
    say(shown, text);
  };
  return { root, input, set };
}

export function button(life, { caption, hint, act }) {
  const root = html("button", { type: "button", class: "gl-button", title: hint }, caption);
  keepKeys(root, life);
  life.listen(root, "click", act);
  return { root };
}

export function checkbox(life, { caption, act }) {
  const input = html("input", { type: "checkbox", class: "gl-check" });
  const root = html("label", { class: "gl-toggle" }, input, html("span", {}, caption));
  keepKeys(input, life);
  life.listen(input, "change", () => act(input.checked));
  const set = (value) => {
    input.checked = value;
  };
  return { root, input, set };
}

/** One of a few values, as a drop-down list: `options` is [[value, caption], ...]. */
export function choice(life, { caption, options, act }) {
  const select = html(
    "select", { class: "gl-select" },
    options.map(([value, text]) => html("option", { value }, text)),
  );
  const root = html("label", { class: "gl-choice" }, html("span", { class: "gl-caption" }, caption), select);
  keepKeys(select, life);
  life.listen(select, "change", () => {
    const chosen = options.find(([value]) => String(value) === select.value);
    act(chosen[0]);
  });
  const set = (value) => {
    select.value = String(value);
  };
  return { root, input: select, set };
}

/** A measured value: a name and real text. `key` marks it for tests: data-readout="key". */
export function readout(key, caption, { hint } = {}) {
  const value = html("span", { class: "gl-value", "data-readout": key });
  const root = html("div", { class: "gl-readout", title: hint }, html("span", { class: "gl-caption" }, caption), " ", value);
  return { root, set: (text) => say(value, text) };
}

/**
 * Speaks for the readouts: a polite live region that repeats `sentence()` once the reader stops moving, so that a drag
 * is not a flood of words.
 */
export function announcer(life, sentence) {
  const root = html("p", { class: "gl-spoken", role: "status", "aria-live": "polite" });
  const speak = life.whenQuiet(() => say(root, sentence()), 500);
  return { root, speak };
}
