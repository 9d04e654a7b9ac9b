// The function beside the plane: f now, on top of f at the start, with the one datum (1, target).

import { adjust, svg } from "../shared/dom.js";
import { axes, linear, path } from "../shared/plane.js";
import { output, PROBES } from "./two_weights.js";

const BOX = { left: 30, right: 350, top: 22, bottom: 172 };
const ENDS = [-1, 1.5];

/** A small plot of f; `set(point)` draws the function of another point. */
export function functionPanel({ start, target }) {
  const high = 1.6 * Math.max(Math.abs(output(start, 1)), Math.abs(target), 0.5);
  const low = output(start, 1) < 0 || output(start, -1) < 0 || target < 0 ? -high : -0.2 * high;
  const toX = linear(...ENDS, BOX.left, BOX.right);
  const toY = linear(low, high, BOX.bottom, BOX.top);
  const drawn = (point) => path(PROBES, PROBES.map((x) => output(point, x)), toX, toY);
  const before = svg("path", { class: "gl-original", d: drawn(start) });
  const now = svg("path", { class: "gl-function" });
  const error = svg("line", { class: "gl-error", x1: toX(1), x2: toX(1), y1: toY(target) });
  const datum = svg("path", { class: "gl-datum", d: `M${toX(1) - 5} ${toY(target)}h10M${toX(1)} ${toY(target) - 5}v10` });
  const note = svg("text", { x: toX(1) - 10, y: toY(target) - 6, "text-anchor": "end" }, "the datum");
  const inside = svg(
    "svg",
    {
      class: "gl-inside", x: BOX.left, y: BOX.top, width: BOX.right - BOX.left, height: BOX.bottom - BOX.top,
      viewBox: `${BOX.left} ${BOX.top} ${BOX.right - BOX.left} ${BOX.bottom - BOX.top}`,
    },
    before, error, now, datum, note,
  );
  const root = svg(
    "svg", { viewBox: "0 0 360 208", class: "gl-plot", role: "img", "aria-label": "f(x) now, over f at the start" },
    axes({ toX, toY, x: ENDS, y: [low, high], box: BOX, xLabel: "x", yLabel: "f(x)" }), inside,
  );
  const set = (point) => {
    adjust(now, { d: drawn(point) });
    adjust(error, { y2: toY(output(point, 1)) });
  };
  return { root, set };
}
