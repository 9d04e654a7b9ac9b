// What PhasePlane draws at its point: the orbit, the curves of equal norm, the smallest norm, the gradient.

import { adjust, svg } from "../shared/dom.js";
import { ballPath, orbitPath } from "./stage.js";
import { gradient, length, product, size, smallest } from "./two_weights.js";

const ARROW = 0.4; // units of the plane for each unit of the gradient ...
const LONGEST = 2; // ... up to this length, where the arrow is cut

/** Marks in the layers of a stage; `set(point, p)` moves them and says whether the arrow had to be cut. */
export function marks(view, { start, square, target }) {
  const { toX, toY } = view;
  const at = ({ w, v }) => `translate(${toX(w).toFixed(2)} ${toY(v).toFixed(2)})`;
  const orbit = svg("path", { class: "gl-orbit" });
  const ball = svg("path", { class: "gl-ball" });
  const touching = svg("path", { class: "gl-touching" });
  const least = svg("path", { class: "gl-least", d: "M0-8 8 0 0 8-8 0Z" });
  const leastName = svg("text", { class: "gl-least-name" }, "smallest");
  const begun = svg("circle", { class: "gl-start", r: 5, transform: at(start) });
  const corner = svg("path", { class: "gl-corner" });
  const shaft = svg("path", { class: "gl-arrow" });
  const head = svg("path", { class: "gl-head" });
  view.below.append(touching, ball, orbit, least, leastName, begun);
  view.above.append(corner, shaft, head);

  function set(point, p) {
    const best = smallest(point);
    adjust(orbit, { d: orbitPath(product(point), Math.sign(point.w), square, toX, toY) });
    adjust(ball, { d: ballPath(size(point, p), p, toX, toY) });
    adjust(touching, { d: ballPath(size(best, p), p, toX, toY) });
    adjust(least, { transform: at(best) });
    const slope = gradient(point, target);
    const side = slope.w > 0 || slope.v > 0 ? 1 : -1; // the name keeps out of the arrow's way
    adjust(leastName, {
      x: toX(best.w) + 12 * side, y: toY(best.v) + 4 - 14 * side, "text-anchor": side < 0 ? "end" : "start",
    });
    return arrow(point, slope);
  }

  /** Downhill, with the right angle that it makes with the orbit. */
  function arrow(point, slope) {
    const steepness = length(slope);
    const cut = ARROW * steepness > LONGEST;
    adjust(shaft, { class: cut ? "gl-arrow gl-cut" : "gl-arrow" });
    if (steepness === 0) {
      for (const mark of [shaft, head, corner]) adjust(mark, { d: "" });
      return cut;
    }
    const reach = Math.min(ARROW * steepness, LONGEST) * (toX(1) - toX(0));
    const [ux, uy] = [-slope.w / steepness, slope.v / steepness]; // in pixels, where y points down
    const [x, y] = [toX(point.w), toY(point.v)];
    const to = (forward, aside) =>
      `${(x + ux * forward - uy * aside).toFixed(2)} ${(y + uy * forward + ux * aside).toFixed(2)}`;
    adjust(shaft, { d: `M${to(0, 0)}L${to(reach, 0)}` });
    adjust(head, { d: `M${to(reach + 8, 0)}L${to(reach - 2, 5)}L${to(reach - 2, -5)}Z` });
    adjust(corner, { d: `M${to(14, 0)}L${to(14, 14)}L${to(0, 14)}` });
    return cut;
  }
  return { set };
}
