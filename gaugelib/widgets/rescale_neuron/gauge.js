// The norms of RescaleNeuron's network { w, b, v, c } (shared/one_layer.js). Pure functions: no argument is changed.
// `p` is the exponent of the norm. Norms count weights, never biases.

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
