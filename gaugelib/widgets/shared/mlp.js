// A layered ReLU network on a few data: its output, its loss and the gradient by backpropagation, sums over its units.
//
// All parameters are one flat array, theta: for each weight layer the matrix, row by row, then the biases, if there are any.
// `target` and `source` say between which units a parameter lies, as in gaugelib: 0 is the ground (inputs, outputs, the
// constant 1 of the biases), hidden units are counted from 1. L(theta) = 1/(2n) sum |f(x) - y|^2.

/** Where everything lies: `widths` from the inputs to the outputs. */
export function layout(widths, biased) {
  const [target, source, layers] = [[], [], []];
  const depth = widths.length - 1;
  let before = 0; // hidden units of the layers before
  for (let l = 0; l < depth; l += 1) {
    const [fanIn, fanOut] = [widths[l], widths[l + 1]];
    const from = (j) => (l === 0 ? 0 : before - fanIn + 1 + j);
    const to = (i) => (l === depth - 1 ? 0 : before + 1 + i);
    layers.push({ fanIn, fanOut, weight: target.length, bias: biased ? target.length + fanIn * fanOut : -1 });
    for (let i = 0; i < fanOut; i += 1) for (let j = 0; j < fanIn; j += 1) [target[target.length], source[source.length]] = [to(i), from(j)];
    if (biased) for (let i = 0; i < fanOut; i += 1) [target[target.length], source[source.length]] = [to(i), 0];
    if (l < depth - 1) before += fanOut;
  }
  return { widths, biased, layers, units: before, size: target.length, target: Int32Array.from(target), source: Int32Array.from(source) };
}

/** Matrices and lists of biases (an empty list where there are none) as theta. */
export const flattened = (weights, biases) =>
  Float64Array.from(weights.flatMap((rows, l) => [...rows.flat(), ...(biases[l] ?? [])]));

/**
 * What flows into each hidden unit less what flows out of it, of the numbers value(e) that parameters carry: the map B.
 * It is written into `sums`.
 */
export function collect({ units, size, target, source }, value, sums = new Float64Array(units)) {
  sums.fill(0);
  for (let e = 0; e < size; e += 1) {
    const x = value(e);
    if (target[e] > 0) sums[target[e] - 1] += x;
    if (source[e] > 0) sums[source[e] - 1] -= x;
  }
  return sums;
}

/** Delta_h = sum in |theta|^p - sum out |theta|^p, biases among the incoming. */
export const charges = (net, theta, p, sums) =>
  collect(net, p === 2 ? (e) => theta[e] * theta[e] : (e) => Math.abs(theta[e]) ** p, sums);

/**
 * For a network and its data { inputs, targets }, lists of lists: `gradient(theta, rows, slope)` writes the gradient of the
 * loss over the data named in `rows` (all, by default) into `slope` and returns the loss; `outputs(theta)` gives f.
 */
export function teacher(net, { inputs, targets }) {
  const { widths, layers } = net;
  const depth = layers.length;
  const acts = widths.map((width) => new Float64Array(width));
  const errors = widths.map((width) => new Float64Array(width));
  const all = inputs.map((_, n) => n);
  const first = inputs.map((x) => Float64Array.from(x)); // copied much faster than a list

  function forward(theta, n) {
    acts[0].set(first[n]);
    for (let l = 0; l < depth; l += 1) {
      const { fanIn, fanOut, weight, bias } = layers[l];
      for (let i = 0; i < fanOut; i += 1) {
        let sum = bias < 0 ? 0 : theta[bias + i];
        for (let j = 0, e = weight + i * fanIn; j < fanIn; j += 1, e += 1) sum += theta[e] * acts[l][j];
        acts[l + 1][i] = l === depth - 1 || sum > 0 ? sum : 0;
      }
    }
    return acts[depth];
  }

  function backward(theta, slope) {
    for (let l = depth - 1; l >= 0; l -= 1) {
      const { fanIn, fanOut, weight, bias } = layers[l];
      const below = l > 0 ? errors[l].fill(0) : null; // below the inputs nothing is asked for
      for (let i = 0; i < fanOut; i += 1) {
        const error = errors[l + 1][i];
        if (error === 0) continue;
        if (bias >= 0) slope[bias + i] += error;
        for (let j = 0, e = weight + i * fanIn; j < fanIn; j += 1, e += 1) {
          slope[e] += error * acts[l][j];
          if (below) below[j] += error * theta[e];
        }
      }
      if (below) for (let j = 0; j < fanIn; j += 1) if (!(acts[l][j] > 0)) below[j] = 0;
    }
  }

  function gradient(theta, slope, rows = all) {
    slope.fill(0);
    let loss = 0;
    for (const n of rows) {
      const f = forward(theta, n);
      for (let k = 0; k < f.length; k += 1) {
        const miss = f[k] - targets[n][k];
        loss += miss * miss;
        errors[depth][k] = miss / rows.length;
      }
      backward(theta, slope);
    }
    return loss / (2 * rows.length);
  }
  return { gradient, outputs: (theta) => inputs.map((_, n) => [...forward(theta, n)]) };
}
