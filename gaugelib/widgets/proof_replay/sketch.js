// A small network as a picture: hidden units in columns between input x and output y, edges as wide as their share
// of the norm. Some edges and units can be lit.

import { svg } from "../shared/dom.js";

const RADIUS = 13;
const LIT = 15;

/** Where the units stand, for columns of hidden units: a map from number to [x, y], with "x" and "y" for the ends. */
export function places(columns, width, height) {
  const at = new Map([["x", [RADIUS + 3, height / 2]], ["y", [width - RADIUS - 3, height / 2]]]);
  const step = (width - 2 * RADIUS - 6) / (columns.length + 1);
  columns.forEach((units, c) => units.forEach((unit, k) => {
    at.set(unit, [RADIUS + 3 + step * (c + 1), (height * (k + 0.5)) / units.length]);
  }));
  return at;
}

/** Stroke of an edge in pixels: its area shows its share. */
export const stroke = (share) => 1 + 9 * Math.sqrt(share);

const key = ([source, target]) => `${source}>${target}`;

/** The picture's parts; `lit` is { edges: [[source, target], ...], units: [...] }, the ground is 0. */
export function networkSketch({ columns, edges, lit, width, height }) {
  const at = places(columns, width, height);
  const bright = new Set(lit.edges.map(key));
  const touched = new Set([...lit.units, ...lit.edges.flat()]);
  const column = new Map(columns.flatMap((units, c) => units.map((unit) => [unit, c])));
  const line = ([source, target, share]) => {
    const [x1, y1] = at.get(source || "x");
    const [x2, y2] = at.get(target || "y");
    const skipped = (column.get(target) ?? columns.length) - (column.get(source) ?? -1) - 1;
    const bend = skipped > 0 ? (y1 + y2 > height ? 1 : -1) * Math.min(height / 2 - 4, 26 * skipped) : 0;
    return svg("path", {
      class: bright.has(key([source, target])) ? "gl-edge gl-lit" : "gl-edge",
      d: `M${x1} ${y1}Q${(x1 + x2) / 2} ${(y1 + y2) / 2 + bend} ${x2} ${y2}`,
      "stroke-width": stroke(share).toFixed(2),
    });
  };
  const node = (unit, name, isLit) => {
    const [x, y] = at.get(unit);
    return [
      svg("circle", { cx: x, cy: y, r: isLit ? LIT : RADIUS, class: isLit ? "gl-node gl-lit" : "gl-node" }),
      svg("text", { x, y: y + 4.5, "text-anchor": "middle" }, name),
    ];
  };
  const dim = edges.filter((edge) => !bright.has(key(edge)));
  return [
    ...dim.map(line),
    ...edges.filter((edge) => bright.has(key(edge))).map(line),
    ...node("x", "x", lit.edges.some(([source]) => source === 0)),
    ...node("y", "y", lit.edges.some(([, target]) => target === 0)),
    ...columns.flat().flatMap((unit) => node(unit, `h${subscript(unit)}`, touched.has(unit))),
  ];
}

const subscript = (n) => [...String(n)].map((digit) => String.fromCodePoint(0x2080 + Number(digit))).join("");

/** The same in words. */
export function sketchInWords({ columns, lit, place }) {
  const units = columns.map((column) => column.length).join(" and ");
  const shown = lit.edges.length + lit.units.length > 0 ? ` Lit: ${place}.` : "";
  return `The network: an input, ${units} hidden units, an output.${shown}`;
}
