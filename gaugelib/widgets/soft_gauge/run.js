// Gradient descent with the penalty (strength / 4) sum Delta_h^2 added to the loss, and the verdicts on it. Pure functions.
//
// Losses are read before each of the steps and once after the last. A run is stable
//   strictly, if its loss never rises more than 1 % above its running minimum;
//   tolerantly, if it never exceeds twice the first, ends below the first, and the network has not died.

import { charges, teacher } from "../shared/mlp.js";
import { symmetricEigen } from "../shared/eigen.js";

export const WINDOW = 20; // steps at the end over which the decay is measured
const SWELL = 1.01;
const MOST = 2;

/** B diag(theta^2) B^T: how imbalance diffuses between the units and leaks out into the ground. */
export function laplacian({ units, size, target, source }, theta) {
  const found = Array.from({ length: units }, () => new Float64Array(units));
  for (let e = 0; e < size; e += 1) {
    const flow = theta[e] * theta[e];
    const [t, s] = [target[e] - 1, source[e] - 1];
    if (t >= 0) found[t][t] += flow;
    if (s >= 0) found[s][s] += flow;
    if (t >= 0 && s >= 0) [found[t][s], found[s][t]] = [found[t][s] - flow, found[s][t] - flow];
  }
  return found;
}

const dot = (x, y) => x.reduce((sum, value, k) => sum + value * y[k], 0);

/** One step of descent, in place; `slope` is the gradient of the loss, `delta` the imbalance of each unit. */
function descend({ size, target, source }, theta, slope, delta, { strength, lr }) {
  const at = (unit) => (unit > 0 ? delta[unit - 1] : 0);
  for (let e = 0; e < size; e += 1) theta[e] -= lr * (slope[e] + strength * (at(target[e]) - at(source[e])) * theta[e]);
}

/** What the losses say; `dead` is the loss of a network that gives 0 everywhere. Steps are where a condition was first broken. */
export function judge(losses, steps, dead) {
  const [first, last] = [losses[0], losses.at(-1)];
  let lowest = first;
  let rose = null;
  for (let k = 0; k < losses.length; k += 1) {
    if (rose === null && !(losses[k] <= SWELL * lowest)) rose = k;
    lowest = Math.min(lowest, losses[k]);
  }
  const ranAway = last <= MOST * first && losses.length === steps + 1 ? null : losses.length - 1;
  const died = Math.abs(last - dead) <= 1e-12 * dead;
  return { ranAway, rose, died, strict: ranAway === null && rose === null, tolerant: ranAway === null && last < first && !died };
}

/** The slowest mode of imbalance at the end: its size along the run, its rate as predicted and as measured (null: it does not decay). */
function slowest(net, nearEnd, imbalances, { strength, lr }) {
  const { values, vectors } = symmetricEigen(laplacian(net, nearEnd));
  const sizes = imbalances.map((delta) => dot(delta, vectors[0]));
  const kept = sizes.at(-1) / sizes.at(-1 - WINDOW);
  return { sizes, predicted: 2 * strength * values[0], measured: kept > 0 ? -Math.log(kept) / (WINDOW * lr) : null };
}

/**
 * Trains from `start` (theta of the layout `net`) on { inputs, targets }; `settings` is { strength, lr, steps }. Returns losses and
 * imbalances, state by state until the loss exceeds twice the first, what `judge` returns, the largest eigenvalue `stiffest` of
 * the Laplacian at the start, and the `mode` that is slowest near the end (null if the run does not get there).
 */
export function softRun(net, start, data, settings) {
  const { steps } = settings;
  const { gradient } = teacher(net, data);
  const theta = Float64Array.from(start);
  const slope = new Float64Array(net.size);
  const [losses, imbalances] = [[], []];
  let nearEnd = start;
  for (let k = 0; ; k += 1) {
    losses.push(gradient(theta, slope));
    imbalances.push(charges(net, theta, 2));
    if (!(losses[k] <= MOST * losses[0]) || k === steps) break;
    if (k === steps - WINDOW / 2) nearEnd = Float64Array.from(theta);
    descend(net, theta, slope, imbalances[k], settings);
  }
  const dead = data.targets.flat().reduce((sum, y) => sum + y * y, 0) / (2 * data.inputs.length);
  const verdict = judge(losses, steps, dead);
  const { values } = symmetricEigen(laplacian(net, start));
  const mode = verdict.ranAway === null ? slowest(net, nearEnd, imbalances, settings) : null;
  return { losses, imbalances, ...verdict, stiffest: values.at(-1), mode };
}
