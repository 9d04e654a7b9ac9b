// A network with one input, one hidden layer and one output, and its gauge transformations. Pure functions: no argument is changed.
//
// A network is { w, b, v, c }: hidden unit i computes act(w[i] x + b[i]), the output is the sum of
// v[i] times it, plus c.

import { drawUniform } from "./numbers.js";

export const STEP = 0.25; // of the sliders over log2 a

export const relu = (z) => (z > 0 ? z : 0);

/** f(x) of the network. */
export function output(net, x, act = relu) {
  let sum = net.c;
  for (let i = 0; i < net.w.length; i += 1) sum += net.v[i] * act(net.w[i] * x + net.b[i]);
  return sum;
}

/** f on every point of a grid. */
export const outputs = (net, xs, act = relu) => xs.map((x) => output(net, x, act));

/** The gauge action: (w, b, v) becomes (a w, a b, v / a). `forget` leaves v behind, `forgetBias` b: no symmetry. */
export function rescaled(net, scales, { forget = false, forgetBias = false } = {}) {
  return {
    w: net.w.map((w, i) => w * scales[i]),
    b: forgetBias ? [...net.b] : net.b.map((b, i) => b * scales[i]),
    v: forget ? [...net.v] : net.v.map((v, i) => v / scales[i]),
    c: net.c,
  };
}

/** A random gauge on the sliders' steps, and the generator's next state. */
export function randomGauge(units, state, reach = 3) {
  const log2Scales = [];
  for (let i = 0; i < units; i += 1) {
    const [u, next] = drawUniform(state);
    state = next;
    log2Scales.push(STEP * Math.floor(u * (2 * reach / STEP + 1)) - reach);
  }
  return { log2Scales, state };
}

/** The largest |f - g| over two lists, and its size relative to the largest |g|. */
export function difference(f, g) {
  let absolute = 0;
  let size = 0;
  for (let i = 0; i < f.length; i += 1) {
    absolute = Math.max(absolute, Math.abs(f[i] - g[i]));
    size = Math.max(size, Math.abs(g[i]));
  }
  return { absolute, relative: size > 0 ? absolute / size : NaN };
}
