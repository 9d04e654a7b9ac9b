// The network x -> w -> ReLU -> v -> y has two weights, so all such networks are the points of a plane.
// The pure mathematics of that plane: a point is { w, v }, the one datum is x = 1 with its target.

/** Where functions are compared: from -1 to 1.5 in steps of 1/16. */
export const PROBES = Array.from({ length: 41 }, (_, k) => -1 + k / 16);

/** The product w v, which a rescaling keeps: it names the orbit. */
export const product = ({ w, v }) => w * v;

/** f(x) = v relu(w x). */
export const output = ({ w, v }, x) => v * Math.max(w * x, 0);

/** With w <= 0 the neuron is silent on the datum x = 1, and the loss no longer depends on the point. */
export const silent = ({ w }) => !(w > 0);

/** L = (f(1) - target)^2 / 2. */
export const loss = (point, target) => 0.5 * (output(point, 1) - target) ** 2;

/** The gradient of L, (f(1) - target) (v, w); zero where the neuron is silent, as in torch. */
export function gradient(point, target) {
  if (silent(point)) return { w: 0, v: 0 };
  const error = product(point) - target;
  return { w: error * point.v, v: error * point.w };
}

/** The largest eigenvalue of the Hessian of L; 0 where the neuron is silent. */
export const curvature = (point, target) => (silent(point) ? 0 : sharpness(point, target));

/** The largest eigenvalue of [[v^2, 2wv - target], [2wv - target, w^2]], the Hessian of (wv - target)^2 / 2. */
export function sharpness(point, target) {
  const coupling = 2 * product(point) - target;
  return 0.5 * (size(point, 2) + Math.hypot(imbalance(point, 2), 2 * coupling));
}

/** |w|^p + |v|^p. */
export const size = ({ w, v }, p) => Math.abs(w) ** p + Math.abs(v) ** p;

/** |w|^p - |v|^p; the two factors for p = 2 lose no digits near the diagonal. */
export function imbalance({ w, v }, p) {
  const incoming = Math.abs(w);
  const outgoing = Math.abs(v);
  return p === 2 ? (incoming - outgoing) * (incoming + outgoing) : incoming ** p - outgoing ** p;
}

/** The rescaling by a > 0: (a w, v / a). */
export const rescaled = ({ w, v }, a) => ({ w: a * w, v: v / a });

/** The direction in which the orbit leaves the point: d/da of the rescaling at a = 1. */
export const tangent = ({ w, v }) => ({ w, v: -v });

export const inner = (one, other) => one.w * other.w + one.v * other.v;
export const length = (vector) => Math.hypot(vector.w, vector.v);

/** The point of the orbit with |w| = |v|: there |w|^p + |v|^p is smallest, for every p > 0. */
export function smallest(point) {
  const side = Math.sqrt(Math.abs(product(point)));
  return { w: Math.sign(point.w) * side, v: Math.sign(point.v) * side };
}

/**
 * The point with w >= 0, the same |w|^p - |v|^p and the product `value`: a move along the second family of
 * curves, which crosses the orbits (at right angles for p = 2).
 */
export function across(point, value, p) {
  const charge = imbalance(point, p);
  const spread = Math.hypot(charge, 2 * Math.abs(value) ** (p / 2));
  const larger = ((Math.abs(charge) + spread) / 2) ** (1 / p);
  const smaller = larger > 0 ? Math.abs(value) / larger : 0;
  const [w, v] = charge >= 0 ? [larger, smaller] : [smaller, larger];
  return { w, v: (Math.sign(value) || Math.sign(point.v) || 1) * v };
}

/** The scale a that carries `point` along its orbit to where a pointer leads it, at right angles. */
export function scaleTowards(point, pointer) {
  const lead = {
    w: Math.max(Math.sign(point.w) * pointer.w, 0),
    v: Math.max(Math.sign(point.v) * pointer.v, 0),
  };
  const value = Math.abs(product(point));
  return (value > 0 ? across(lead, value, 2).w : lead.w) / Math.abs(point.w);
}

/** The square that is drawn: a margin below 0, or as much as above where the point needs it. */
export function frame({ w, v }, target) {
  const high = Math.max(4.2, ...[w, v, Math.sqrt(Math.abs(target))].map((weight) => 1.25 * Math.abs(weight)));
  return { low: w < 0 || v < 0 ? -high : -0.24 * high, high };
}

/** The smallest and the largest |w| on the point's orbit inside the square. */
export function alongRange(point, { low, high }) {
  const end = (value) => (value < 0 ? -low : high);
  const first = point.v === 0 ? high / 64 : Math.abs(product(point)) / end(point.v);
  return [first, end(point.w)];
}

/**
 * The smallest and the largest product that `across` reaches from the point inside the square. Where |w| <= |v|
 * the sign of v cannot change: on the way w would have to pass 0, where the neuron dies.
 */
export function acrossRange(point, { low, high }, p) {
  const charge = imbalance(point, p);
  const furthest = (end) => {
    const v = Math.min(end, Math.max(high ** p - charge, 0) ** (1 / p));
    return v * Math.max(charge + v ** p, 0) ** (1 / p);
  };
  if (charge > 0) return [-furthest(-low), furthest(high)];
  return point.v < 0 ? [-furthest(-low), 0] : [0, furthest(high)];
}

/** Points of the orbit w v = value with the sign of w given, inside the square; none if it misses it. */
export function hyperbola(value, side, { low, high }, count = 64) {
  const last = side < 0 ? -low : high;
  const first = Math.abs(value) / (value * side < 0 ? -low : high) || last / 1000; // 0: half an axis
  if (first >= last) return [];
  const step = (last / first) ** (1 / count);
  return Array.from({ length: count + 1 }, (_, k) => {
    const w = side * first * step ** k;
    return { w, v: value / w };
  });
}

/** Everything that is read off at a point; `start` is the network whose function f is compared with. */
export function measures(point, start, target, p) {
  const slope = gradient(point, target);
  return {
    f: output(point, 1),
    loss: loss(point, target),
    difference: Math.max(...PROBES.map((x) => Math.abs(output(point, x) - output(start, x)))),
    tangent: inner(slope, tangent(point)),
    w: point.w,
    v: point.v,
    size: size(point, p),
    gradient: length(slope),
    curvature: curvature(point, target),
    imbalance: imbalance(point, p),
  };
}
