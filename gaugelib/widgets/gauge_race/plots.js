// The pictures of GaugeRace: a curve for each arm on a logarithmic axis, and a bar of two parts for each arm.

import { svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { apart, axes, linear, logTicks, path, ticks } from "../shared/plane.js";
import { ARMS, curve } from "./curves.js";

const CURVES = 250; // heights
const ROW = 42; // a bar and the gap around it

/** The curves of the arms up to `epoch`; the axes are those of the whole run, so that they stand still. */
export function curvesPlot(kept, which, quantity, epoch, { last, name }, width, height = CURVES) {
  const box = { left: 48, right: width - 44, top: 30, bottom: height - 40 };
  const all = ARMS.map((arm) => curve(kept, which, arm, quantity));
  const seen = all.flat().filter((value) => value > 0); // a mean error of 0 has no place on a logarithmic axis
  const ends = [0.85 * Math.min(...seen), 1.15 * Math.max(...seen)];
  const toX = linear(0, last, box.left, box.right);
  const toY = linear(...ends.map(Math.log10), box.bottom, box.top);
  const past = all.map((values) => values.slice(0, epoch + 1).map(Math.log10));
  const epochs = past[0].map((_, k) => k);
  const heights = past.map((values) => toY(values.findLast(Number.isFinite)));
  const places = apart(heights, 14, box.top, box.bottom);
  return {
    height,
    parts: [
      axes({ toX, toY, x: [0, last], y: ends.map(Math.log10), box, xLabel: "epoch", yLabel: name, yTicks: logTicks(...ends), lift: 12 }),
      ...ARMS.map((arm, k) => svg("path", { class: `gl-arm gl-${arm}`, d: path(epochs, past[k], toX, toY) })),
      ...ARMS.map((arm, k) => svg("circle", { class: `gl-at gl-${arm}`, r: 4, cx: toX(epoch).toFixed(1), cy: heights[k].toFixed(1) })),
      ...ARMS.map((arm, k) => svg("text", { class: `gl-name gl-${arm}`, x: toX(epoch) + 8, y: (places[k] + 4).toFixed(1) }, arm)),
    ],
  };
}

/** The penalised loss of each arm, loss and penalty end to end. */
export function barsPlot(now, width, height = 34 + ARMS.length * ROW + 36) {
  const box = { left: 48, right: width - 8, top: 34, bottom: height - 36 };
  const most = Math.max(...ARMS.map((arm) => now[arm].regularised));
  const toX = linear(0, 1.02 * most, box.left, box.right);
  const row = (box.bottom - box.top) / ARMS.length;
  const thick = 0.62 * row;
  const rows = ARMS.map((arm, k) => [arm, box.top + k * row + (row - thick) / 2]);
  const part = (kind, from, to, y) => svg("rect", { class: kind, x: toX(from).toFixed(1), y, width: (toX(to) - toX(from)).toFixed(1), height: thick });
  return {
    height,
    parts: [
      ...ticks(0, most, 4).map((value) => [
        svg("line", { class: "gl-grid", x1: toX(value), x2: toX(value), y1: box.top, y2: box.bottom }),
        svg("text", { x: toX(value), y: box.bottom + 16, "text-anchor": "middle" }, value === 0 ? "0" : String(Number(number(value, 3)))),
      ]).flat(),
      svg("text", { x: box.right, y: height - 4, "text-anchor": "end" }, "penalised loss = loss + penalty"),
      ...rows.flatMap(([arm, y]) => [
        svg("text", { class: `gl-name gl-${arm}`, x: box.left - 6, y: y + thick / 2 + 4, "text-anchor": "end" }, arm),
        part("gl-loss", 0, now[arm].loss, y),
        part("gl-penalty", now[arm].loss, now[arm].regularised, y),
      ]),
    ],
  };
}
