// The balance beam of one hidden unit: its incoming norm on the left arm, its outgoing norm on the right.

import { adjust, svg } from "../shared/dom.js";

const ARM = 58;
const TILT = 17; // degrees at full imbalance

/** Radius of a weight on the beam: its area shows the norm, within what fits. */
export const load = (norm, reference) =>
  reference > 0 ? Math.min(17, Math.max(2.5, 7 * Math.sqrt(norm / reference))) : 2.5;

/** A beam as an SVG picture; `set({ incoming, outgoing, tilt, reference })`, tilt from -1 to 1. */
export function beam() {
  const left = svg("circle", { cx: -ARM, class: "gl-load" });
  const right = svg("circle", { cx: ARM, class: "gl-load" });
  const lever = svg("g", { class: "gl-lever" }, svg("line", { x1: -ARM - 10, x2: ARM + 10, y1: 0, y2: 0 }), left, right);
  const stand = svg("path", { d: "M0 1L-10 24H10Z", class: "gl-stand" });
  const level = svg("line", { x1: -ARM - 14, x2: ARM + 14, y1: 0, y2: 0, class: "gl-level" });
  const root = svg(
    "svg", { viewBox: "-85 -38 170 64", class: "gl-beam", "aria-hidden": "true", focusable: "false" },
    level, stand, lever,
  );
  const set = ({ incoming, outgoing, tilt, reference }) => {
    const [a, b] = [load(incoming, reference), load(outgoing, reference)];
    adjust(left, { r: a.toFixed(2), cy: (-a - 1.5).toFixed(2) });
    adjust(right, { r: b.toFixed(2), cy: (-b - 1.5).toFixed(2) });
    adjust(lever, { transform: `rotate(${(-TILT * tilt).toFixed(3)})` });
    root.classList.toggle("gl-level-now", Math.abs(tilt) < 1e-9);
  };
  return { root, set };
}
