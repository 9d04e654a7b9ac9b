// A small plot: numbers to pixels, axes, paths. Colours and strokes come from the style sheet.

import { svg } from "./dom.js";
import { number } from "./format.js";

/** The linear map that takes [low, high] to [from, to]; `back` inverts it. */
export function linear(low, high, from, to) {
  const slope = (to - from) / (high - low);
  const map = (x) => from + slope * (x - low);
  map.back = (pixel) => low + (pixel - from) / slope;
  return map;
}

/** Round tick values inside [low, high], about `count` of them. */
export function ticks(low, high, count = 5) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * power >= raw * 0.999) * power;
  const values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) values.push(k * step);
  return values;
}

const tickText = (value) => (value === 0 ? "0" : String(Number(number(value, 3))).replace("-", "−"));
const ticked = (low, high, count) => ticks(low, high, count).map((value) => [value, tickText(value)]);

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const power = (exponent) => (exponent === 0 ? "1" : `10${[...String(exponent)].map((digit) => RAISED[digit]).join("")}`);

/** Ticks for an axis of log10 values: whole powers of ten, at most about `count` of them. */
export function decades(low, high, count = 5) {
  const step = Math.max(1, Math.ceil((high - low) / count));
  const values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k += 1) values.push(k * step);
  return values.map((value) => [value + 0, power(value + 0)]);
}

/** Ticks for a logarithmic axis from `low` to `high` (values, not logarithms): powers of ten, or round numbers in a short range. */
export function logTicks(low, high) {
  if (high / low < 8) return ticks(low, high, 4).map((value) => [Math.log10(value), String(Number(value.toPrecision(3)))]);
  const marks = [];
  for (let k = Math.floor(Math.log10(low)); 10 ** k <= high; k += 1) {
    for (const m of high / low > 60 ? [1] : [1, 3]) {
      const value = Number(`${m}e${k}`);
      if (value >= low && value <= high) marks.push([Math.log10(value), String(value)]);
    }
  }
  return marks;
}

/** The path through points (x[k], y[k]), in pixels; a gap where a value is not finite. */
export function path(xs, ys, toX, toY) {
  let text = "";
  let pen = "M";
  for (let k = 0; k < xs.length; k += 1) {
    const x = toX(xs[k]);
    const y = toY(ys[k]);
    if (Number.isFinite(x) && Number.isFinite(y)) {
      text += `${pen}${x.toFixed(2)} ${y.toFixed(2)}`;
      pen = "L";
    } else {
      pen = "M";
    }
  }
  return text;
}

/** Places for names beside lines that end at `ys`: in their order, at least `gap` apart, inside [top, bottom]. */
export function apart(ys, gap, top, bottom) {
  const order = ys.map((y, k) => [Math.min(Math.max(Number.isFinite(y) ? y : top, top), bottom), k]).sort((a, b) => a[0] - b[0]);
  const places = Array(ys.length);
  let last = -Infinity;
  for (const [y, k] of order) places[k] = last = Math.max(y, last + gap);
  let next = bottom;
  for (const [, k] of order.reverse()) {
    places[k] = Math.min(places[k], next);
    next = places[k] - gap;
  }
  return places;
}

/**
 * Axes with ticks and lower-case labels for a plot whose scales are `toX` (left to right) and `toY` (bottom to top).
 * Returns a <g>; draw it again when the scales change. `xTicks` and `yTicks`, lists of [value, text], replace round numbers;
 * `lift` and `drop` are the distances of the two names from the box, in pixels of the drawing.
 */
export function axes({ toX, toY, x, y, box, xLabel, yLabel, xTicks = ticked(...x), yTicks = ticked(...y, 4), lift = 8, drop = 32 }) {
  const { left, right, top, bottom } = box;
  const group = svg("g", { class: "gl-axes", "aria-hidden": "true" });
  for (const [value, text] of xTicks) {
    const at = toX(value);
    group.append(
      svg("line", { x1: at, x2: at, y1: bottom, y2: bottom + 4 }),
      svg("text", { x: at, y: bottom + 17, "text-anchor": "middle" }, text),
    );
  }
  for (const [value, text] of yTicks) {
    const at = toY(value);
    group.append(
      svg("line", { x1: left, x2: right, y1: at, y2: at, class: "gl-grid" }),
      svg("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, text),
    );
  }
  group.append(
    svg("line", { x1: left, x2: right, y1: bottom, y2: bottom }),
    svg("text", { x: right, y: bottom + drop, "text-anchor": "end", class: "gl-axis-name" }, xLabel),
    svg("text", { x: left - 6, y: top - lift, "text-anchor": "start", class: "gl-axis-name" }, yLabel),
  );
  return group;
}
