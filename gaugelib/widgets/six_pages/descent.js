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

export const projected = (n, W) => {
  const { delta, mean } = onPage(n, W);
  return pageMatrix(n, delta, mean);
};

export const length = (W) => Math.hypot(...W);

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

/** The sum of the kernel over all pairs of rows; its gradient in the first argument is added to `gradient`, times `sign`. */
function pairs(n, first, second, gradient, sign) {
  let total = 0;
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let [apart, along] = [0, 0];
      for (let k = 0; k < n; k += 1) {
        const [p, q] = [first.units[i * n + k], second.units[j * n + k]];
        apart += (p - q) * (p - q);
        along += (p + q) * (p + q);
      }
      const angle = 2 * Math.atan2(Math.sqrt(apart), Math.sqrt(along)); // exact to rounding near 0 and near pi too
      const [sine, rest, size] = [Math.sin(angle), Math.PI - angle, second.lengths[j]];
      total += (first.lengths[i] * size * (sine + rest * Math.cos(angle))) / (2 * Math.PI);
      if (!gradient) continue;
      const scale = (sign * size) / (2 * Math.PI);
      for (let k = 0; k < n; k += 1) gradient[i * n + k] += scale * (sine * first.units[i * n + k] + rest * second.units[j * n + k]);
    }
  }
  return total;
}

/** The loss against one teacher: `at(W)` is { loss, gradient }, `parts(W)` what the loss is made of: L(rW) = A/2 r^2 - B r + C for r > 0. */
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
  function parts(W) {
    const mine = rows(n, W);
    return { A: pairs(n, mine, mine), B: pairs(n, mine, theirs), C };
  }
  return { n, at, parts, size: length(teacher) };
}

/** Half the step below which the barrier is proved to hold: r / (n^2 (r + r*)), r the root mean square length of the rows. */
export const stepSize = (n, W, size) => length(W) / (n * n * (length(W) + size));

/** Descent from W, every step kept: on the page of the identity, where the gradient is projected, or free. */
export function descend(loss, W, constrained) {
  const { n } = loss;
  const points = [];
  const losses = [];
  for (let here = W; ; ) {
    const { loss: height, gradient } = loss.at(here);
    const slope = constrained ? projected(n, gradient) : gradient;
    points.push(here);
    losses.push(height);
    if (length(slope) <= STOP || points.length > MOST) return { points, losses };
    const eta = stepSize(n, here, loss.size);
    here = here.map((weight, k) => weight - eta * slope[k]);
  }
}

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
