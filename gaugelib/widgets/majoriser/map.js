// The map of Majoriser: F over the two log-scales, its level lines, the auxiliary function's, and the way down.

import { svg } from "../shared/dom.js";
import { grid } from "../shared/numbers.js";
import { axes, linear } from "../shared/plane.js";
import { add, balanced, majoriser, normPower } from "./chain.js";
import { levelSegments, sampled, segmentsPath } from "../shared/contour.js";

const NODES = 72;
const FAMILY = [1.02, 1.1, 1.3, 1.7, 2.5, 4, 7, 13, 25, 50, 100, 200]; // levels, in units of the least value

/** The window: it holds the balanced point and the point where the reader began, with room around them. */
export function windowOf({ weights, p, start }) {
  const best = balanced(weights, p).logs;
  const half = 0.62 * Math.max(...best.map((log, h) => Math.abs(log - start[h]))) + 0.6;
  return best.map((log, h) => [(log + start[h]) / 2 - half, (log + start[h]) / 2 + half]);
}

/** The part of the segment from `from` to `to` that lies in the window, or null (Liang and Barsky). */
export function clipped(from, to, ends) {
  let [enter, leave] = [0, 1];
  for (const h of [0, 1]) {
    const way = to[h] - from[h];
    for (const [bound, side] of [[ends[h][0], -1], [ends[h][1], 1]]) {
      const room = side * (bound - from[h]);
      if (way * side === 0) {
        if (room < 0) return null;
      } else if (way * side > 0) leave = Math.min(leave, room / (way * side));
      else enter = Math.max(enter, room / (way * side));
    }
  }
  if (enter > leave) return null;
  return [enter, leave].map((t) => from.map((x, h) => x + t * (to[h] - x)));
}

const inside = (logs, ends) => logs.every((log, h) => log >= ends[h][0] && log <= ends[h][1]);
const fixed = (value) => value.toFixed(2);

/** The map, `width` pixels wide and as high if no height is given, of the point `logs`, the points before it and the next one. */
export function majoriserMap({ weights, p, logs, path, start }, step, line, width, height) {
  const ends = windowOf({ weights, p, start });
  const box = { left: 44, right: width - 8, top: 26, bottom: height ? height - 36 : 26 + Math.min(width - 52, 330) };
  const toX = linear(...ends[0], box.left, box.right);
  const toY = linear(...ends[1], box.bottom, box.top);
  const [xs, ys] = ends.map(([low, high]) => grid(low, high, NODES));
  const values = sampled((x, y) => normPower(weights, [x, y], p), xs, ys);
  const above = sampled((x, y) => majoriser(weights, logs, p, [x - logs[0], y - logs[1]]), xs, ys);
  const level = (numbers, value) => segmentsPath(levelSegments(numbers, xs, ys, value), toX, toY);
  const at = (point) => ({ cx: fixed(toX(point[0])), cy: fixed(toY(point[1])) });
  const stretch = (from, to, kind) => {
    const seen = clipped(from, to, ends);
    return seen && svg("line", {
      class: kind, x1: fixed(toX(seen[0][0])), y1: fixed(toY(seen[0][1])), x2: fixed(toX(seen[1][0])), y2: fixed(toY(seen[1][1])),
    });
  };
  const dot = (point, kind, r) => (inside(point, ends) ? svg("circle", { class: kind, r, ...at(point) }) : null);
  const best = balanced(weights, p);
  const points = [...path, logs];
  const [one, other] = [-line.reach, line.reach].map((t) => add(logs, line.along(t)));
  return {
    height: box.bottom + 36,
    parts: [
      svg("path", { class: "gl-family", d: FAMILY.map((times) => level(values, times * best.norm)).join("") }),
      axes({ toX, toY, x: ends[0], y: ends[1], box, xLabel: "log a₁", yLabel: "log a₂" }),
      stretch(one, other, "gl-cut"),
      svg("path", { class: "gl-f", d: level(values, step.here) }),
      svg("path", { class: "gl-g", d: level(above, step.here) }),
      inside(best.logs, ends) ? svg("path", { class: "gl-least", d: "M0-8 8 0 0 8-8 0Z", transform: `translate(${fixed(toX(best.logs[0]))} ${fixed(toY(best.logs[1]))})` }) : null,
      ...points.slice(1).map((point, k) => stretch(points[k], point, "gl-way")),
      ...path.map((point) => dot(point, "gl-before", 3.5)),
      stretch(logs, step.next, "gl-coming"),
      dot(step.next, "gl-next", 5.5),
      dot(logs, "gl-here", 6.5),
    ].filter((part) => part !== null),
  };
}
