// Ordinary differential equations for two numbers: the pair of Dormand and Prince, orders 5 and 4, whose step adapts.

const STAGES = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84], // the result, of order 5
];
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];
const SHORTEST = 1e-13; // of a step, compared with the whole time: there the edge of `inside` has been found

/**
 * Follows (w, v)' = field(w, v) from `start` = { w, v } for the time `until`, or as long as `inside(w, v)` holds.
 * Each step's error is estimated to be at most `tolerance`, absolute below 1 and relative above.
 * Returns { times, w, v, arrived }: the states after every step; `arrived` says whether the time was reached.
 */
export function integrate(field, start, { until, tolerance = 1e-11, inside = () => true, most = 20_000 }) {
  const path = { times: [0], w: [start.w], v: [start.v], arrived: false };
  let [time, w, v] = [0, start.w, start.v];
  let slope = field(w, v);
  let step = until / 100;
  for (let tries = 0; tries < most; tries += 1) {
    const last = time + step >= until;
    if (last) step = until - time;
    const slopes = [slope];
    let [nextW, nextV] = [w, v];
    for (const weights of STAGES) {
      let [sumW, sumV] = [0, 0];
      for (let j = 0; j < weights.length; j += 1) {
        sumW += weights[j] * slopes[j][0];
        sumV += weights[j] * slopes[j][1];
      }
      [nextW, nextV] = [w + step * sumW, v + step * sumV];
      slopes.push(field(nextW, nextV));
    }
    const error = step * Math.max(
      Math.abs(weighted(slopes, 0)) / Math.max(1, Math.abs(w)), Math.abs(weighted(slopes, 1)) / Math.max(1, Math.abs(v)),
    ) / tolerance;
    if (error <= 1 && inside(nextW, nextV)) {
      time = last ? until : time + step;
      [w, v, slope] = [nextW, nextV, slopes[6]];
      path.times.push(time);
      path.w.push(w);
      path.v.push(v);
      if (last) return { ...path, arrived: true };
      step *= Math.min(5, 0.9 * error ** -0.2);
    } else {
      // Written so that an error that is not a number shortens the step too.
      step *= error > 1 ? Math.max(0.2, 0.9 * error ** -0.2) : 0.5;
      if (!(step > SHORTEST * until)) return path;
    }
  }
  return path;
}

function weighted(slopes, part) {
  let sum = 0;
  for (let j = 0; j < 7; j += 1) sum += ERROR[j] * slopes[j][part];
  return sum;
}
