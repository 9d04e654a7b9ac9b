// The pictures of SharpnessAlongOrbit: the spectrum as bars, the function over its data, the loss along the orbit of one unit.

import { svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { axes, linear, path } from "../shared/plane.js";

const SPECTRUM = 380; // heights
const SMALL = 170;
const FINE = 1e-3; // below it the axis of the spectrum is nearly linear

/** The signed logarithm, odd and linear near 0: eigenvalues of every size and sign, and 0, have a place on it. */
export const signedLog = (value) => Math.sign(value) * Math.log10(1 + Math.abs(value) / FINE);

/** Marks for an axis of signed logarithms between two values: 0, and powers of ten of either sign. */
export function signedTicks(low, high) {
  const marks = [];
  for (let k = 1 + Math.log10(FINE); k < 7; k += 1) {
    const size = Number(`1e${Math.round(k)}`);
    if (size <= high) marks.push([signedLog(size), String(size)]);
    if (-size >= low) marks.push([signedLog(-size), `−${size}`]);
  }
  return [[0, "0"], ...marks];
}

/** A bar for each eigenvalue, largest first; those that the symmetry sets have a diamond, and words below them. `before`: at every a = 1. */
export function spectrumPlot({ values, modes }, before, { low, high, words }, width, height = SPECTRUM) {
  const box = { left: 46, right: width - 4, top: 26, bottom: height - 44 };
  const [bottom, top] = [signedLog(low), signedLog(high)];
  const toY = linear(bottom, top, box.bottom, box.top);
  const slot = (box.right - box.left) / values.length;
  const x = (k) => box.left + (k + 0.5) * slot;
  const thick = Math.min(0.62 * slot, 40);
  const px = (value) => value.toFixed(1);
  const at = (value) => toY(signedLog(value));
  const zero = at(0);
  const marked = modes.map((k) => {
    const y = at(values[k]);
    return svg(
      "g", { class: "gl-mode" },
      svg("line", { x1: px(x(k)), x2: px(x(k)), y1: px(zero), y2: px(y) }),
      svg("path", { d: `M${px(x(k))} ${px(y - 9)}l9 9l-9 9l-9 -9z` }),
    );
  });
  const bars = values.map((value, k) => {
    if (modes.includes(k)) return null;
    const y = at(value);
    const sizes = { x: px(x(k) - thick / 2), y: px(Math.min(y, zero)), width: px(thick), height: px(Math.abs(zero - y)) };
    return svg("rect", { class: value < 0 ? "gl-bar gl-below" : "gl-bar", ...sizes });
  });
  const ghosts = before.map((value, k) => svg("line", { class: "gl-before", x1: px(x(k) - 0.46 * slot), x2: px(x(k) + 0.46 * slot), y1: px(at(value)), y2: px(at(value)) }));
  const said = modes.length === 0 ? [] : namesOf(modes, words, { x, box, thick, px });
  return {
    height,
    parts: [
      axes({ toX: linear(0, 1, box.left, box.right), toY, x: [0, 1], y: [bottom, top], box, xLabel: "", yLabel: "eigenvalue (signed logarithm)", xTicks: [], yTicks: signedTicks(low, high), lift: 12 }),
      svg("line", { class: "gl-zero", x1: box.left, x2: box.right, y1: zero, y2: zero }),
      ...bars.filter(Boolean), ...ghosts, ...marked,
      svg("text", { class: "gl-largest", x: box.left + 2, y: px(at(values[0]) - 7) }, number(values[0], 3)),
      ...said,
    ],
  };
}

/** A bracket under the marked bars, and what they are. */
function namesOf(modes, words, { x, box, thick, px }) {
  const [from, to] = [x(modes[0]) - thick / 2, x(modes.at(-1)) + thick / 2];
  const y = box.bottom + 14;
  const wide = 4.4 * words.length; // half of the words, more or less
  const centre = Math.min(Math.max((from + to) / 2, box.left + wide), box.right - wide);
  return [
    svg("path", { class: "gl-bracket", d: `M${px(from)} ${y - 6}V${y}H${px(to)}V${y - 6}` }),
    svg("text", { class: "gl-set", x: px(centre), y: y + 18, "text-anchor": "middle" }, words),
  ];
}

/** f over what it was at every a = 1, and the data. */
export function functionPlot({ xs, f, original }, data, width, height = SMALL) {
  const box = { left: 46, right: width - 8, top: 24, bottom: height - 38 };
  const all = [...original, ...data.y];
  const room = 0.12 * (Math.max(...all) - Math.min(...all) || 1);
  const [x, y] = [[xs[0], xs.at(-1)], [Math.min(...all) - room, Math.max(...all) + room]];
  const [toX, toY] = [linear(...x, box.left, box.right), linear(...y, box.bottom, box.top)];
  return {
    height,
    parts: [
      axes({ toX, toY, x, y, box, xLabel: "x", yLabel: "output" }),
      svg("path", { class: "gl-original", d: path(xs, original, toX, toY) }),
      svg("path", { class: "gl-function", d: path(xs, f, toX, toY) }),
      ...data.x.map((at, n) => svg("circle", { class: "gl-datum", r: 3.5, cx: toX(at).toFixed(1), cy: toY(data.y[n]).toFixed(1) })),
    ],
  };
}

/**
 * L (and L_lambda, if there is decay) on the orbit against log2 a; L on the straight line that touches it where log2 a is `at`, and the
 * point there, on each of the curves.
 */
export function orbitPlot({ steps, loss, penalised, lineSteps, line, at, heights }, { reach, range, unit, decay }, width, height = SMALL) {
  const box = { left: 46, right: width - 8, top: 24, bottom: height - 38 };
  const toX = linear(-reach, reach, box.left, box.right);
  const toY = linear(...range, box.bottom, box.top);
  const curve = (kind, xs, ys) => svg("path", { class: kind, d: path(xs, ys, toX, toY) });
  const size = { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
  const dot = (value) => svg("circle", { class: "gl-at", r: 5, cx: toX(at).toFixed(1), cy: Math.max(toY(value), box.top).toFixed(1) });
  return {
    height,
    parts: [
      axes({ toX, toY, x: [-reach, reach], y: range, box, xLabel: `log₂ a of unit ${unit}`, yLabel: "loss" }),
      svg(
        "svg", { class: "gl-inside", ...size, viewBox: `${size.x} ${size.y} ${size.width} ${size.height}` },
        decay > 0 ? curve("gl-bowl", steps, penalised) : null,
        curve("gl-level", steps, loss),
        curve("gl-tangent", lineSteps, line),
      ),
      ...heights.map(dot),
    ],
  };
}
