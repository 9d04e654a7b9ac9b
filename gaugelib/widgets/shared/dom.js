// Elements, and one owner for everything that a view must give back when it is removed.

import { screened } from "./screen.js";

const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, String(value));
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

/** An HTML element: `html("p", { class: "gl-note" }, "text", child)`. */
export const html = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);

/** An SVG element. */
export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

/** Change attributes, touching only those that differ. */
export function adjust(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

/** Change an element's text, if it differs. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * The lifetime of one view. What is listened to, observed or scheduled through it ends with `end()`,
 * which `render` returns: two copies on a page, or a cell that is run again, leave nothing behind.
 */
export function lifetime() {
  const undo = [];
  let alive = true;
  return {
    /** Listen on an element (or the window). */
    listen(target, type, handler, options) {
      target.addEventListener(type, handler, options);
      undo.push(() => target.removeEventListener(type, handler, options));
    },
    /** Follow traits of a model. */
    follow(model, names, handler) {
      for (const name of names) {
        model.on(`change:${name}`, handler);
        undo.push(() => model.off(`change:${name}`, handler));
      }
    },
    /** A function that runs `draw` once in the next frame, however often it is called before. */
    perFrame(draw) {
      let waiting = 0;
      undo.push(() => cancelAnimationFrame(waiting));
      return () => {
        if (waiting || !alive) return;
        waiting = requestAnimationFrame(() => {
          waiting = 0;
          draw();
        });
      };
    },
    /** A function that runs `act` when it has not been called for `wait` milliseconds. */
    whenQuiet(act, wait) {
      let timer = 0;
      undo.push(() => clearTimeout(timer));
      return () => {
        clearTimeout(timer);
        if (alive) timer = setTimeout(act, wait);
      };
    },
    /** Anything else that must be undone. */
    keep(undoing) {
      undo.push(undoing);
    },
    end() {
      alive = false;
      for (const act of undo.splice(0).reverse()) act();
    },
  };
}

/**
 * Put a view's root into the page, as a group with a name for screen readers and a button for the full screen, and draw it,
 * anew when a trait or its size changes; returns the view's end.
 */
export function mount(life, { el, root, name, model, traits, draw, redraw = life.perFrame(draw), resized = redraw }) {
  if (name) adjust(root, { role: "group", "aria-label": name });
  el.append(screened(life, root, root.getAttribute("aria-label")));
  life.follow(model, traits, redraw);
  const sizes = new ResizeObserver(resized);
  sizes.observe(root);
  life.keep(() => sizes.disconnect());
  draw();
  return life.end;
}

/** Set traits of a model and tell the kernel, where there is one. */
export function change(model, traits) {
  for (const [name, value] of Object.entries(traits)) model.set(name, value);
  model.save_changes();
}

/** Does the reader ask for no motion? Asked anew each time: the setting may change. */
export const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The size a figure is drawn for: in the page its width, from which the height follows; on a canvas (screen.js) both. */
export const sizeOf = (figure) => [figure.clientWidth || 320, figure.closest(".gl-canvas") ? figure.clientHeight : undefined];

/** Draw a figure anew at its own size: `make(width, height)` gives its height and parts, `words` its label. */
export function put(figure, make, words) {
  const [width, given] = sizeOf(figure);
  const { height, parts } = make(width, given);
  adjust(figure, { viewBox: `0 0 ${width} ${height}`, "aria-label": words });
  figure.replaceChildren(...parts);
}
