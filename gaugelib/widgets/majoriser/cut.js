// The picture of the proof: F and the auxiliary function G along one line through the point where the reader stands.

import { svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { grid } from "../shared/numbers.js";
import { axes, linear, path } from "../shared/plane.js";
import { add, EXPONENTS, majoriser, normPower } from "./chain.js";

const POINTS = 241;
const NAMES = { 1: "1/4p", 2: "1/2p", 3: "3/4p" };

/** Where the line is drawn: along the step a little before it and far beyond, else both ways. */
export const range = (kind, line) => (kind === "step" ? [-0.2 * line.reach, line.reach] : [-line.reach, line.reach]);

/** F and G along the line, and what of them is drawn: from below their lowest point to well above the value here. */
export function curves({ weights, p, logs }, kind, line) {
  const ends = range(kind, line);
  const ts = grid(...ends, POINTS);
  const f = ts.map((t) => normPower(weights, add(logs, line.along(t)), p));
  const g = ts.map((t) => majoriser(weights, logs, p, line.along(t)));
  const here = normPower(weights, logs, p);
  const low = Math.min(...f);
  const settled = Math.abs(line.unit) < 0.15 * line.reach; // then what is near the minimum is shown
  const span = Math.max(here - low, settled ? 0.5 * (f.at(-1) - low) : 1e-6 * here);
  return { ends, ts, f, g, here, y: [low - 0.12 * span, here + 0.7 * span] };
}

/** A curve, cut where it leaves the picture through its top. */
function below(ts, values, top) {
  const [xs, ys] = [[], []];
  values.forEach((value, k) => {
    const before = values[k - 1];
    if (k > 0 && (value > top) !== (before > top)) {
      xs.push(ts[k - 1] + ((ts[k] - ts[k - 1]) * (top - before)) / (value - before));
      ys.push(top);
    }
    xs.push(ts[k]);
    ys.push(value > top ? NaN : value);
  });
  return [xs, ys];
}

/** The picture, `width` pixels wide; `exponent` says which step is taken. */
export function majoriserCut(state, kind, line, step, width, height) {
  const { ends, ts, f, g, here, y } = curves(state, kind, line);
  const box = { left: 58, right: width - 8, top: 26, bottom: height ? height - 36 : 26 + Math.min(width - 66, 330) };
  const toX = linear(...ends, box.left, box.right);
  const toY = linear(...y, box.bottom, box.top);
  const unit = Math.abs(line.unit);
  const h = kind === "neuron 2" ? 1 : 0;
  const taken = kind === "step" ? state.exponent * unit : step.change[h];
  const at = line.along(taken);
  const [bound, after] = [majoriser(state.weights, state.logs, state.p, at), normPower(state.weights, add(state.logs, at), state.p)];
  const along = kind === "step"
    ? [[0, "here"], ...EXPONENTS.filter(() => unit > 0.15 * line.reach).map((k) => [k * unit, NAMES[k]])]
    : undefined;
  const mark = (t, value, kind_, r) => (value <= y[1] ? svg("circle", { class: kind_, r, cx: toX(t).toFixed(2), cy: toY(value).toFixed(2) }) : null);
  return {
    height: box.bottom + 36,
    parts: [
      axes({
        toX, toY, x: ends, y, box, xTicks: along,
        xLabel: kind === "step" ? "exponent of the step" : `change of log a${h === 0 ? "₁" : "₂"}`,
        yLabel: "pF and pG",
        yTicks: levels(y),
      }),
      svg("line", { class: "gl-level", x1: box.left, x2: box.right, y1: toY(here).toFixed(2), y2: toY(here).toFixed(2) }),
      svg("path", { class: "gl-f", d: path(...below(ts, f, y[1]), toX, toY) }),
      svg("path", { class: "gl-g", d: path(...below(ts, g, y[1]), toX, toY) }),
      svg("line", {
        class: "gl-coming", x1: toX(taken).toFixed(2), x2: toX(taken).toFixed(2),
        y1: toY(Math.min(bound, y[1])).toFixed(2), y2: toY(Math.min(after, y[1])).toFixed(2),
      }),
      mark(taken, bound, "gl-bound", 4.5), mark(taken, after, "gl-next", 5.5), mark(0, here, "gl-here", 6.5),
    ].filter((part) => part !== null),
  };
}

/** Four even ticks with as many digits as it takes to tell them apart. */
function levels([low, high]) {
  const power = 10 ** Math.floor(Math.log10((high - low) / 4));
  const step = [1, 2, 5, 10].find((m) => m * power >= (high - low) / 4.5) * power;
  const digits = Math.max(2, 1 + Math.ceil(Math.log10(Math.abs(high) / step)));
  const values = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) values.push([k * step, String(Number(number(k * step, Math.min(digits, 8))))]);
  return values;
}
