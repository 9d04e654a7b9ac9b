// What training does in the plane of two weights: the regularised, modulated gradient flow, and methods in steps.
//
// The neuron has `fan` equal inputs of weight w, x = (1, ..., 1) / fan, and one output of weight v, so that f = v relu(w)
// on the datum whatever the fan is. Equal weights stay equal, so (w, v) is the whole state. Its loss is L = (f - target)^2 / 2.

import { integrate } from "./ode.js";
import { gradient, silent } from "./two_weights.js";

/** The charge of the exponent p: fan |w|^p - |v|^p. */
export function charge({ w, v }, p, fan = 1) {
  const [incoming, outgoing] = [Math.abs(w), Math.abs(v)];
  return p === 2 && fan === 1 ? (incoming - outgoing) * (incoming + outgoing) : fan * incoming ** p - outgoing ** p;
}

/** The point of the orbit whose charge of the exponent p is 0: the minimum-norm gauge. */
export function balanced({ w, v }, p, fan = 1) {
  const product = Math.abs(w * v);
  const ratio = fan ** (1 / p);
  return { w: Math.sign(w) * Math.sqrt(product / ratio), v: Math.sign(v) * Math.sqrt(product * ratio) };
}

/**
 * The flow theta' = -|theta|^(2-p) grad (L + decay R_q), R_q = (1/q) sum |theta|^q, from a point with w > 0, where the
 * field is smooth: it ends where w reaches 0 (the neuron dies), or where v would have to change its sign against a
 * formula that holds on one side only. Returns what `integrate` returns.
 */
export function flow(start, { target, p, until, decay = 0, q = p, fan = 1, tolerance }) {
  const side = Math.sign(start.v);
  const oneSided = p !== 2 || (decay !== 0 && q !== 2);
  const modulus = (x) => (p === 2 ? 1 : Math.abs(x) ** (2 - p));
  const shrink = (x, sign) => (decay === 0 ? 0 : decay * (q === 2 ? x : sign * Math.abs(x) ** (q - 1)));
  const field = (w, v) => {
    const error = w * v - target;
    return [-modulus(w) * ((error * v) / fan + shrink(w, 1)), -modulus(v) * (error * w + shrink(v, side))];
  };
  const inside = (w, v) => w > 0 && !(oneSided && v * side < 0);
  return integrate(field, start, { until, tolerance, inside });
}

/** The change of the charge in one step of gradient descent: exact for p = 2; its leading order for p = 1. */
export function stepDrift({ w, v }, slope, step, p) {
  if (p === 2) return step * step * (slope.w - slope.v) * (slope.w + slope.v);
  return 0.5 * step * step * (Math.abs(w) * slope.w ** 2 - Math.abs(v) * slope.v ** 2);
}

export const MOMENTUM = 0.5;

/**
 * Methods in steps. Each makes a function of a point that returns the next one; for p = 1 the steps are exponentiated,
 * as theta exp(-step sgn(theta) slope), and the midpoint is taken in flat coordinates.
 */
export const METHODS = {
  descent: ({ target, p, step }) => (point) => moved(point, gradient(point, target), step, p),
  momentum: ({ target, p, step }) => {
    let memory = { w: 0, v: 0 };
    return (point) => {
      const slope = gradient(point, target);
      const signs = p === 2 ? [1, 1] : [Math.sign(point.w), Math.sign(point.v)];
      memory = { w: MOMENTUM * memory.w + signs[0] * slope.w, v: MOMENTUM * memory.v + signs[1] * slope.v };
      return moved(point, { w: signs[0] * memory.w, v: signs[1] * memory.v }, step, p);
    };
  },
  midpoint: ({ target, p, step }) => (point) => midpoint(point, target, step, p),
};

function moved({ w, v }, slope, step, p) {
  const change = (x, g) => (p === 2 ? x - step * g : x * Math.exp(-step * Math.sign(x) * g));
  return { w: change(w, slope.w), v: change(v, slope.v) };
}

// Flat coordinates phi = (2/p) sgn(theta) |theta|^(p/2): there the modulated flow is plain gradient flow.
const toFlat = (x, p) => (p === 2 ? x : 2 * Math.sign(x) * Math.sqrt(Math.abs(x)));
/** A weight and its first and second derivative by its flat coordinate. */
const fromFlat = (y, p) => (p === 2 ? [y, 1, 0] : [(y * Math.abs(y)) / 4, Math.abs(y) / 2, Math.sign(y) / 2]);

/** The implicit midpoint rule, phi' = phi - step grad L((phi + phi') / 2), solved by Newton's method. */
function midpoint(point, target, step, p) {
  if (silent(point)) return point;
  const [a, b] = [toFlat(point.w, p), toFlat(point.v, p)];
  let [x, y] = [a, b]; // the point halfway
  for (let k = 0; k < 50; k += 1) {
    const [w, w1, w2] = fromFlat(x, p);
    const [v, v1, v2] = fromFlat(y, p);
    const error = w * v - target;
    const [gx, gy] = [error * w1 * v, error * w * v1];
    const half = step / 2;
    const [rx, ry] = [x - a + half * gx, y - b + half * gy];
    const xx = 1 + half * ((w1 * v) ** 2 + error * w2 * v);
    const yy = 1 + half * ((w * v1) ** 2 + error * w * v2);
    const xy = half * (w1 * v1 * w * v + error * w1 * v1);
    const determinant = xx * yy - xy * xy;
    const [dx, dy] = [(yy * rx - xy * ry) / determinant, (xx * ry - xy * rx) / determinant];
    [x, y] = [x - dx, y - dy];
    if (Math.abs(dx) + Math.abs(dy) <= 1e-15 * (Math.abs(x) + Math.abs(y))) break;
  }
  return { w: fromFlat(2 * x - a, p)[0], v: fromFlat(2 * y - b, p)[0] };
}

const FAR = 1e3; // a weight beyond is a run that has run away

/**
 * `count` steps from a point: { points, summed }, where summed[k] is the charge at the start plus the drifts that
 * `stepDrift` predicts for the first k steps. The ladder ends early where it runs away.
 */
export function ladder(start, { target, p, method, step, count }) {
  const advance = METHODS[method]({ target, p, step });
  const points = [start];
  const summed = [charge(start, p)];
  let point = start;
  for (let k = 0; k < count; k += 1) {
    const drift = stepDrift(point, gradient(point, target), step, p);
    point = advance(point);
    if (!(Math.abs(point.w) + Math.abs(point.v) < FAR)) break;
    points.push(point);
    summed.push(summed[k] + drift);
  }
  return { points, summed };
}
