// Mounts anywidget views from the widget state that myst-nb embeds in a page: no kernel, no network.
// A classic script, because module scripts are blocked on file://; each widget's own module is
// imported from a Blob URL. What it gives to a widget is what anywidget itself gives:
// https://anywidget.dev/en/afm/ describes `initialize`, `render` and the model.
(() => {
  "use strict";

  const STATE = "application/vnd.jupyter.widget-state+json";
  const VIEW = "application/vnd.jupyter.widget-view+json";

  /** Equal by value, as Backbone compares before it announces a change. */
  const same = (a, b) => {
    if (Object.is(a, b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
    if (a.constructor !== b.constructor) return false;
    if (a instanceof DataView) return same(new Uint8Array(a.buffer), new Uint8Array(b.buffer));
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((k) => k in b && same(a[k], b[k]));
  };

  /** The shared state of all views of one widget. Listeners belong to an owner: one view each. */
  class Model {
    #state;
    #listeners = [];
    #changing = false;
    #pending = false;

    constructor(state) { this.#state = { ...state }; }

    get(key) { return this.#state[key]; }

    /** set(key, value) or set({key: value, ...}): "change:key" for each new value, then one "change". */
    set(key, value) {
      const news = Object.entries(typeof key === "object" ? key : { [key]: value })
        .filter(([name, v]) => !same(this.#state[name], v));
      for (const [name, v] of news) this.#state[name] = v;
      if (news.length) this.#pending = true;
      const outermost = !this.#changing;
      this.#changing = true;
      try {
        for (const [name, v] of news) this.#emit(`change:${name}`, v);
        while (outermost && this.#pending) {
          this.#pending = false;
          this.#emit("change");
        }
      } finally {
        if (outermost) this.#changing = false;
      }
    }

    /** `names` may hold several event names, separated by spaces. */
    on(names, listener, owner) {
      for (const name of names.split(/\s+/)) this.#listeners.push({ name, listener, owner });
    }

    /** Removes what matches everything that is given: names, listener, owner. */
    off(names, listener, owner) {
      const wanted = names?.split(/\s+/);
      this.#listeners = this.#listeners.filter((entry) =>
        (wanted && !wanted.includes(entry.name)) ||
        (listener && listener !== entry.listener) || (owner && owner !== entry.owner));
    }

    #emit(name, ...details) {
      for (const entry of this.#listeners.filter((e) => e.name === name)) {
        entry.listener.call(entry.owner, this, ...details);
      }
    }
  }

  /** The model as one owner sees it: its listeners can be removed together. */
  const seenBy = (owner, model, manager) => ({
    get: (key) => model.get(key),
    set: (key, value) => model.set(key, value),
    on: (names, listener) => model.on(names, listener, owner),
    off: (names, listener) => model.off(names, listener, owner),
    save_changes: () => {}, // there is no kernel to save to
    send: () => console.warn("This page has no kernel: the widget's message was not sent."),
    widget_manager: manager,
  });

  const experimental = {
    invoke: () => Promise.reject(new Error("This page has no kernel to invoke.")),
  };

  const memo = (make) => {
    const made = new Map();
    return (key) => made.get(key) ?? made.set(key, make(key)).get(key);
  };

  /** The widget defined by the source of a module: {initialize, render}. */
  const definition = memo(async (source) => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    try {
      const { default: exported } = await import(url);
      const widget = typeof exported === "function" ? await exported() : exported;
      if (typeof widget?.render !== "function") throw new Error("its module exports no render");
      return widget;
    } finally {
      URL.revokeObjectURL(url);
    }
  });

  const applyStyle = memo((css) => {
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
    return style;
  });

  /** Binary traits travel beside the state, in base64; they return to their place as DataViews. */
  const withBuffers = ({ state, buffers = [] }) => {
    const whole = structuredClone(state);
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const place = path.slice(0, -1).reduce((part, key) => part[key], whole);
      place[path.at(-1)] = new DataView(bytes.buffer);
    }
    return whole;
  };

  const read = (type) => [...document.querySelectorAll(`script[type="${type}"]`)];

  /** Mounts every view of the page; resolves to a function that takes them all down again. */
  const mountAll = async () => {
    const entries = Object.assign({}, ...read(STATE).map((s) => JSON.parse(s.textContent).state));
    const cleanups = [];

    const manager = { get_model: async (id) => seenBy({}, (await shared(id)).model, manager) };
    const shared = memo(async (id) => {
      const entry = entries[id];
      if (!entry) throw new Error("its state is not in this page");
      const { _esm: source, _css: style } = entry.state;
      if (entry.model_module !== "anywidget" || !source) {
        throw new Error(`it is not an anywidget (${entry.model_module}) and needs a running kernel`);
      }
      if (style) applyStyle(style);
      const widget = await definition(source);
      const model = new Model(withBuffers(entry));
      const owner = new AbortController();
      const undo = await widget.initialize?.({
        model: seenBy(owner, model, manager), signal: owner.signal, experimental,
      });
      cleanups.push(() => { owner.abort(); model.off(null, null, owner); if (typeof undo === "function") undo(); });
      return { model, widget };
    });

    const mount = async (script) => {
      const el = document.createElement("div");
      el.className = "widget-live";
      script.before(el);
      try {
        const id = JSON.parse(script.textContent).model_id;
        const { model, widget } = await shared(id);
        const owner = new AbortController();
        const undo = await widget.render({
          model: seenBy(owner, model, manager), el, signal: owner.signal, experimental,
        });
        el.dataset.model = id;
        cleanups.push(() => { owner.abort(); model.off(null, null, owner); if (typeof undo === "function") undo(); });
      } catch (problem) {
        console.error(problem);
        const text = document.createElement("p");
        text.className = "widget-error";
        text.setAttribute("role", "alert");
        text.textContent = `This figure could not start: ${problem.message}.`;
        el.replaceChildren(text);
      }
    };

    await Promise.all(read(VIEW).map(mount));
    document.documentElement.dataset.widgets = "mounted";
    return () => { for (const cleanup of cleanups.splice(0).reverse()) cleanup(); };
  };

  if (typeof module !== "undefined") { // in Node, for the tests
    module.exports = { Model, seenBy, same, withBuffers, mountAll };
    return;
  }
  const mounted = mountAll();

  // A link to a place of the page leads there, although the widgets above it grow after the browser
  // has gone to it; unless the reader has begun to move.
  const moves = ["wheel", "touchmove", "keydown", "pointerdown"];
  const moved = new AbortController();
  for (const move of moves) {
    addEventListener(move, () => moved.abort(), { passive: true, signal: moved.signal });
  }
  const land = () => {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (place && !moved.signal.aborted) place.scrollIntoView({ behavior: "instant" });
  };
  const growth = new ResizeObserver(land);
  growth.observe(document.body);
  moved.signal.addEventListener("abort", () => growth.disconnect());
  mounted.then(() => setTimeout(() => { land(); moved.abort(); }, 5000));

  // A page kept in the back/forward cache comes back alive: only a page that is left for good ends.
  addEventListener("pagehide", async (event) => { if (!event.persisted) (await mounted)(); });
})();
