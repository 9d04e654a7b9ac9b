// A symmetric uniform quantiser of the weights, one step for each layer, and what it makes of the function. Biases stay as they are.

import { outputs } from "./orbit.js";

/** To the nearest whole number, from halfway to the even one, as torch does. */
export function rounded(x) {
  const near = Math.round(x);
  return Math.abs(x % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** Each weight at the number of a grid nearest to it, whose last one is the largest weight; the step, and the share of weights that become 0. */
export function quantised(rows, bits) {
  const last = 2 ** (bits - 1) - 1;
  const most = rows.reduce((top, row) => row.reduce((x, w) => Math.max(x, Math.abs(w)), top), 0);
  const whole = rows.map((row) => row.map((w) => rounded((w / most) * last)));
  const all = whole.flat();
  return { rows: whole.map((row) => row.map((k) => (k / last) * most)), step: most / last, nothing: all.filter((k) => k === 0).length / all.length };
}

/** The network with both layers quantised, each layer’s grid, and f of the data. */
export function quantisedNetwork(net, bits, X) {
  const layers = [net.W, net.V].map((rows) => quantised(rows, bits));
  const coarse = { ...net, W: layers[0].rows, V: layers[1].rows };
  return { net: coarse, layers, f: outputs(coarse, X) };
}

/** The size of g - f relative to that of f, both over all examples. */
export function relativeError(g, f) {
  let [off, size] = [0, 0];
  f.forEach((row, n) => row.forEach((value, k) => {
    off += (g[n][k] - value) ** 2;
    size += value ** 2;
  }));
  return Math.sqrt(off / size);
}

/** Which output is largest. */
export const answer = (row) => row.reduce((best, value, k) => (value > row[best] ? k : best), 0);

/** In how many examples the largest output is the largest of the target. */
export const right = (f, Y) => f.filter((row, n) => answer(row) === answer(Y[n])).length;
