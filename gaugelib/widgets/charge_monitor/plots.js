// The pictures of ChargeMonitor: the charges against time, and how far they end from the law against the step size.

import { svg } from "../shared/dom.js";
import { apart, axes, decades, linear, path } from "../shared/plane.js";

const HEIGHT = 250;
const frame = (width, height) => ({ left: 40, right: width - 26, top: 26, bottom: height - 38 });
const COLOURS = 6; // of lines, in the style sheet; then they begin again

/** The charges that a plot has room for: the start's, with half of their spread above and below. */
export function room(begun) {
  const [low, high] = [Math.min(0, ...begun), Math.max(0, ...begun)];
  const margin = 0.4 * (high - low || 1);
  return [low - margin, high + margin];
}

/** Each unit's charge along a run, dashed what the flow would do, and its number at the end of its line. */
export function chargePlot(run, { until, decay, p, yLabel }, width, height = HEIGHT) {
  const box = frame(width, height);
  const y = room(run.charges[0]);
  const toX = linear(0, until, box.left, box.right);
  const toY = linear(...y, box.bottom, box.top);
  const times = Array.from({ length: 41 }, (_, k) => (until * k) / 40);
  const units = run.charges[0].map((_, h) => h);
  const laws = [...units].map((h) => svg("path", {
    class: `gl-law gl-line-${h % COLOURS}`, d: path(times, times.map((t) => run.charges[0][h] * Math.exp(-decay * p * t)), toX, toY),
  }));
  const lines = [...units].map((h) => svg("path", {
    class: `gl-run gl-line-${h % COLOURS}`, d: path(run.times, run.charges.map((all) => all[h]), toX, toY),
  }));
  const ends = apart([...run.charges.at(-1)].map(toY), 14, box.top, box.bottom);
  const names = ends.map((at, h) => svg("text", { x: box.right + 6, y: (at + 4).toFixed(2), class: `gl-unit gl-line-${h % COLOURS}` }, String(h + 1)));
  return {
    height,
    parts: [
      axes({ toX, toY, x: [0, until], y, box, xLabel: "time t = η · steps", yLabel }),
      svg(
        "svg",
        {
          class: "gl-inside", x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top,
          viewBox: `${box.left} ${box.top} ${box.right - box.left} ${box.bottom - box.top}`,
        },
        ...lines, ...laws,
      ),
      ...names,
    ],
  };
}

/** `tried` is [[lr, off], ...]; `shown` are the two of them in the table; a dotted line rises in proportion to lr. */
export function driftPlot(tried, shown, { coarsest, finest }, width, height = HEIGHT) {
  const box = { ...frame(width, height), left: 48 };
  const x = [Math.log2(finest) - 0.4, Math.log2(coarsest) + 0.4];
  const known = tried.filter(([, off]) => off > 0 && Number.isFinite(off)).map(([lr, off]) => [Math.log2(lr), Math.log10(off)]);
  const values = known.map(([, off]) => off);
  const y = [Math.floor(Math.min(-3, ...values)), Math.ceil(Math.max(0, ...values))];
  const toX = linear(...x, box.left, box.right);
  const toY = linear(...y, box.bottom, box.top);
  const xTicks = [];
  const ratio = width < 300 ? 8 : 4; // so that their words do not touch
  for (let lr = coarsest; lr > 0.99 * finest; lr /= ratio) xTicks.push([Math.log2(lr), String(Number(lr.toPrecision(3)))]);
  const half = shown.map(([lr, off]) => [Math.log2(lr), Math.log10(off)]).at(-1);
  const along = (to) => half[1] + (to - half[0]) * Math.log10(2);
  const dots = known.map(([at, off]) => {
    const named = shown.findIndex(([lr]) => Math.log2(lr) === at);
    const kind = named === 0 ? "gl-here" : named === 1 ? "gl-half" : "gl-before";
    return svg("circle", { class: kind, cx: toX(at).toFixed(2), cy: toY(off).toFixed(2), r: named < 0 ? 3.5 : 6 });
  });
  return {
    height,
    parts: [
      axes({ toX, toY, x, y, box, xLabel: "step size η", yLabel: "distance from the law at T", xTicks, yTicks: decades(...y) }),
      svg(
        "svg",
        {
          class: "gl-inside", x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top,
          viewBox: `${box.left} ${box.top} ${box.right - box.left} ${box.bottom - box.top}`,
        },
        Number.isFinite(half[1]) ? svg("path", { class: "gl-guide", d: path(x, x.map(along), toX, toY) }) : null,
      ),
      ...dots,
    ],
  };
}
