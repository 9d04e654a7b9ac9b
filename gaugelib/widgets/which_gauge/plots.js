// The pictures of WhichGauge: three bowls over the dial, the longest step in each gauge, the grids under the weights, and f.

import { svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { axes, linear, logTicks, path, ticks } from "../shared/plane.js";
import { KINDS } from "./orbit.js";

const [BOWLS, BAR, GRIDS, FUNCTION] = [300, 62, 148, 190]; // heights
const MOST = 1000; // times the least: what is higher is cut off
const MARKS = { norm: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", gradient: "M-5 -5H5V5H-5Z", trace: "M0 -6.5L6.5 0L0 6.5L-6.5 0Z" };
const px = (value) => value.toFixed(1);
const mark = (kind, style, x, y) => svg("path", { class: `${style} gl-${kind}`, d: MARKS[kind], transform: `translate(${px(x)} ${px(y)})` });

/** Of each kind the bowl over the places of the dial, its bottom hollow and where it stands now full. All are times the least. */
export function bowlsPlot({ places, bowls, at, dial }, width, height = BOWLS) {
  const box = { left: 44, right: width - 10, top: 30, bottom: height - 40 };
  const most = Math.min(Math.max(...KINDS.map((kind) => Math.max(...bowls[kind].values))), MOST);
  const high = 1.1 * Math.log10(Math.max(most, 2));
  const y = [-0.06 * high, high];
  const [toX, toY] = [linear(places[0], places.at(-1), box.left, box.right), linear(...y, box.bottom, box.top)];
  const inside = { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
  const stay = (value) => Math.max(toY(Math.log10(value)), box.top);
  const reachable = (place) => place >= places[0] && place <= places.at(-1);
  return {
    height,
    parts: [
      axes({ toX, toY, x: [places[0], places.at(-1)], y, box, xLabel: dial, yLabel: "times the least on the orbit", yTicks: logTicks(1, 10 ** high), lift: 12 }),
      svg("line", { class: "gl-least", x1: box.left, x2: box.right, y1: px(toY(0)), y2: px(toY(0)) }),
      reachable(at) ? svg("line", { class: "gl-dial", x1: px(toX(at)), x2: px(toX(at)), y1: box.top, y2: box.bottom }) : null,
      svg(
        "svg", { class: "gl-inside", ...inside, viewBox: `${inside.x} ${inside.y} ${inside.width} ${inside.height}` },
        KINDS.map((kind) => svg("path", { class: `gl-bowl gl-${kind}`, d: path(places, bowls[kind].values.map(Math.log10), toX, toY) })),
      ),
      ...KINDS.filter((kind) => reachable(bowls[kind].lowest)).map((kind) => mark(kind, "gl-bottom", toX(bowls[kind].lowest), stay(bowls[kind].floor))),
      ...(reachable(at) ? KINDS.map((kind) => mark(kind, "gl-now", toX(at), stay(bowls[kind].here))) : []),
    ].filter(Boolean),
  };
}

/** A bar as long as the longest stable step, and where it would end in each of the three gauges. */
export function stepPlot(step, gauges, width, height = BAR) {
  const box = { left: 8, right: width - 14 };
  const toX = linear(0, 1.06 * Math.max(step, ...KINDS.map((kind) => gauges[kind])), box.left, box.right);
  const top = height - 42;
  return {
    height,
    parts: [
      ...ticks(0, toX.back(box.right), 4).map((value) => [
        svg("line", { class: "gl-grid", x1: px(toX(value)), x2: px(toX(value)), y1: top - 4, y2: top + 22 }),
        svg("text", { x: px(toX(value)), y: top + 37, "text-anchor": "middle" }, value === 0 ? "0" : String(Number(value.toPrecision(2)))),
      ]).flat(),
      svg("rect", { class: "gl-step", x: box.left, y: top, width: px(toX(step) - box.left), height: 18 }),
      ...KINDS.map((kind) => svg("line", { class: `gl-stem gl-${kind}`, x1: px(toX(gauges[kind])), x2: px(toX(gauges[kind])), y1: top - 8, y2: top + 18 })),
      ...KINDS.map((kind) => mark(kind, "gl-bottom", toX(gauges[kind]), top - 9)),
    ],
  };
}

/** Of both layers the weights above a line and the quantiser’s grid below it; what lies in the band becomes 0. */
export function gridsPlot(layers, bits, width, height = GRIDS) {
  const box = { left: 8, right: width - 8 };
  const last = 2 ** (bits - 1) - 1;
  const row = height / layers.length;
  return { height, parts: layers.flatMap((layer, k) => grid(layer, last, { ...box, top: k * row, bottom: (k + 1) * row })) };
}

function grid({ name, weights, step, nothing }, last, { left, right, top, bottom }) {
  const toX = linear(-last * step, last * step, left + 4, right - 4);
  const [line, foot] = [bottom - 20, bottom - 6];
  const lines = Array.from({ length: 2 * last + 1 }, (_, k) => `M${px(toX((k - last) * step))} ${px(line + 1)}V${px(k === last ? foot + 4 : foot)}`);
  const strokes = weights.map((w) => `M${px(toX(w))} ${px(top + 24)}V${px(line)}`);
  const half = toX(step / 2) - toX(0);
  return [
    svg("text", { x: left, y: px(top + 15) }, `${name}: step ${number(step, 3)}, ${number(100 * nothing, 2)} % become 0`),
    svg("rect", { class: "gl-nothing", x: px(toX(0) - half), y: px(top + 22), width: px(2 * half), height: px(line - top - 22) }),
    svg("path", { class: "gl-weights", d: strokes.join(""), "stroke-opacity": Math.min(1, Math.max(0.35, 6 / Math.sqrt(weights.length))).toFixed(2) }),
    svg("line", { class: "gl-zero", x1: left, x2: right, y1: px(line), y2: px(line) }),
    svg("path", { class: last > 20 ? "gl-levels gl-fine" : "gl-levels", d: lines.join("") }),
  ];
}

/** f over what it was at every a = 1, f quantised, and the data. */
export function curvePlot({ xs, f, original, coarse, data }, width, height = FUNCTION) {
  const box = { left: 42, right: width - 8, top: 26, bottom: height - 38 };
  const all = [...original, ...data.Y.flat()];
  const room = 0.25 * (Math.max(...all) - Math.min(...all) || 1);
  const [x, y] = [[xs[0], xs.at(-1)], [Math.min(...all) - room, Math.max(...all) + room]];
  const [toX, toY] = [linear(...x, box.left, box.right), linear(...y, box.bottom, box.top)];
  const inside = { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
  return {
    height,
    parts: [
      axes({ toX, toY, x, y, box, xLabel: "x", yLabel: "output" }),
      svg(
        "svg", { class: "gl-inside", ...inside, viewBox: `${inside.x} ${inside.y} ${inside.width} ${inside.height}` },
        svg("path", { class: "gl-original", d: path(xs, original, toX, toY) }),
        svg("path", { class: "gl-function", d: path(xs, f, toX, toY) }),
        svg("path", { class: "gl-coarse", d: path(xs, coarse, toX, toY) }),
      ),
      ...data.X.map(([at], n) => svg("circle", { class: "gl-datum", r: 3, cx: px(toX(at)), cy: px(toY(data.Y[n][0])) })),
    ],
  };
}

/** The outputs for one example as bars: f₀, over it f, and a diamond for f quantised. Beside them the image, where the inputs are one. */
export function outputsPlot({ f, original, coarse, range: [low, high], image }, width, height = FUNCTION) {
  const side = image ? Math.round(Math.sqrt(image.length)) : 0;
  const pixel = image ? Math.floor(Math.min((height - 66) / side, (0.3 * width) / side)) : 0;
  const box = { left: 42 + (image ? side * pixel + 8 : 0), right: width - 4, top: 26, bottom: height - 38 };
  const room = 0.1 * (high - low);
  const toY = linear(low - room, high + room, box.bottom, box.top);
  const slot = (box.right - box.left) / f.length;
  const x = (k) => box.left + (k + 0.5) * slot;
  const within = (value) => Math.min(Math.max(toY(value), box.top), box.bottom);
  const zero = toY(0);
  const names = f.map((_, k) => [k, String(k)]);
  return {
    height,
    parts: [
      axes({ toX: x, toY, x: [0, f.length - 1], y: [low - room, high + room], box, xLabel: "output", yLabel: "value", xTicks: names }),
      ...original.map((value, k) => svg("rect", { class: "gl-bar", x: px(x(k) - 0.36 * slot), y: px(Math.min(within(value), zero)), width: px(0.72 * slot), height: px(Math.abs(within(value) - zero)) })),
      svg("line", { class: "gl-zero", x1: box.left, x2: box.right, y1: px(zero), y2: px(zero) }),
      ...f.map((value, k) => svg("line", { class: "gl-function", x1: px(x(k) - 0.36 * slot), x2: px(x(k) + 0.36 * slot), y1: px(within(value)), y2: px(within(value)) })),
      ...coarse.map((value, k) => svg("path", { class: "gl-diamond", d: `M${px(x(k))} ${px(within(value) - 5)}l5 5l-5 5l-5 -5z` })),
      ...(image ?? []).map((value, k) => svg("rect", { class: "gl-pixel", x: (k % side) * pixel + 2, y: Math.floor(k / side) * pixel + 26, width: pixel, height: pixel, "fill-opacity": Number(value).toFixed(2) })),
      image ? svg("rect", { class: "gl-frame-of-image", x: 2, y: 26, width: side * pixel, height: side * pixel }) : null,
    ].filter(Boolean),
  };
}
