// The map of SoftGauge: a cell for each strength and eta, with a bar as long as the share of stable seeds, and a cursor
// that pointer, touch and arrow keys move.

import { keepKeys } from "../shared/controls.js";
import { adjust, sizeOf, svg } from "../shared/dom.js";
import { axes, decades, linear, path } from "../shared/plane.js";
import { count } from "./stable.js";

const ROW = 10; // pixels, where the height is not given
const APART = 0.35; // columns between strength 0 and the others, which lie on a logarithmic axis
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1], PageDown: [0, -3], PageUp: [0, 3] };

const RINGS = [["gl-aura", 7], ["gl-focus", 6.5], ["gl-halo", 1.5], ["gl-ring", 1.5]]; // of the cursor, and how far beyond its cell

const fixed = (value) => value.toFixed(1);
const box = (x, y, wide, high) => `M${fixed(x)} ${fixed(y)}h${fixed(wide)}v${fixed(high)}h${fixed(-wide)}z`;

/** Where everything lies on a map `width` pixels wide. */
export function scales({ strengths, etas }, width, height = 62 + ROW * etas.length) {
  const frame = { left: 38, right: width - 4, top: 26, bottom: height - 36 };
  const [first, last] = [etas[0], etas.at(-1)].map(Math.log10);
  const half = (last - first) / (2 * (etas.length - 1));
  const column = (k) => (k === 0 ? 0 : k + APART);
  const toX = linear(-0.5, column(strengths.length - 1) + 0.5, frame.left, frame.right);
  const toY = linear(first - half, last + half, frame.bottom, frame.top);
  return { frame, toX, toY, y: [first - half, last + half], column, wide: toX(1) - toX(0), row: (frame.bottom - frame.top) / etas.length };
}

/** The cell at a place in pixels, the nearest one if there is none. */
export function cellAt(map, [width, height], [x, y]) {
  const { toX, toY, column } = scales(map, width, height);
  const near = (places, at) => places.reduce((best, place, k) => (Math.abs(place - at) < Math.abs(places[best] - at) ? k : best), 0);
  return [near(map.strengths.map((_, k) => toX(column(k))), x), near(map.etas.map((eta) => toY(Math.log10(eta))), y)];
}

/** eta for which eta * strength * stiffest is 1, as a line through the columns, and half a column beyond. */
function limitPath({ strengths }, stiffest, { toX, toY, column }) {
  const logs = strengths.slice(1).map(Math.log10);
  const beyond = (end, next) => end + (end - next) / 2;
  const [x, y] = [logs.map((_, k) => column(k + 1)), logs.map((log) => -log - Math.log10(stiffest))];
  const ended = (values) => [beyond(values[0], values[1]), ...values, beyond(values.at(-1), values.at(-2))];
  return path(ended(x), ended(y), toX, toY);
}

/** Axes, cells, bars, marks of fragile cells and the limit, on a map of that size. `tables` are those of stable.js. */
function ground(map, { tables, seeds, stiffest, revealed }, size) {
  const { frame, toX, toY, y, column, wide, row } = scales(map, ...size);
  const long = 0.88 * wide;
  const parts = { empty: "", bars: "", fragile: "" };
  map.strengths.forEach((_, i) => map.etas.forEach((eta, j) => {
    const [left, middle] = [toX(column(i)) - long / 2, toY(Math.log10(eta))];
    const share = count(tables.stable[i][j]) / seeds;
    const top = middle - row / 2 + 0.6;
    parts.empty += box(left, top, long, row - 1.2);
    if (revealed && share > 0) parts.bars += box(left, top, long * share, row - 1.2);
    if (revealed && tables.fragile[i][j] > 0) parts.fragile += `M${fixed(toX(column(i)))} ${fixed(middle - 4)}l4 4l-4 4l-4-4z`;
  }));
  const xTicks = map.strengths.flatMap((strength, k) => {
    const log = Math.log10(strength);
    if (k === 0) return [[0, "0"]];
    return Math.abs(log - Math.round(log)) < 1e-9 ? [[column(k), decades(log, log)[0][1]]] : [];
  });
  return [
    axes({
      toX, toY, x: [0, 1], y, box: frame, xTicks, yTicks: decades(...y), xLabel: "strength κ of the penalty", yLabel: "learning rate η",
    }),
    svg("path", { class: "gl-empty", d: parts.empty }),
    svg("path", { class: "gl-bars", d: parts.bars }),
    svg("path", { class: "gl-fragile", d: parts.fragile }),
    svg(
      "svg",
      {
        class: "gl-inside", x: frame.left, y: frame.top, width: frame.right - frame.left, height: frame.bottom - frame.top,
        viewBox: `${frame.left} ${frame.top} ${frame.right - frame.left} ${frame.bottom - frame.top}`,
      },
      revealed ? svg("path", { class: "gl-limit", d: limitPath(map, stiffest, { toX, toY, column }) }) : null,
    ),
  ];
}

