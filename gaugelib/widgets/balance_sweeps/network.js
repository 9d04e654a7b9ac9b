// The layers of BalanceSweeps: a balance beam for each hidden neuron (or half a cell of a map, when there are many),
// and under them how far each neuron and each layer as a whole are from balance.

import { svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { axes, linear, path } from "../shared/plane.js";
import { slowMode } from "./layered.js";

export const MOST_BEAMS = 40; // hidden neurons; more are shown as a map
const ROW = 36;
const LEFT = 58;
const STRIP = 150;

/** What is drawn for a relative imbalance: small ones are magnified, the sign stays. */
export const magnified = (imbalance) => Math.sign(imbalance) * Math.abs(imbalance) ** 0.4;

const fixed = (value) => value.toFixed(2);
const minus = (text) => text.replace("-", "−");

function beam(x, y, arm, imbalance) {
  const tilt = magnified(imbalance);
  const side = tilt > 0 ? "gl-in-heavy" : "gl-out-heavy";
  return svg(
    "g", { transform: `translate(${fixed(x)} ${fixed(y)})`, class: side },
    svg("path", { d: "M0 1L-4.5 11H4.5Z", class: "gl-stand" }),
    svg(
      "g", { transform: `rotate(${(-26 * tilt).toFixed(3)})`, class: "gl-lever" },
      svg("line", { x1: fixed(-arm), x2: fixed(arm) }),
      ...[[-1, 1 + imbalance], [1, 1 - imbalance]].map(([end, share]) => {
        const r = 1.5 + 0.16 * arm * Math.sqrt(share); // the area shows the share of the neuron's two flows
        return svg("circle", { cx: fixed(end * (arm - 3)), cy: fixed(-r - 1), r: fixed(r) });
      }),
    ),
  );
}

/** Half a cell: the left half is filled where more flows in, the right half where more flows out. */
function cell(x, y, width, height, imbalance) {
  return svg("rect", {
    x: fixed(imbalance > 0 ? x - width / 2 : x), y: fixed(y - height / 2), width: fixed(width / 2), height: fixed(height),
    class: `gl-cell ${imbalance > 0 ? "gl-in-heavy" : "gl-out-heavy"}`, "fill-opacity": Math.abs(magnified(imbalance)).toFixed(3),
  });
}

/** Neurons as beams or cells, in the columns whose middles are `columns`. */
function neurons(imbalances, columns, wide, top, height) {
  const many = imbalances.flat().length > MOST_BEAMS;
  const rows = Math.max(...imbalances.map((layer) => layer.length));
  const step = height / rows;
  return imbalances.flatMap((layer, h) => {
    const x = columns[h];
    const first = top + (height - step * layer.length) / 2;
    const marks = layer.map((imbalance, i) => {
      const y = first + step * (i + 0.5);
      return many ? cell(x, y, 0.72 * wide, Math.max(0.5, 0.9 * step), imbalance) : beam(x, y, Math.min(30, 0.4 * wide), imbalance);
    });
    return many ? [svg("line", { x1: x, x2: x, y1: first, y2: first + step * layer.length, class: "gl-middle" }), ...marks] : marks;
  });
}

/**
 * How much of the slowest mode the layers' imbalances hold, by least squares. After a sweep of alternating balancing the
 * even layers (counted from 1) are in balance, and the mode is seen on the odd ones.
 */
export function modeAmplitude(layers, method) {
  const mode = slowMode(layers.length + 1).map((s, h) => (method === "alternating" && h % 2 === 1 ? 0 : s));
  return layers.reduce((sum, x, h) => sum + x * mode[h], 0) / mode.reduce((sum, s) => sum + s * s, 0);
}

/** The imbalance of every neuron (dots) and of its layer as a whole (bars), on a scale that grows as they shrink. */
function strip(shown, method, columns, wide, box) {
  const top = Math.max(shown.gamma, 1e-15);
  const toY = linear(-1.12 * top, 1.12 * top, box.bottom, box.top);
  const depth = columns.length + 1;
  const amplitude = modeAmplitude(shown.layers, method);
  const along = Array.from({ length: 97 }, (_, k) => 0.5 + (k / 96) * columns.length);
  const toX = (h) => columns[0] + wide * (h - 1);
  return [
    axes({
      toX, toY, x: [0.5, columns.length + 0.5], y: [-top, top], box,
      xLabel: "hidden layer", yLabel: "imbalance (in − out) / (in + out)",
      xTicks: columns.map((_, h) => [h + 1, String(h + 1)]),
      yTicks: [[-top, minus(number(-top, 2))], [0, "0"], [top, number(top, 2)]],
    }),
    svg("path", { class: "gl-mode", d: path(along, along.map((h) => amplitude * Math.sin((Math.PI * h) / depth)), toX, toY) }),
    ...shown.imbalances.flatMap((layer, h) => [
      svg("line", {
        class: "gl-layer", x1: fixed(columns[h] - 0.34 * wide), x2: fixed(columns[h] + 0.34 * wide),
        y1: fixed(toY(shown.layers[h])), y2: fixed(toY(shown.layers[h])),
      }),
      ...layer.map((x, i) => svg("circle", {
        class: "gl-neuron", r: layer.length > 12 ? 1.5 : 3.2, cy: fixed(toY(x)),
        cx: fixed(columns[h] + 0.5 * wide * ((i + 0.5) / layer.length - 0.5)),
      })),
    ]),
  ];
}

/** The picture, `width` pixels wide, of a state (layered.js) that `method` has led to; `height` is what its viewBox needs. */
export function layersPicture(shown, method, width, given) {
  const rows = Math.max(...shown.imbalances.map((layer) => layer.length));
  const whole = Math.min(ROW * rows, 190);
  const high = given ?? 86 + whole + STRIP; // the neurons and the strip share what is there
  const tall = ((high - 86) * whole) / (whole + STRIP);
  const wide = (width - LEFT - 8) / shown.imbalances.length;
  const columns = shown.imbalances.map((_, h) => LEFT + wide * (h + 0.5));
  const top = 12 + tall + 38;
  const box = { left: LEFT, right: width - 8, top, bottom: high - 36 };
  return {
    height: box.bottom + 36,
    parts: [...neurons(shown.imbalances, columns, wide, 12, tall), ...strip(shown, method, columns, wide, box)],
  };
}

/** How the neurons of a state are drawn. */
export const layersLegend = (shown) => (shown.imbalances.flat().length > MOST_BEAMS
  ? "Each cell is a neuron: its left half is filled where more flows in, its right half where more flows out. Small imbalances are magnified."
  : "Each beam is a neuron: what flows in on the left, what flows out on the right. Small tilts are magnified.");

/** The same in words. */
export function layersInWords(shown) {
  const layers = shown.layers.map((x, h) => `layer ${h + 1}: ${minus(number(x, 2))}`).join(", ");
  const many = shown.imbalances.flat().length;
  return `The imbalance of ${many} hidden neurons, at most ${number(shown.gamma, 2)} in size. Of whole layers: ${layers}.`;
}
