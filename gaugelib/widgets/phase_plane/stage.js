// The plane of two weights, as every mode of PhasePlane shows it: axes, the orbits w v = const, the orbit of
// the solutions, the side where the neuron is silent, and a point that pointer, touch and arrow keys move.

import { keepKeys } from "../shared/controls.js";
import { adjust, svg } from "../shared/dom.js";
import { axes, linear, path } from "../shared/plane.js";
import { hyperbola } from "./two_weights.js";

const [WIDE, HIGH] = [360, 384];
const BOX = { left: 30, right: 350, top: 22, bottom: 342 };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

/** The path of the orbit with product `value` on the side of w = 0 that has the sign `side`. */
export function orbitPath(value, side, square, toX, toY) {
  const points = hyperbola(value, side, square);
  return path(points.map((p) => p.w), points.map((p) => p.v), toX, toY);
}

/** The curve |w|^p + |v|^p = size: a diamond for p = 1, a circle for p = 2. */
export function ballPath(size, p, toX, toY) {
  const r = size ** (1 / p);
  const [east, north, west, south] = [[r, 0], [0, r], [-r, 0], [0, -r]].map(([w, v]) => [toX(w), toY(v)]);
  if (p === 1) return `M${east}L${north}L${west}L${south}Z`;
  const radius = toX(r) - toX(0);
  return `M${east}A${radius} ${radius} 0 0 0 ${west}A${radius} ${radius} 0 0 0 ${east}Z`;
}

/**
 * Draws the plane. `moved(point)` is called with the place to which the reader drags, `stepped([dw, dv])` with
 * the direction of an arrow key. Layers for the mode to draw in: `below` and `above`, both cut at the square.
 * Without a target there are no solutions; the diagonals are where |w| = |v|. A linear neuron has no silent side.
 */
export function stage(life, { square, target = null, label, moved, stepped, diagonals = true, silentSide = true }) {
  const toX = linear(square.low, square.high, BOX.left, BOX.right);
  const toY = linear(square.low, square.high, BOX.bottom, BOX.top);
  const ends = [square.low, square.high];
  const below = svg("g");
  const above = svg("g");
  const handle = svg(
    "g",
    {
      class: "gl-handle", tabindex: 0, role: "slider", "aria-label": label, "aria-roledescription": "point of a plane",
      "aria-valuemin": square.low.toFixed(2), "aria-valuemax": square.high.toFixed(2),
    },
    svg("circle", { r: 22, class: "gl-reach" }),
    svg("circle", { r: 13, class: "gl-ring" }),
    svg("circle", { r: 7, class: "gl-point" }),
  );
  const inside = svg(
    "svg",
    {
      class: "gl-inside", x: BOX.left, y: BOX.top, width: BOX.right - BOX.left, height: BOX.bottom - BOX.top,
      viewBox: `${BOX.left} ${BOX.top} ${BOX.right - BOX.left} ${BOX.bottom - BOX.top}`, "aria-hidden": "true",
    },
    ...ground(square, target, { diagonals, silentSide }, toX, toY), below, above,
  );
  const root = svg(
    "svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "gl-plane" },
    axes({ toX, toY, x: ends, y: ends, box: BOX, xLabel: "incoming weight w", yLabel: "outgoing weight v" }),
    inside, handle,
  );

  keepKeys(handle, life);
  life.listen(handle, "keydown", (event) => {
    const direction = ARROWS[event.key];
    if (!direction || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    stepped(direction);
  });
  let grip = null; // from the pointer to the point, so that taking hold does not move it
  let here = { w: 0, v: 0 };
  const placeOf = (event) => {
    const seen = root.getBoundingClientRect(); // the drawing lies in its middle, as large as fits
    const pixel = Math.max(WIDE / seen.width, HIGH / seen.height);
    const [x, y] = [event.clientX - seen.left - seen.width / 2, event.clientY - seen.top - seen.height / 2];
    return { w: toX.back(WIDE / 2 + x * pixel), v: toY.back(HIGH / 2 + y * pixel) };
  };
  // A finger on the point drags the point, not the page (in Chromium, `touch-action: none` on a part of an <svg> did not hold).
  life.listen(handle, "touchstart", (event) => event.preventDefault(), { passive: false });
  life.listen(handle, "pointerdown", (event) => {
    if (event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    const place = placeOf(event);
    grip = { w: here.w - place.w, v: here.v - place.v };
  });
  life.listen(handle, "pointermove", (event) => {
    if (!grip) return;
    const place = placeOf(event);
    moved({ w: place.w + grip.w, v: place.v + grip.v });
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
    life.listen(handle, type, () => {
      grip = null;
    });
  }

  /** Show the point; `text` is what a screen reader says of it. */
  function set(point, text) {
    here = point;
    const [x, y] = [point.w, point.v].map((value) => Math.min(Math.max(value, square.low), square.high));
    adjust(handle, { // a point that was set from outside stays in sight, at the edge
      transform: `translate(${toX(x).toFixed(2)} ${toY(y).toFixed(2)})`,
      "aria-valuenow": point.w.toFixed(2), "aria-valuetext": text,
    });
  }
  return { root, handle, below, above, toX, toY, set };
}

/** What does not move: the silent side, the family of orbits, the diagonals, the axes, the solutions. */
function ground(square, target, { diagonals, silentSide }, toX, toY) {
  const { low, high } = square;
  const family = Array.from({ length: 6 }, (_, k) => ((high * (k + 0.5)) / 6) ** 2)
    .flatMap((value) => [[value, 1], [value, -1], [-value, 1], [-value, -1]])
    .map(([value, side]) => orbitPath(value, side, square, toX, toY))
    .join("");
  const line = (kind, w1, v1, w2, v2) => svg("line", { class: kind, x1: toX(w1), y1: toY(v1), x2: toX(w2), y2: toY(v2) });
  const note = [toX(low / 2) + 4, toY(0.52 * high)];
  return [
    silentSide ? svg("rect", { class: "gl-silent", x: toX(low), y: toY(high), width: toX(0) - toX(low), height: toY(low) - toY(high) }) : null,
    svg("path", { class: "gl-family", d: family }),
    ...(diagonals
      ? [line("gl-diagonal", low, low, high, high), line("gl-diagonal", low, -low, -low, low), line("gl-diagonal", 0, 0, high, -high)]
      : []),
    line("gl-axis", low, 0, high, 0), line("gl-axis", 0, low, 0, high),
    target === null ? null : svg("path", { class: "gl-solutions", d: orbitPath(target, 1, square, toX, toY) }),
    silentSide
      ? svg(
        "text", { class: "gl-note", x: note[0], y: note[1], "text-anchor": "middle", transform: `rotate(-90 ${note.join(" ")})` },
        "silent: f(1) = 0",
      )
      : null,
  ];
}
