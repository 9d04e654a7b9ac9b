// A layered network without biases, and three ways to its minimum-norm gauge. Pure functions.
//
// The network is a list of matrices, weights[l][i][j] from neuron j to neuron i. Its gauge is `logs`: for each hidden
// layer h the numbers log a of its neurons; |weight|^p then is |W_ij|^p exp(p (log a_i - log a_j)), and inputs and
// outputs have a = 1. A sweep updates every hidden neuron once.

import { drawUniform } from "../shared/numbers.js";

export const METHODS = ["paper", "alternating", "two-level"];
export const BALANCED = 1e-12; // a run ends when gamma is below this ...
export const MOST_SWEEPS = 400; // ... or after so many sweeps

/** Two draws of the generator make one normal number (Box and Muller): [number, next state]. */
export function drawNormal(state) {
  const [first, between] = drawUniform(state);
  const [second, next] = drawUniform(between);
  return [Math.sqrt(-2 * Math.log1p(-first)) * Math.cos(2 * Math.PI * second), next];
}

/** `count` normal numbers and the next state. */
function drawNormals(count, state) {
  const numbers = [];
  for (let k = 0; k < count; k += 1) {
    const [number, next] = drawNormal(state);
    numbers.push(number);
    state = next;
  }
  return [numbers, state];
}

/** He's initialisation: weights of variance 2 / fan-in between layers of the given widths, and the next state. */
export function heWeights(widths, state) {
  const weights = [];
  for (let l = 1; l < widths.length; l += 1) {
    const rows = [];
    for (let i = 0; i < widths[l]; i += 1) {
      const [numbers, next] = drawNormals(widths[l - 1], state);
      rows.push(numbers.map((z) => z * Math.sqrt(2 / widths[l - 1])));
      state = next;
    }
    weights.push(rows);
  }
  return [weights, state];
}

const hiddenWidths = (weights) => weights.slice(0, -1).map((rows) => rows.length);

/** log a = sigma times a normal number, for each hidden neuron, from `state`. */
export function randomLogs(weights, sigma, state) {
  return hiddenWidths(weights).map((width) => {
    const [numbers, next] = drawNormals(width, state);
    state = next;
    return numbers.map((z) => sigma * z);
  });
}

/** The weights in the gauge `logs`. */
export const rescaledLayers = (weights, logs) => weights.map((rows, l) => rows.map((row, i) => {
  const target = logs[l]?.[i] ?? 0;
  return row.map((weight, j) => weight * Math.exp(target - (logs[l - 1]?.[j] ?? 0)));
}));

/** The network that is balanced: `given` or He's weights, in a random gauge of spread `sigma`. */
export function opening({ given, depth, width, sigma, seed }) {
  const [weights, next] = given.length > 0 ? [given, seed] : heWeights([...Array(depth).fill(width), 1], seed);
  return rescaledLayers(weights, randomLogs(weights, sigma, next));
}

/** |weight|^p of every weight. */
export const powers = (weights, p) => weights.map((rows) => rows.map((row) => row.map((weight) => Math.abs(weight) ** p)));

/** What flows into and out of each hidden neuron, and the total of each weight layer, in the gauge `logs`. */
export function flows(C, logs, p) {
  const a = logs.map((layer) => layer.map((log) => Math.exp(p * log)));
  const totals = C.map(() => 0);
  const incoming = logs.map((layer) => layer.map(() => 0));
  const outgoing = logs.map((layer) => layer.map(() => 0));
  C.forEach((rows, l) => rows.forEach((row, i) => {
    let sum = 0;
    for (let j = 0; j < row.length; j += 1) {
      const flow = (row[j] * (a[l]?.[i] ?? 1)) / (a[l - 1]?.[j] ?? 1);
      sum += flow;
      if (l > 0) outgoing[l - 1][j] += flow;
    }
    if (l < logs.length) incoming[l][i] = sum;
    totals[l] += sum;
  }));
  return { incoming, outgoing, totals };
}

/** (in - out) / (in + out) of each hidden neuron. */
export const relative = ({ incoming, outgoing }) =>
  incoming.map((layer, h) => layer.map((into, i) => (into - outgoing[h][i]) / (into + outgoing[h][i])));

