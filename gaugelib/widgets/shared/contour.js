// Level lines of a function on a grid: marching squares.

/** Values of `f(x, y)` at the nodes of a grid: values[j][i] at (xs[i], ys[j]). */
export const sampled = (f, xs, ys) => ys.map((y) => xs.map((x) => f(x, y)));

/** Where the level is crossed between two nodes, as a share of the way from the first to the second. */
const crossing = (from, to, level) => (level - from) / (to - from);

/** The level line as segments [[x, y], [x, y]]; a saddle cell is cut by the mean of its corners. */
export function levelSegments(values, xs, ys, level) {
  const segments = [];
  for (let j = 0; j + 1 < ys.length; j += 1) {
    for (let i = 0; i + 1 < xs.length; i += 1) {
      const [a, b, c, d] = [values[j][i], values[j][i + 1], values[j + 1][i + 1], values[j + 1][i]];
      const kind = (a > level) + 2 * (b > level) + 4 * (c > level) + 8 * (d > level);
      if (kind === 0 || kind === 15) continue;
      const [x0, x1, y0, y1] = [xs[i], xs[i + 1], ys[j], ys[j + 1]];
      const ends = [
        (a > level) !== (b > level) ? [x0 + (x1 - x0) * crossing(a, b, level), y0] : null,
        (b > level) !== (c > level) ? [x1, y0 + (y1 - y0) * crossing(b, c, level)] : null,
        (d > level) !== (c > level) ? [x0 + (x1 - x0) * crossing(d, c, level), y1] : null,
        (a > level) !== (d > level) ? [x0, y0 + (y1 - y0) * crossing(a, d, level)] : null,
      ];
      const [bottom, right, top, left] = ends;
      if (kind === 5 || kind === 10) {
        const turned = ((a + b + c + d) / 4 > level) === (kind === 5);
        segments.push(...(turned ? [[left, top], [bottom, right]] : [[left, bottom], [top, right]]));
      } else {
        segments.push(ends.filter((end) => end !== null));
      }
    }
  }
  return segments;
}

/** The segments as the data of an SVG path. */
export const segmentsPath = (segments, toX, toY) => segments
  .map((ends) => ends.map(([x, y], k) => `${k ? "L" : "M"}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join("")).join("");
