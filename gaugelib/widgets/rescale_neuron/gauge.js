// The mathematics of RescaleNeuron: a network with one input, one hidden layer and one output,
// its gauge transformations and its norms. Pure functions: no argument is changed.
//
// A network is { w, b, v, c }: hidden unit i computes act(w[i] x + b[i]), the output is the sum of
// v[i] times it, plus c. `p` is the exponent of the norm. Norms count weights, never biases.

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

export const incomingNorm = (net) => net.w.map(Math.abs);
export const outgoingNorm = (net) => net.v.map(Math.abs);

/** The p-th power of the norm: the sum of |weight|^p over all weights. */
export function normPower(net, p) {
  return [...net.w, ...net.v].reduce((sum, weight) => sum + Math.abs(weight) ** p, 0);
}

/** in^p - out^p of each hidden unit: the charge that gradient flow conserves for p = 2. */
export const imbalance = (net, p) =>
  net.w.map((w, i) => Math.abs(w) ** p - Math.abs(net.v[i]) ** p);

/** (in^p - out^p) / (in^p + out^p), between -1 and 1; 0 for a unit without any weight. */
export function relativeImbalance(net, p) {
  const charge = imbalance(net, p);
  return charge.map((difference, i) => {
    const total = Math.abs(net.w[i]) ** p + Math.abs(net.v[i]) ** p;
    return total > 0 ? difference / total : 0;
  });
}

/**
 * The scales that carry the network to the least norm on its orbit: a = (out / in)^(1 / 2p) of the
 * sums of p-th powers, which for one input and one output is sqrt(|v| / |w|) for every p.
 * A dead unit (a weight on one side only, or none) has no minimum and keeps its scale.
 */
export const minimumNormScales = (net) =>
  net.w.map((w, i) => (w !== 0 && net.v[i] !== 0 ? Math.sqrt(Math.abs(net.v[i] / w)) : 1));

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
