// The loss of a network { w, b, v, c } (shared/one_layer.js), its exact derivatives, and what they say along the orbit. Pure functions.
//
// theta is w, b, v, c in this order. L = 1/(2n) sum (f(x) - y)^2 over the data { x, y }; L_lambda = L + lambda R_2 with
// R_2 = |theta|^2 / 2, biases counted. No datum lies on a kink: there f is twice differentiable in theta.

import { symmetricEigen } from "../shared/eigen.js";
import { outputs, rescaled } from "../shared/one_layer.js";

const SAME = 1e-9; // a difference below this part of the largest eigenvalue is rounding

export const flat = ({ w, b, v, c }) => [...w, ...b, ...v, c];
export const dot = (x, y) => x.reduce((sum, value, k) => sum + value * y[k], 0);
const squared = (x) => dot(x, x);

export const loss = (net, { x, y }) => outputs(net, x).reduce((sum, f, n) => sum + (f - y[n]) ** 2, 0) / (2 * x.length);
export const penalised = (net, data, decay) => loss(net, data) + (decay * squared(flat(net))) / 2;

/** Gradient and Hessian of L (without the penalty): a list, and a list of rows. */
export function derivatives(net, { x, y }) {
  const { w, b, v, c } = net;
  const units = w.length;
  const size = 3 * units + 1;
  const gradient = Array(size).fill(0);
  const hessian = Array.from({ length: size }, () => new Float64Array(size));
  for (let n = 0; n < x.length; n += 1) {
    const slope = Array(size).fill(0); // of f
    slope[size - 1] = 1;
    let miss = c - y[n];
    const on = [];
    for (let h = 0; h < units; h += 1) {
      const z = w[h] * x[n] + b[h];
      if (!(z > 0)) continue;
      on.push(h);
      miss += v[h] * z;
      [slope[h], slope[units + h], slope[2 * units + h]] = [v[h] * x[n], v[h], z];
    }
    const share = miss / x.length;
    for (let i = 0; i < size; i += 1) {
      gradient[i] += share * slope[i];
      if (slope[i] !== 0) for (let j = 0; j < size; j += 1) hessian[i][j] += (slope[i] * slope[j]) / x.length;
    }
    for (const h of on) { // f is bilinear in (w, b) and v
      for (const [k, between] of [[h, x[n]], [units + h, 1]]) {
        hessian[k][2 * units + h] += share * between;
        hessian[2 * units + h][k] += share * between;
      }
    }
  }
  return { gradient, hessian };
}

/** v_h = A_h theta of unit h, as a list: what enters the unit as it is, what leaves it with a minus. */
export function generator(net, h) {
  const units = net.w.length;
  const found = Array(3 * units + 1).fill(0);
  [found[h], found[units + h], found[2 * units + h]] = [net.w[h], net.b[h], -net.v[h]];
  return found;
}

const times = (matrix, vector) => matrix.map((row) => dot(row, vector));

/**
 * What a point has. `values`, `trace`, `top` and `modes` are of the Hessian of L_lambda; `curvature` (v_h^T H v_h) and `formula`
 * (-2 <g_in, w_in>) of L, for each unit. `modes` are the places in `values` (largest first) of those eigenvalues that the symmetry
 * sets to 2 lambda: of `held`, the units whose generator is an eigenvector; at a minimum these are all of them.
 */
export function spectrum(net, data, decay) {
  const { gradient, hessian } = derivatives(net, data);
  const units = net.w.map((_, h) => h);
  const generators = units.map((h) => generator(net, h));
  const curvature = generators.map((v) => dot(v, times(hessian, v)));
  const formula = units.map((h) => -2 * (gradient[h] * net.w[h] + gradient[units.length + h] * net.b[h]));
  const whole = hessian.map((row, i) => row.map((value, j) => value + (i === j ? decay : 0)));
  const values = symmetricEigen(whole).values.reverse();
  const top = values[0];
  const near = SAME * Math.max(...values.map(Math.abs));
  const held = units.filter((h) => {
    const v = generators[h];
    const left = times(whole, v).map((value, k) => value - 2 * decay * v[k]);
    return squared(v) > 0 && Math.sqrt(squared(left) / squared(v)) <= near;
  });
  const modes = values.map((_, k) => k).filter((k) => held.length > 0 && Math.abs(values[k] - 2 * decay) <= near);
  const theta = flat(net);
  const whither = gradient.map((g, k) => g + decay * theta[k]);
  return {
    values, top, modes, held, curvature, formula,
    trace: whole.reduce((sum, row, k) => sum + row[k], 0), slope: Math.sqrt(squared(whither)),
    loss: loss(net, data), penalised: penalised(net, data, decay),
  };
}

/** log2 of the scales at which the norm is smallest, biases counted: one for each unit, all of which are connected. */
export const balancing = ({ w, b, v }) => w.map((each, h) => Math.log2(Math.abs(v[h]) / Math.hypot(each, b[h])) / 2);

/** L and L_lambda on the orbit of unit h, at scales 2 ** s times those of `net` for each s of `steps`. */
export function alongOrbit(net, data, decay, h, steps) {
  const points = steps.map((s) => rescaled(net, net.w.map((_, k) => (k === h ? 2 ** s : 1))));
  return { loss: points.map((each) => loss(each, data)), penalised: points.map((each) => penalised(each, data, decay)) };
}

/** L on the straight line theta + t v_h that touches the orbit of unit h, for each t of `steps`. */
export const alongTangent = (net, data, h, steps) => steps.map((t) => {
  const at = (list, factor) => list.map((value, k) => (k === h ? factor * value : value));
  return loss({ w: at(net.w, 1 + t), b: at(net.b, 1 + t), v: at(net.v, 1 - t), c: net.c }, data);
});
