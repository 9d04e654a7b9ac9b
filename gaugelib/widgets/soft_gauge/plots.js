// The run of SoftGauge: its loss beside that without a penalty, and the imbalance of each unit with the slowest mode.

import { svg } from "../shared/dom.js";
import { apart, axes, decades, linear, logTicks, path } from "../shared/plane.js";
import { WINDOW } from "./run.js";

const LOSS = 160; // heights
const IMBALANCE = 216;
const DEEPEST = 5; // decades of imbalance that are drawn
const TAIL = 3; // windows over which the predicted decay is drawn

const frame = (width, height) => ({ left: 44, right: width - 26, top: 26, bottom: height - 38 });
const steps = (values) => Array.from(values, (_, k) => k);

function within({ left, right, top, bottom }, ...parts) {
  const [width, height] = [right - left, bottom - top];
  return svg("svg", { class: "gl-inside", x: left, y: top, width, height, viewBox: `${left} ${top} ${width} ${height}` }, ...parts);
}

/** Where a run stops being stable: a cross, drawn around a point. */
const cross = (x, y) => svg("path", { class: "gl-broken", d: `M${(x - 5).toFixed(1)} ${(y - 5).toFixed(1)}l10 10m0-10l-10 10` });

/** The losses of a run and of the same without a penalty; `broken` is the step from which the run is not stable, or null. */
export function lossPlot(run, free, broken, last, width, height = LOSS) {
  const box = frame(width, height);
  const highest = 2 * run.losses[0];
  const seen = [...run.losses, ...free.losses].filter((loss) => loss > 0 && loss <= highest);
  const ends = [0.85 * Math.min(...seen), 1.15 * highest];
  const y = ends.map(Math.log10);
  const toX = linear(0, last, box.left, box.right);
  const toY = linear(...y, box.bottom, box.top);
  const line = (kind, { losses }) => svg("path", { class: kind, d: path(steps(losses), losses.map((loss) => Math.min(Math.log10(loss), y[1])), toX, toY) });
  return {
    height,
    parts: [
      axes({ toX, toY, x: [0, last], y, box, xLabel: "steps", yLabel: "loss", yTicks: logTicks(...ends) }),
      within(box, line("gl-free", free), line("gl-run", run)),
      broken === null ? null : cross(toX(broken), Math.max(toY(Math.log10(run.losses[broken])), box.top + 6) || box.top + 6),
    ].filter((part) => part !== null),
  };
}

/** The decades to draw: from the largest imbalance down to where the units end, five at most. */
export function decadesOf(imbalances) {
  const sizes = (all) => [...all].map(Math.abs).filter((size) => size > 0 && Number.isFinite(size));
  const high = Math.log10(Math.max(1e-9, ...imbalances.slice(0, 2).flatMap(sizes))) + 0.15;
  const end = Math.log10(Math.min(10 ** high, ...sizes(imbalances.at(-1)))) - 0.3;
  return [Math.max(high - DEEPEST, Math.min(end, high - 1.5)), high];
}

/** |Delta| of each unit against steps, its number at the end of its line; `first` units are of the first hidden layer. */
export function imbalancePlot(run, { first, last, lr }, width, height = IMBALANCE) {
  const box = frame(width, height);
  const y = decadesOf(run.imbalances);
  const toX = linear(0, last, box.left, box.right);
  const toY = linear(...y, box.bottom, box.top);
  const ks = steps(run.imbalances);
  const curve = (kind, values) => svg("path", { class: kind, d: path(ks, values.map((value) => Math.log10(Math.abs(value))), toX, toY) });
  const layer = (h) => (h < first ? "gl-first" : "gl-second");
  const units = steps(run.imbalances[0]);
  const ends = units.map((h) => toY(Math.log10(Math.abs(run.imbalances.at(-1)[h]))));
  const places = apart(ends, 13, box.top + 4, box.bottom);
  return {
    height,
    parts: [
      axes({ toX, toY, x: [0, last], y, box, xLabel: "steps", yLabel: "imbalance |Δ| of each unit", yTicks: decades(...y) }),
      within(
        box,
        ...units.map((h) => curve(`gl-unit-line ${layer(h)}`, run.imbalances.map((all) => all[h]))),
        ...(run.mode ? [curve("gl-mode", run.mode.sizes), predicted(run.mode, ks.length - 1, lr, toX, toY)] : []),
      ),
      ...places.map((at, h) => svg("text", { x: toX(ks.length - 1) + 6, y: (at + 4).toFixed(2), class: `gl-unit ${layer(h)}` }, String(h + 1))),
    ],
  };
}

/** The decay that the Laplacian predicts, through the mode's size in the middle of the last window, and on before it. */
function predicted({ sizes, predicted: rate }, last, lr, toX, toY) {
  const middle = last - WINDOW / 2;
  const ends = [last - TAIL * WINDOW, last];
  const fall = (k) => Math.log10(Math.abs(sizes[middle])) - (rate * lr * (k - middle)) / Math.LN10;
  return svg("path", { class: "gl-predicted", d: path(ends, ends.map(fall), toX, toY) });
}
