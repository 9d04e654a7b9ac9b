// A one-hidden-layer network as a picture: thickness of an arrow is |weight|, its sign is colour and dash.

import { svg } from "../shared/dom.js";
import { number } from "../shared/format.js";

const RADIUS = 17;

/** Height of the picture in pixels: it grows with the hidden units. */
export const graphHeight = (units) => Math.max(236, 72 * units + 20);

/** Stroke of a weight, in pixels: linear in |weight| between what can be seen and what fits. */
export const stroke = (weight, reference) =>
  weight === 0 ? 0 : Math.min(22, Math.max(0.8, (3.5 * Math.abs(weight)) / (reference || 1)));

const minus = (text) => text.replace("-", "−");
const label = (value) => minus(number(value, 3));

function arrow([x1, y1], [x2, y2], weight, reference) {
  const thick = stroke(weight, reference);
  if (thick === 0) return null;
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  const head = 7 + 0.9 * thick;
  const half = 3.5 + 0.8 * thick;
  const [sx, sy] = [x1 + ux * RADIUS, y1 + uy * RADIUS];
  const [tx, ty] = [x2 - ux * (RADIUS + 1), y2 - uy * (RADIUS + 1)];
  const [bx, by] = [tx - ux * head, ty - uy * head];
  const points = [[tx, ty], [bx - uy * half, by + ux * half], [bx + uy * half, by - ux * half]];
  return svg(
    "g", { class: weight < 0 ? "gl-negative" : "gl-positive" },
    svg("line", { x1: sx, y1: sy, x2: bx, y2: by, "stroke-width": thick.toFixed(2) }),
    svg("polygon", { points: points.map((point) => point.map((z) => z.toFixed(1)).join()).join(" ") }),
  );
}

/** The number of an arrow, on the side of it that faces away from the middle of the picture. */
function arrowLabel([x1, y1], [x2, y2], weight, reference, share, up) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  const steep = Math.abs(y2 - y1) / length; // a steep arrow would cross a wide number
  const away = stroke(weight, reference) / 2 + 9 + 12 * steep;
  const side = (up ? -1 : 1) * away;
  const x = x1 + share * (x2 - x1) - (side * (y2 - y1)) / length;
  const y = y1 + share * (y2 - y1) + (side * (x2 - x1)) / length + 4.5;
  return svg("text", { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": "middle", class: "gl-halo" }, label(weight));
}

function unit([x, y], name, kind) {
  return [
    svg("circle", { cx: x, cy: y, r: RADIUS, class: `gl-unit gl-${kind}` }),
    svg("text", { x, y: y + 5, "text-anchor": "middle", class: "gl-unit-name" }, name),
  ];
}

/** The parts of the picture, `width` pixels wide: put them into an <svg> of that height. */
export function networkGraph({ net, width, height = graphHeight(net.w.length), reference }) {
  const units = net.w.length;
  const input = [RADIUS + 3, height / 2];
  const output = [width - RADIUS - 3, height / 2];
  const hidden = net.w.map((_, i) => [width / 2, (height * (i + 0.5)) / units]);
  const arrows = [];
  const labels = [];
  hidden.forEach((at, i) => {
    const up = i < units / 2;
    const above = i < (units - 1) / 2; // the bias of a middle neuron goes below, away from its arrows' numbers
    arrows.push(arrow(input, at, net.w[i], reference), arrow(at, output, net.v[i], reference));
    labels.push(
      arrowLabel(input, at, net.w[i], reference, 0.56, up),
      arrowLabel(at, output, net.v[i], reference, 0.44, up),
      svg(
        "text",
        { x: at[0], y: at[1] + (above ? -RADIUS - 7 : RADIUS + 17), "text-anchor": "middle", class: "gl-halo gl-bias" },
        `b = ${label(net.b[i])}`,
      ),
    );
  });
  return [
    ...arrows,
    ...hidden.flatMap((at, i) => unit(at, String(i + 1), "hidden")),
    ...unit(input, "x", "end"),
    ...unit(output, "f", "end"),
    ...labels,
  ].filter((part) => part !== null);
}

/** The same in words, for readers who do not see it. */
export const graphInWords = (net) => {
  const neurons = net.w.map(
    (w, i) => `Neuron ${i + 1}: weight in ${label(w)}, bias ${label(net.b[i])}, weight out ${label(net.v[i])}.`,
  );
  return `A network with one input, ${net.w.length} hidden neurons and one output. ${neurons.join(" ")}`;
};
