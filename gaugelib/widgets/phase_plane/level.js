// The second family of curves in the plane of two weights: where the charge is constant.

import { path } from "../shared/plane.js";

const POINTS = 48;

/** Points with w > 0 on fan |w|^p - |v|^p = value inside the square: one or two pieces, each a list of { w, v }. */
export function level(value, p, { low, high }, fan = 1) {
  const w = (v) => ((value + Math.abs(v) ** p) / fan) ** (1 / p);
  const v = (x) => Math.max(fan * x ** p - value, 0) ** (1 / p);
  const edge = v(high); // the curve leaves the square at w = high, unless v does so before
  const along = (from, to, point) =>
    to > from ? [Array.from({ length: POINTS + 1 }, (_, k) => point(from + ((to - from) * k) / POINTS))] : [];
  // By v where that is smooth, by w where the curve begins on the axis w = 0.
  if (value > 0) return value < fan * high ** p ? along(Math.max(low, -edge), Math.min(high, edge), (y) => ({ w: w(y), v: y })) : [];
  const reach = (furthest) => (furthest ** p + value > 0 ? Math.min(w(furthest), high) : 0);
  return [...along(0, reach(high), (x) => ({ w: x, v: v(x) })), ...along(0, reach(-low), (x) => ({ w: x, v: -v(x) }))];
}

/** The path of the curve of `value`. */
export const levelPath = (value, p, square, toX, toY, fan = 1) =>
  level(value, p, square, fan).map((piece) => path(piece.map((q) => q.w), piece.map((q) => q.v), toX, toY)).join("");

/** A family of such curves, evenly spread over the square. */
export function levelFamily(p, square, toX, toY, fan = 1) {
  const values = Array.from({ length: 6 }, (_, k) => ((square.high * (k + 0.5)) / 6) ** p);
  return [0, ...values, ...values.map((value) => -value)].map((value) => levelPath(value, p, square, toX, toY, fan)).join("");
}
