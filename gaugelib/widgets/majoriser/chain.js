// One step of the proof that balancing goes down, on the chain x -> w1 -> w2 -> w3 -> y with two hidden neurons.
// Pure functions. `logs` is [log a1, log a2]; `flows` are |w|^p of the three weights in that gauge.
//
// The convex function is p F = |w1|^p + |w2|^p + |w3|^p along the orbit. Standing at a gauge, the auxiliary function
// p G = 1/2 sum |W_ij|^p (a_i^(2p) + a_j^(-2p)) lies above it and touches it there.

export const EXPONENTS = [1, 2, 3]; // in units of 1/(4p): to the minimum of G, to where G is as before, too far
export const SETTLED = 1e-12; // no step is longer than this: the iteration has arrived

/** |w|^p of the three weights in the gauge `logs`. */
export const flows = (weights, logs, p) => {
  const [first, second] = logs;
  return [first, second - first, -second].map((log, k) => Math.abs(weights[k]) ** p * Math.exp(p * log));
};

/** The weights in the gauge `logs`. */
export const rescaledChain = (weights, [first, second]) =>
  [first, second - first, -second].map((log, k) => weights[k] * Math.exp(log));

const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);

/** p F: the p-th power of the norm. */
export const normPower = (weights, logs, p) => sum(flows(weights, logs, p));

/** p G, standing at `logs`, after a further change of the log-scales by `move`. */
export function majoriser(weights, logs, p, [first, second]) {
  const [into, between, out] = flows(weights, logs, p);
  const [up, down] = [[0, first, second, 0], [0, -first, -second, 0]].map((ends) => ends.map((x) => Math.exp(2 * p * x)));
  return 0.5 * (into * (up[1] + down[0]) + between * (up[2] + down[1]) + out * (up[3] + down[2]));
}

/** The change of the log-scales by a = (out / in)^(exponent / 4p) at both neurons at once. */
export function move(weights, logs, p, exponent) {
  const [into, between, out] = flows(weights, logs, p);
  return [Math.log(between / into), Math.log(out / between)].map((ratio) => (exponent * ratio) / (4 * p));
}

export const add = (logs, change) => logs.map((log, h) => log + change[h]);

/** The balanced gauge: all three flows are equal, to the geometric mean, whatever the gauge before. */
export function balanced(weights, p) {
  const sizes = weights.map((weight) => Math.log(Math.abs(weight)));
  const mean = sum(sizes) / 3;
  return { logs: [mean - sizes[0], sizes[2] - mean], norm: 3 * Math.exp(p * mean) };
}

/** The largest |in - out| / (in + out). */
export function gamma(weights, logs, p) {
  const [into, between, out] = flows(weights, logs, p);
  return Math.max(...[[into, between], [between, out]].map(([x, y]) => Math.abs(x - y) / (x + y)));
}

/** Everything that is read off before a step. */
export function measuredStep({ weights, logs, p, exponent }) {
  const change = move(weights, logs, p, exponent);
  const next = add(logs, change);
  return {
    change, next,
    here: normPower(weights, logs, p),
    bound: majoriser(weights, logs, p, change),
    after: normPower(weights, next, p),
    gamma: gamma(weights, logs, p),
    least: balanced(weights, p).norm,
  };
}

/** `one` <= `other`, up to rounding. */
export const atMost = (one, other) => one <= other * (1 + 1e-12);

/** Has the iteration arrived, or run away? Either way there is no further step. */
export function halted({ change, here, least }) {
  if (change.every((x) => Math.abs(x) <= SETTLED)) return "arrived";
  return here > 1e9 * least || !Number.isFinite(here) ? "run away" : "";
}

/**
 * The line along which F and G are drawn: `along(t)` is a change of the log-scales. For "step" it is the direction of
 * the step to the minimum of G, and t = 1 is that step; for "neuron 1" and "neuron 2" t is the change of one log-scale.
 */
export function cut({ weights, logs, p }, kind) {
  const step = move(weights, logs, p, 1);
  if (kind !== "step") {
    const h = kind === "neuron 1" ? 0 : 1;
    return { along: (t) => (h === 0 ? [t, 0] : [0, t]), unit: step[h], reach: 3.2 * Math.max(Math.abs(step[h]), 0.08) };
  }
  const length = Math.hypot(...step);
  const direction = length > SETTLED ? step.map((x) => x / length) : [Math.SQRT1_2, Math.SQRT1_2];
  return { along: (t) => direction.map((x) => x * t), unit: length, reach: 3.2 * Math.max(length, 0.08) };
}