/**
 * The map as an element. `moved([column, row])` is called with the cell that the reader points at, `stepped([dx, dy])` with the
 * way of an arrow key. `set(state)` draws { tables, seeds, stiffest, revealed, cell, text }; `text` is what a screen reader says of the cell.
 */
export function cells(life, map, { moved, stepped }) {
  const back = svg("g", { "aria-hidden": "true" });
  const rings = RINGS.map(([kind]) => svg("rect", { class: kind }));
  const handle = svg(
    "g",
    {
      class: "gl-handle", tabindex: 0, role: "slider", "aria-label": "cell of the map, strength κ and learning rate η",
      "aria-roledescription": "cell of a map", "aria-valuemin": 1, "aria-valuemax": map.strengths.length * map.etas.length,
    },
    svg("circle", { class: "gl-reach", r: 20 }), ...rings,
  );
  const root = svg("svg", { class: "gl-cells" }, back, handle);
  const placeOf = ({ clientX, clientY }) => {
    const [seen, size] = [root.getBoundingClientRect(), sizeOf(root)];
    const pixel = size[0] / seen.width; // a canvas is magnified
    return cellAt(map, size, [(clientX - seen.left) * pixel, (clientY - seen.top) * pixel]);
  };

  keepKeys(handle, life);
  life.listen(handle, "keydown", (event) => {
    const way = STEPS[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    stepped(way);
  });
  // A finger on the cursor drags the cursor, one beside it scrolls the page; a tap anywhere moves the cursor there.
  let held = false;
  life.listen(handle, "touchstart", (event) => event.preventDefault(), { passive: false });
  life.listen(root, "pointerdown", (event) => {
    if (event.button !== 0 || (event.pointerType === "touch" && !handle.contains(event.target))) return;
    event.preventDefault();
    handle.focus({ focusVisible: false });
    held = true;
    root.setPointerCapture(event.pointerId);
    moved(placeOf(event));
  });
  life.listen(root, "pointermove", (event) => held && moved(placeOf(event)));
  life.listen(root, "click", (event) => moved(placeOf(event)));
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
    life.listen(root, type, () => {
      held = false;
    });
  }

  let drawn = null;
  function set({ key, cell: [i, j], text, ...shown }) {
    const size = sizeOf(root);
    const { frame, toX, toY, column, wide, row } = scales(map, ...size);
    if (drawn !== `${key} ${size}`) {
      drawn = `${key} ${size}`;
      adjust(root, { viewBox: `0 0 ${size[0]} ${frame.bottom + 36}` });
      back.replaceChildren(...ground(map, shown, size));
    }
    RINGS.forEach(([, beyond], k) => {
      const [w, h] = [wide + 2 * beyond, row + 2 * beyond];
      adjust(rings[k], { x: fixed(-w / 2), y: fixed(-h / 2), width: fixed(w), height: fixed(h), rx: 1 + beyond });
    });
    adjust(handle, {
      transform: `translate(${fixed(toX(column(i)))} ${fixed(toY(Math.log10(map.etas[j])))})`,
      "aria-valuenow": i * map.etas.length + j + 1, "aria-valuetext": text,
    });
  }
  return { root, handle, set };
}