/** ... and of each hidden layer as a whole: the sum over its neurons in place of one of them. */
export const layerRelative = ({ totals }) =>
  totals.slice(1).map((out, h) => (totals[h] - out) / (totals[h] + out));

/**
 * Which part of the imbalance belongs to whole layers: of the sum of squares of all neurons' relative imbalances,
 * the share that their layers' means explain.
 */
export function layerShare(imbalances) {
  let [whole, explained] = [0, 0];
  for (const layer of imbalances) {
    const mean = layer.reduce((sum, x) => sum + x, 0) / layer.length;
    explained += layer.length * mean * mean;
    for (const x of layer) whole += x * x;
  }
  return whole > 0 ? explained / whole : 1;
}

/** Everything that is shown of one gauge. */
export function state(C, logs, p) {
  const seen = flows(C, logs, p);
  const imbalances = relative(seen);
  return {
    logs, imbalances,
    totals: seen.totals,
    layers: layerRelative(seen),
    norm: seen.totals.reduce((sum, total) => sum + total, 0),
    gamma: Math.max(0, ...imbalances.flat().map(Math.abs)),
    layerShare: layerShare(imbalances),
  };
}

/** Each neuron of the chosen hidden layers by a = (out / in)^exponent. */
function stepped(C, logs, p, exponent, chosen) {
  const { incoming, outgoing } = flows(C, logs, p);
  return logs.map((layer, h) => (chosen(h)
    ? layer.map((log, i) => log + exponent * Math.log(outgoing[h][i] / incoming[h][i]))
    : layer));
}

/** One scale for each hidden layer, so that all layer totals become their geometric mean. */
export function layerCorrected(C, logs, p) {
  const sizes = flows(C, logs, p).totals.map(Math.log);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  let shift = 0;
  return logs.map((layer, h) => {
    shift += (mean - sizes[h]) / p;
    return layer.map((log) => log + shift);
  });
}

const odd = (h) => h % 2 === 0; // hidden layers are counted from 1 in the text and from 0 here
const even = (h) => h % 2 === 1;

const SWEEPS = {
  paper: (C, logs, p) => stepped(C, logs, p, 1 / (4 * p), () => true),
  alternating: (C, logs, p) => stepped(C, stepped(C, logs, p, 1 / (2 * p), odd), p, 1 / (2 * p), even),
  "two-level": (C, logs, p) => [odd, even].reduce(
    (now, half) => layerCorrected(C, stepped(C, now, p, 1 / (2 * p), half), p), logs,
  ),
};

/** The gauge after one sweep of `method`. */
export const swept = (method, C, logs, p) => SWEEPS[method](C, logs, p);

/** A run of one method from a = 1, computed as far as it is asked for: the states after 0, 1, ..., `sweeps` sweeps. */
export function run(method, C, p) {
  const states = [state(C, C.slice(0, -1).map((rows) => rows.map(() => 0)), p)];
  return (sweeps) => {
    while (states.length <= sweeps && !ended(states)) states.push(state(C, swept(method, C, states.at(-1).logs, p), p));
    return states.slice(0, sweeps + 1);
  };
}

/** Has the run ended with its last state? */
export const ended = (states) => states.at(-1).gamma < BALANCED || states.length > MOST_SWEEPS;

/** By how much one sweep multiplies gamma in the long run, for L weight layers; unknown for the two-level solver. */
export const predictedRate = (method, depth) => ({
  paper: (1 + Math.cos(Math.PI / depth)) / 2, // cos^2(pi / 2L)
  alternating: (1 + Math.cos((2 * Math.PI) / depth)) / 2, // cos^2(pi / L)
}[method] ?? NaN);

/** The mean factor of gamma over the last (at most four) sweeps. */
export function measuredRate(gammas) {
  const span = Math.min(4, gammas.length - 1);
  return span > 0 ? (gammas.at(-1) / gammas.at(-1 - span)) ** (1 / span) : NaN;
}

/** The shape of the slowest mode: sin(pi h / L) on hidden layers h = 1, ..., L - 1. */
export const slowMode = (depth) => Array.from({ length: depth - 1 }, (_, h) => Math.sin((Math.PI * (h + 1)) / depth));
