// The geometry of the book: which page a matrix is nearest to, and where it stands round the spine.
//
// A page is { P_s (delta I + b J) } for a permutation s of the hidden units: row s(i) has the entry that stands out in column i.
// Even permutations are the shifts, their pages lie among the circulant matrices: a plane round the spine, and the spine.

import { onPage, pageMatrix } from "./descent.js";

/** The permutations of n units in the order of their pages, first the shifts: `to[i]` is the image of i, from 0; `name` counts from 1. */
export const PAGES = {
  2: [{ name: "e", to: [0, 1] }],
  3: [
    { name: "e", to: [0, 1, 2] }, { name: "(1 2 3)", to: [1, 2, 0] }, { name: "(1 3 2)", to: [2, 0, 1] },
    { name: "(1 2)", to: [1, 0, 2] }, { name: "(1 3)", to: [2, 1, 0] }, { name: "(2 3)", to: [0, 2, 1] },
  ],
};

/** The rows of W put back, as s^-1 does: W lies on the page of s where this lies on the page of e. */
export const turnedBack = (n, W, { to }) => W.map((_, k) => W[to[Math.floor(k / n)] * n + (k % n)]);

/** For every page the distance of W from it, and delta and mean of the point of the page that is nearest. */
export function distances(n, W) {
  return PAGES[n].map((page) => {
    const back = turnedBack(n, W, page);
    const { delta, mean } = onPage(n, back);
    const foot = pageMatrix(n, delta, mean);
    return { page, delta, mean, distance: Math.hypot(...back.map((weight, k) => weight - foot[k])) };
  });
}

/** The nearest page; of equally near ones the first. */
export const nearest = (n, W) => distances(n, W).reduce((best, each) => (each.distance < best.distance ? each : best));

/**
 * W among the circulant matrices: x and y round the spine, where a page is a straight line and x = delta on that of e; `mean` along
 * the spine; how far W lies `outside` of them. All are lengths if x and y are multiplied by sqrt(n - 1), mean by n.
 */
export function round(n, W) {
  const shares = Array(n).fill(0); // the mean over each broken diagonal: row minus column
  for (let k = 0; k < n * n; k += 1) shares[(Math.floor(k / n) - (k % n) + n) % n] += W[k] / n;
  const mean = shares.reduce((sum, each) => sum + each, 0) / n;
  const [first, second, third = second] = shares;
  let outside = 0;
  for (let k = 0; k < n * n; k += 1) outside += (W[k] - shares[(Math.floor(k / n) - (k % n) + n) % n]) ** 2;
  return { x: first - (second + third) / 2, y: n === 2 ? 0 : (Math.sqrt(3) / 2) * (second - third), mean, outside: Math.sqrt(outside) };
}

/** The angle round the spine in degrees, from the half page of e on which delta > 0; null on the spine. */
export const angleOf = ({ x, y }) => (Math.hypot(x, y) > 1e-9 ? ((Math.atan2(y, x) * 180) / Math.PI + 360) % 360 : null);

/** The half pages round the spine: angle, page and the sign of delta on it; for n = 2 the other half is the swap's. */
export const HALVES = {
  2: [{ angle: 0, name: "e", sign: 1 }, { angle: 180, name: "e", sign: -1 }],
  3: [0, 1, 2].flatMap((k) => [1, -1].map((sign) => ({ angle: (120 * k + (sign > 0 ? 0 : 180)) % 360, name: PAGES[3][k].name, sign }))),
};

/**
 * The least loss on the side of the page where delta has the sign `side`, and where: along each ray the loss is a parabola,
 * so that only the direction is searched, on a grid and then by golden sections.
 */
export function leastOn(loss, side) {
  const { n } = loss;
  const [p, q] = [Math.sqrt(n - 1), n];
  const along = (t) => {
    const at = [(side * Math.cos(t)) / p, Math.sin(t) / q];
    const { A, B, C } = loss.on(...at);
    const far = Math.max(B, 0) / A;
    return { loss: Math.max(C - (far * Math.max(B, 0)) / 2, 0), delta: far * at[0], mean: far * at[1], t };
  };
  const step = Math.PI / 120;
  let best = along(0);
  const better = (tried) => {
    if (tried.loss < best.loss) best = tried;
    return tried;
  };
  for (let k = -60; k <= 60; k += 1) better(along(k * step));
  let [low, high] = [Math.max(best.t - step, -Math.PI / 2), Math.min(best.t + step, Math.PI / 2)];
  const golden = (Math.sqrt(5) - 1) / 2;
  let [one, two] = [along(high - golden * (high - low)), along(low + golden * (high - low))].map(better);
  for (let k = 0; k < 40; k += 1) {
    if (one.loss < two.loss) {
      [high, two] = [two.t, one];
      one = better(along(high - golden * (high - low)));
    } else {
      [low, one] = [one.t, two];
      two = better(along(low + golden * (high - low)));
    }
  }
  return best;
}
