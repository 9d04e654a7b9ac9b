// The curves of BalanceSweeps: gamma and the norm against sweeps, one line for each method that was run.

import { svg } from "../shared/dom.js";
import { axes, decades, linear, logTicks, path } from "../shared/plane.js";

const FLOOR = -13; // of log10 gamma: below is rounding

/** The end of the sweeps' axis: a round number, at least 15. */
export function lastSweep(runs) {
  const longest = Math.max(15, ...runs.map(({ states }) => states.length - 1));
  return [15, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400].find((end) => end >= longest) ?? longest;
}

const HEIGHT = 188;
const frame = (width, height) => ({ left: 58, right: width - 8, top: 26, bottom: height - 38 });

function lines(runs, value, toX, toY) {
  return runs.map(({ method, states }) => {
    const ys = states.map((state) => Math.max(Math.log10(value(state)), FLOOR));
    const last = [toX(states.length - 1), toY(ys.at(-1))];
    return svg(
      "g", { class: `gl-run gl-${method}` },
      svg("path", { d: path(ys.map((_, k) => k), ys, toX, toY) }),
      svg("circle", { cx: last[0].toFixed(2), cy: last[1].toFixed(2), r: 3.5 }),
    );
  });
}

/** gamma on a logarithmic axis, and for each predicted rate the line that falls by it in each sweep. */
export function gammaPlot(runs, rates, width, height = HEIGHT) {
  const box = frame(width, height);
  const end = lastSweep(runs);
  const lowest = Math.min(...runs.map(({ states }) => Math.log10(states.at(-1).gamma)));
  const y = [Math.max(FLOOR, Math.min(-3, Math.floor(lowest))), 0];
  const toX = linear(0, end, box.left, box.right);
  const toY = linear(...y, box.bottom, box.top);
  const slopes = runs.filter(({ method }) => rates[method] > 0).map(({ method, states }) => {
    const [start, slope] = [Math.log10(states[0].gamma), Math.log10(rates[method])];
    const stop = Math.min(end, (y[0] - start) / slope);
    return svg("line", {
      class: `gl-predicted gl-${method}`, x1: toX(0), y1: toY(start), x2: toX(stop), y2: toY(start + slope * stop),
    });
  });
  return {
    height,
    parts: [
      axes({ toX, toY, x: [0, end], y, box, xLabel: "sweeps", yLabel: "largest imbalance γ", yTicks: decades(...y) }),
      ...slopes, ...lines(runs, (state) => state.gamma, toX, toY),
    ],
  };
}

/** The p-th power of the norm on a logarithmic axis, and its least value on the orbit. */
export function normPlot(runs, least, yLabel, width, height = HEIGHT) {
  const box = frame(width, height);
  const end = lastSweep(runs);
  const most = Math.max(...runs.map(({ states }) => states[0].norm));
  const y = [Math.log10(least) - 0.06 * Math.log10(most / least) - 0.01, Math.log10(most) + 0.01];
  const toX = linear(0, end, box.left, box.right);
  const toY = linear(...y, box.bottom, box.top);
  const level = toY(Math.log10(least));
  return {
    height,
    parts: [
      axes({ toX, toY, x: [0, end], y, box, xLabel: "sweeps", yLabel, yTicks: logTicks(10 ** y[0], 10 ** y[1]) }),
      svg("line", { class: "gl-least", x1: box.left, x2: box.right, y1: level, y2: level }),
      ...lines(runs, (state) => state.norm, toX, toY),
    ],
  };
}
