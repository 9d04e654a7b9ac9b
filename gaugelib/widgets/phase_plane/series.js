// A quantity against time: curves and dots in one small plot.

import { adjust, svg } from "../shared/dom.js";
import { axes, linear, path } from "../shared/plane.js";

/** The ends of an axis that holds `values` and 0: round, so that they stand still while a point is dragged a little. */
export function roundRange(values, least = 1) {
  const high = Math.max(0, ...values);
  const low = Math.max(0, ...values.map((value) => -value));
  if (2 * Math.max(high, low) < least) return [-least / 2, least / 2];
  const end = (size) => (size > 0.02 * (high + low) ? roundUp(size) : 0);
  return [0 - end(low), end(high)];
}

function roundUp(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((m) => m * power >= size) * power;
}

/**
 * A plot with a path for each class in `kinds`, drawn in this order, a kind whose name ends in "dots" as dots.
 * Where there is little room, `endsOnly` names 0 and the ends of the vertical axis and nothing between.
 * `set(range, { kind: [xs, ys] })` draws; what has no entry is wiped.
 */
export function series({ label, x, xLabel, yLabel, kinds, height = 208, wide = 360, left = 36, top = 36, bottom = 42, xTicks, endsOnly = false }) {
  const box = { left, right: wide - 10, top, bottom: height - bottom };
  const toX = linear(...x, box.left, box.right);
  const drawn = kinds.map((kind) => [kind, svg("path", { class: kind })]);
  const zero = svg("line", { class: "gl-axis", x1: box.left, x2: box.right });
  const inside = svg(
    "svg",
    {
      class: "gl-inside", x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top,
      viewBox: `${box.left} ${box.top} ${box.right - box.left} ${box.bottom - box.top}`,
    },
    zero, drawn.map(([, node]) => node),
  );
  const ground = svg("g");
  const root = svg("svg", { viewBox: `0 0 ${wide} ${height}`, class: "gl-plot", role: "img", "aria-label": label }, ground, inside);
  let toY = null;
  let shown = "";
  function set(range, curves) {
    if (shown !== range.join()) {
      shown = range.join();
      toY = linear(...range, box.bottom, box.top);
      const yTicks = endsOnly ? [...new Set([...range, 0])].map((value) => [value, String(value).replace("-", "−")]) : undefined;
      ground.replaceChildren(axes({ toX, toY, x, y: range, box, xLabel, yLabel, xTicks, yTicks, lift: 18, drop: 38 }));
      adjust(zero, { y1: toY(0), y2: toY(0) });
    }
    for (const [kind, node] of drawn) {
      const [xs, ys] = curves[kind] ?? [[], []];
      adjust(node, { d: kind.endsWith("dots") ? dots(xs, ys, toX, toY) : path(xs, ys, toX, toY) });
    }
  }
  return { root, set };
}

/** Segments of no length, which a round line cap shows as dots. */
export function dots(xs, ys, toX, toY) {
  return xs.map((x, k) => `M${toX(x).toFixed(2)} ${toY(ys[k]).toFixed(2)}h0`).join("");
}
