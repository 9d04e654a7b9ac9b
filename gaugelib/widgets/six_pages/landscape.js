// The loss over a page as filled bands and lines, drawn once for each teacher and used by every picture of a page.
//
// Coordinates are lengths in the space of matrices: r = sqrt(n - 1) |delta| away from the spine, s = n * mean along it. A half page is
// drawn in units of 1/GRAIN of its width, so that short integers are enough.

import { levelSegments, sampled } from "../shared/contour.js";
import { grid } from "../shared/numbers.js";
import { leastOn } from "./book.js";
import { against, length, pageMatrix } from "./descent.js";

export const SHARES = [1 / 300, 1 / 100, 1 / 30, 1 / 10, 1 / 3, 1]; // levels of the loss, in units of that of the network 0
const ROOM = 1.25; // half the width of a page, in units of the teacher's length: all minima lie within 1
const SHORT = 0.5; // how far a page reaches to the side of the spine on which the teacher does not lie
const NODES = [21, 31]; // of a half page
export const GRAIN = 1000;

/** What there is to draw and to know of one teacher. */
export function landscapeOf(n, [a, b]) {
  const [delta, mean] = [a - b, (a + (n - 1) * b) / n];
  const teacher = pageMatrix(n, delta, mean);
  const loss = against(n, teacher);
  const far = ROOM * length(teacher);
  const [p, q] = [Math.sqrt(n - 1), n];
  const ends = mean >= 0 ? [-SHORT * far, far] : [-far, SHORT * far];
  const size = { far, low: ends[0], high: ends[1], p, q, delta: far / p, mean: ends.map((s) => s / q) };
  const levels = SHARES.map((share) => share * loss.zero);
  const [rs, ss] = [grid(0, far, NODES[0]), grid(...ends, NODES[1])];
  const halves = [1, -1].map((side) => {
    const values = sampled((r, s) => loss.on((side * r) / p, s / q).loss, rs, ss);
    return { side, ...drawn(values, rs, ss, levels, GRAIN / far), least: leastOn(loss, side) };
  });
  return { n, teacher, delta, mean, loss, size, levels, halves };
}

/** Bands { loss < level } from the highest level down, and all level lines, as the data of paths. */
function drawn(values, rs, ss, levels, scale) {
  const px = (x) => Math.round(x * scale);
  const lines = levels.map((level) => levelSegments(values, rs, ss, level)
    .map(([from, to]) => `M${px(from[0])} ${px(from[1])}L${px(to[0])} ${px(to[1])}`).join("")).join("");
  return { bands: levels.map((level) => band(values, rs, ss, level, px)), lines };
}

/** The part of the grid where the values lie below a level: whole cells of a row in one piece, the others cut. */
export function band(values, rs, ss, level, px) {
  let text = "";
  for (let j = 0; j + 1 < ss.length; j += 1) {
    const [row, next] = [values[j], values[j + 1]];
    let from = null;
    for (let i = 0; i + 1 <= rs.length; i += 1) {
      const below = i + 1 === rs.length ? 0 : (row[i] < level) + (row[i + 1] < level) + (next[i] < level) + (next[i + 1] < level);
      if (below === 4 && from === null) from = i;
      if (below < 4 && from !== null) {
        text += `M${px(rs[from])} ${px(ss[j])}H${px(rs[i])}V${px(ss[j + 1])}H${px(rs[from])}Z`;
        from = null;
      }
      if (below > 0 && below < 4) text += cut([[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], values, rs, ss, level, px);
    }
  }
  return text;
}

/** The part of one cell that lies below the level. */
function cut(corners, values, rs, ss, level, px) {
  const points = [];
  corners.forEach(([i, j], k) => {
    const [v, w] = [values[j][i], corners[(k + 1) % 4]];
    const next = values[w[1]][w[0]];
    if (v < level) points.push([rs[i], ss[j]]);
    if (v < level !== next < level) {
      const t = (level - v) / (next - v);
      points.push([rs[i] + t * (rs[w[0]] - rs[i]), ss[j] + t * (ss[w[1]] - ss[j])]);
    }
  });
  const places = points.map(([x, y]) => `${px(x)} ${px(y)}`);
  return `M${places.join("L")}Z`;
}
