// Mounts anywidget views when they come near the window, from the state that the page holds or names:
// no kernel, no network. What a page names lies in files beside this one, written by
// gaugebook/widget_parts.py; they are classic scripts, as this is, because modules and `fetch` are
// blocked on file://. Each widget's own module is imported from a Blob URL. What it gives to a widget
// is what anywidget itself gives: https://anywidget.dev/en/afm/ describes `initialize`, `render` and
// the model.
(() => {
  "use strict";

  const STATE = "application/vnd.jupyter.widget-state+json";
  const VIEW = "application/vnd.jupyter.widget-view+json";
  const PASSING = 100; // ms: what a glide passes by is not mounted

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

  const FILES = typeof document === "undefined" ? "" : document.currentScript.src;

  /** What a file of its own holds: a widget's module and style, or a large state. */
  const part = memo((name) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const fail = () => reject(new Error(`its file ${name}.js did not come`));
    script.src = new URL(`widgets/${name}.js`, FILES);
    script.onload = () => (window.widgetParts?.[name] ? resolve(window.widgetParts[name]) : fail());
    script.onerror = fail;
    document.head.append(script);
  }));

  /** A widget's entry with the parts that it names; what the entry says itself goes before them. */
  const whole = async ({ parts = [], ...entry }) => {
    const all = [...await Promise.all(parts.map(part)), entry];
    return {
      ...entry,
      state: Object.assign({}, ...all.map((each) => each.state)),
      buffers: all.flatMap((each) => each.buffers ?? []),
    };
  };

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

  /** The widgets of this page; nothing is mounted yet. */
  const widgetsOfPage = () => {
    const entries = Object.assign({}, ...read(STATE).map((s) => JSON.parse(s.textContent).state));
    const views = read(VIEW);
    const cleanups = [];
    let settled = 0;
    let left = false;
    let watch;

    /** Remembers how a part of a widget ends; where the page was left meanwhile, it ends now. */
    const endWith = (owner, model, undo) => {
      cleanups.push(() => {
        owner.abort();
        model.off(null, null, owner);
        if (typeof undo === "function") undo();
      });
      if (left) leave();
    };

    const manager = { get_model: async (id) => seenBy({}, (await shared(id)).model, manager) };
    const shared = memo(async (id) => {
      if (!entries[id]) throw new Error("its state is not in this page");
      const entry = await whole(entries[id]);
      const { _esm: source, _css: style } = entry.state;
      if (entry.model_module !== "anywidget" || !source) {
        throw new Error(`it is not an anywidget (${entry.model_module}) and needs a running kernel`);
      }
      if (style) applyStyle(style);
      const widget = await definition(source);
      const model = new Model(withBuffers(entry));
      const shown = views.find((view) => JSON.parse(view.textContent).model_id === id);
      if (shown) window.bookStates?.attend(shown, model);
      const owner = new AbortController();
      endWith(owner, model, await widget.initialize?.({
        model: seenBy(owner, model, manager), signal: owner.signal, experimental,
      }));
      return { model, widget };
    });

    /** The place of a view: the build makes one and reserves the widget's height within. */
    const place = memo((view) => {
      const made = view.previousElementSibling;
      if (made?.classList.contains("widget-live")) return made;
      const el = document.createElement("div");
      el.className = "widget-live";
      view.before(el);
      return el;
    });

    const mount = memo(async (view) => {
      const around = place(view);
      const el = document.createElement("div");
      try {
        const id = JSON.parse(view.textContent).model_id;
        const { model, widget } = await shared(id);
        const owner = new AbortController();
        around.append(el);
        endWith(owner, model, await widget.render({
          model: seenBy(owner, model, manager), el, signal: owner.signal, experimental,
        }));
        around.dataset.model = id;
        window.bookStates?.accompany(view, el);
      } catch (problem) {
        console.error(problem);
        const text = document.createElement("p");
        text.className = "widget-error";
        text.setAttribute("role", "alert");
        text.textContent = `This figure could not start: ${problem.message}.`;
        el.replaceChildren(text);
        around.append(el);
      }
      around.replaceChildren(el); // the room that was kept for it, or a still on paper
      settled += 1;
      if (settled === views.length) document.documentElement.dataset.widgets = "mounted";
    });
    if (!views.length) document.documentElement.dataset.widgets = "mounted";

    /** Mounts every view that is not mounted yet; resolves when all are mounted or have failed. */
    const mountAll = () => Promise.all(views.map(mount));

    /** Puts the still picture of each view that is not mounted in its place: paper does not wait. */
    const showStills = () => {
      for (const view of views) {
        const still = view.nextElementSibling?.matches("noscript") && view.nextElementSibling.textContent;
        if (still && place(view).querySelector(".widget-room")) {
          place(view).innerHTML = still;
          place(view).firstElementChild.loading = "eager";
        }
      }
    };

    /** Mounts each view once it has been less than a window's height away for a moment. */
    const mountNear = () => {
      const viewOf = new Map(views.map((view) => [place(view), view]));
      const soon = new Map();
      watch = new IntersectionObserver((seen) => {
        for (const { target, isIntersecting } of seen) {
          clearTimeout(soon.get(target)); // it was only passed by
          if (isIntersecting) {
            soon.set(target, setTimeout(() => {
              watch.unobserve(target);
              if (!left) mount(viewOf.get(target));
            }, PASSING));
          }
        }
      }, { rootMargin: "100% 0px" });
      for (const target of viewOf.keys()) watch.observe(target);
    };

    /** Takes down what is mounted; nothing more is mounted because it is near. */
    const leave = () => {
      left = true;
      watch?.disconnect();
      for (const cleanup of cleanups.splice(0).reverse()) cleanup();
    };

    return { mountAll, mountNear, showStills, leave };
  };

  if (typeof module !== "undefined") { // in Node, for the tests
    module.exports = { Model, seenBy, same, withBuffers };
    return;
  }
  const page = widgetsOfPage();
  page.mountNear();
  window.bookWidgets = { mountAll: page.mountAll, leave: page.leave };
  addEventListener("beforeprint", () => {
    page.showStills();
    page.mountAll();
  });

  // A page kept in the back/forward cache comes back alive: only a page that is left for good ends.
  addEventListener("pagehide", (event) => { if (!event.persisted) page.leave(); });
})();
