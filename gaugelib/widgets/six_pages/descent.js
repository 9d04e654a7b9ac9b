// SixPages' networks f(x) = sum_i relu(<w_i, x>) against a teacher of the same form, the inputs standard normal: the loss and its
// gradient exactly, by the arc-cosine kernel, and descent on a page or without any constraint.
//
// A matrix W is a flat list of n * n numbers, row by row; E[relu(<w, x>) relu(<u, x>)] = |w||u| (sin t + (pi - t) cos t) / (2 pi),
// t the angle between w and u (Cho and Saul 2009).

import { drawUniform } from "../shared/numbers.js";

export const NOISE = 0.01; // standard deviation of what is added to each weight when the constraint is dropped
export const STOP = 1e-6; // descent ends where the gradient is no longer
export const MOST = 12000; // and at the latest after so many steps
export const FRAMES = [24, 48]; // of the two halves of the path: on the page, and without the constraint

/** W = (a - b) I + b J of the given delta = a - b and mean entry. */
export function pageMatrix(n, delta, mean) {
  const rest = mean - delta / n;
  return Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? delta + rest : rest));
}

/** delta and mean of the point of the page nearest to W: means over the diagonal and over all other entries. */
export function onPage(n, W) {
  let [diagonal, all] = [0, 0];
  for (let k = 0; k < n * n; k += 1) {
    all += W[k];
    if (k % (n + 1) === 0) diagonal += W[k];
  }
  return { delta: diagonal / n - (all - diagonal) / (n * (n - 1)), mean: all / (n * n) };
}

export function length(W) {
  let sum = 0;
  for (let k = 0; k < W.length; k += 1) sum += W[k] * W[k];
  return Math.sqrt(sum);
}

/** Lengths of the rows, and the rows divided by them (a row of zeros stays). */
function rows(n, W) {
  const lengths = new Float64Array(n);
  const units = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    let sum = 0;
    for (let k = 0; k < n; k += 1) sum += W[i * n + k] ** 2;
    lengths[i] = Math.sqrt(sum);
    if (sum > 0) for (let k = 0; k < n; k += 1) units[i * n + k] = W[i * n + k] / lengths[i];
  }
  return { lengths, units };
}

/** The sum of the kernel over the pairs of a row of `count` with every row; its gradient in the first is added to `gradient`, times `sign`. */
function pairs(n, first, second, gradient, sign, count = n) {
  let total = 0;
  for (let i = 0; i < count; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let apart = 0;
      let along = 0;
      for (let k = 0; k < n; k += 1) {
        const p = first.units[i * n + k];
        const q = second.units[j * n + k];
        apart += (p - q) * (p - q);
        along += (p + q) * (p + q);
      }
      const angle = 2 * Math.atan2(Math.sqrt(apart), Math.sqrt(along)); // exact to rounding near 0 and near pi too
      const sine = Math.sin(angle);
      const rest = Math.PI - angle;
      const size = second.lengths[j];
      total += (first.lengths[i] * size * (sine + rest * Math.cos(angle))) / (2 * Math.PI);
      if (!gradient) continue;
      const scale = (sign * size) / (2 * Math.PI);
      for (let k = 0; k < n; k += 1) gradient[i * n + k] += scale * (sine * first.units[i * n + k] + rest * second.units[j * n + k]);
    }
  }
  return total;
}

/**
 * The loss against one teacher: `at(W)` is { loss, gradient } of any W, `on(delta, mean)` { loss, slope, A, B, C } of a point of the page.
 * There every row is as good as the first: `slope` is the gradient projected on the page, and L is A/2 r^2 - B r + C on the ray
 * r (delta, mean), r > 0. On the spine all entries of the gradient are equal: rounding shall not take the path away from it.
 */
export function against(n, teacher) {
  const theirs = rows(n, teacher);
  const C = pairs(n, theirs, theirs) / 2;
  function at(W) {
    const mine = rows(n, W);
    const gradient = new Float64Array(n * n);
    const A = pairs(n, mine, mine, gradient, 1);
    const B = pairs(n, mine, theirs, gradient, -1);
    return { loss: Math.max(A / 2 - B + C, 0), gradient };
  }
  function on(delta, mean) {
    const mine = rows(n, pageMatrix(n, delta, mean));
    const row = new Float64Array(n);
    const A = n * pairs(n, mine, mine, row, 1, 1);
    const B = n * pairs(n, mine, theirs, row, -1, 1);
    const rest = row.reduce((sum, x) => sum + x, 0) - row[0];
    return { loss: Math.max(A / 2 - B + C, 0), slope: { delta: delta === 0 ? 0 : row[0] - rest / (n - 1), mean: (row[0] + rest) / n }, A, B, C };
  }
  return { n, at, on, size: length(teacher), zero: C };
}

/** A part 1/(2n) of the step below which the barrier is proved to hold, 2r / (n (r + r*)); r is the root mean square length of the rows. */
export const stepSize = (n, W, size) => length(W) / (n * n * (length(W) + size));

/** Descent with steps of that size from W, or from (delta, mean) on the page: every point and its loss. */
function descent({ n, size }, start, look, matrix) {
  const points = [];
  const losses = [];
  for (let here = start; ; ) {
    const { loss, slope, steepness } = look(here);
    const W = matrix(here);
    points.push(W);
    losses.push(loss);
    if (steepness <= STOP || points.length > MOST) return { points, losses };
    const eta = stepSize(n, W, size);
    here = here.map((x, k) => x - eta * slope[k]);
  }
}

/** On the page of the identity, in the metric of the unconstrained network. */
export const descendOn = (loss, delta, mean) => descent(loss, [delta, mean], (here) => {
  const { loss: height, slope } = loss.on(...here);
  return { loss: height, slope: [slope.delta, slope.mean], steepness: Math.hypot(Math.sqrt(loss.n - 1) * slope.delta, loss.n * slope.mean) };
}, (here) => pageMatrix(loss.n, ...here));

/** Without any constraint. */
export const descendFree = (loss, W) => descent(loss, W, (here) => {
  const { loss: height, gradient } = loss.at(here);
  return { loss: height, slope: gradient, steepness: length(gradient) };
}, (here) => here);

/** W with noise on every weight: uniform, of mean 0 and standard deviation NOISE. */
export function noisy(W, state) {
  let seed = state;
  return W.map((weight) => {
    const [u, next] = drawUniform(seed);
    seed = next;
    return weight + NOISE * Math.sqrt(12) * (u - 0.5);
  });
}

/** `count` + 1 places on a path, spaced evenly by its length: the indices of points. */
export function spaced(points, count) {
  const far = new Float64Array(points.length);
  for (let k = 1; k < points.length; k += 1) far[k] = far[k - 1] + Math.hypot(...points[k].map((x, i) => x - points[k - 1][i]));
  const places = [];
  for (let f = 0, k = 0; f <= count; f += 1) {
    while (k < points.length - 1 && far[k] < (f / count) * far.at(-1)) k += 1;
    places.push(f === count ? points.length - 1 : k);
  }
  return places;
}
