// W beside the teacher's matrix: numbers on coloured cells, and a strand from each row of W to the row of the teacher that it has become.

import { svg } from "../shared/dom.js";
import { px } from "./page.js";

const HEAD = 24; // room for the names above
const CELL = [36, 46]; // least and largest side of a cell

/** Both matrices. `page` is the nearest page, `right` whether W lies on the teacher's side of the spine there, `near` whether on it. */
export function matricesPlot({ n, W, teacher, page, right, near }, width, given) {
  const wide = Math.min(Math.max((width - 34) / (2 * n), CELL[0]), CELL[1]);
  const tall = given ? Math.min((given - HEAD - 4) / n, CELL[1]) : Math.min(wide, 34);
  const gap = width - 2 * n * wide;
  const strand = Math.min(gap, 90);
  const left = (gap - strand) / 2;
  const most = Math.max(...teacher.map(Math.abs), ...W.map(Math.abs)) || 1;
  const middle = (i) => HEAD + (i + 0.5) * tall;
  const [first, second] = [left, left + n * wide + strand];
  const strands = page.to.map((to, i) => svg("path", {
    class: `gl-strand${right ? "" : " gl-apart"}`, d: `M${px(first + n * wide + 3)} ${px(middle(to))}C${px(first + n * wide + strand / 2)} ${px(middle(to))} ${px(second - strand / 2)} ${px(middle(i))} ${px(second - 3)} ${px(middle(i))}`,
  }));
  return {
    height: given ?? HEAD + n * tall + 4,
    parts: [
      ...cells(W, n, first, wide, tall, most, (i, j) => page.to[j] === i), ...cells(teacher, n, second, wide, tall, most, (i, j) => i === j),
      svg("text", { class: "gl-heading", x: px(first + (n * wide) / 2), y: 14, "text-anchor": "middle" }, "W"),
      svg("text", { class: "gl-heading", x: px(second + (n * wide) / 2), y: 14, "text-anchor": "middle" }, "teacher"),
      svg("text", { class: near && right ? "gl-heading" : "gl-far", x: px((first + n * wide + second) / 2), y: 14, "text-anchor": "middle" }, page.name),
      ...strands,
    ],
  };
}

function cells(W, n, left, wide, tall, most, marked) {
  return W.flatMap((weight, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    const [x, y] = [left + j * wide, HEAD + i * tall];
    const box = { x: px(x + 1.5), y: px(y + 1.5), width: px(wide - 3), height: px(tall - 3), rx: 3 };
    return [
      svg("rect", { class: `gl-cell ${weight < 0 ? "gl-minus" : "gl-plus"}`, ...box, style: `--gl-share: ${((55 * Math.abs(weight)) / most).toFixed(1)}%` }),
      marked(i, j) ? svg("rect", { class: "gl-out", ...box }) : null,
      svg("text", { class: "gl-number", x: px(x + wide / 2), y: px(y + tall / 2 + 4.5), "text-anchor": "middle" }, `${weight < 0 ? "−" : ""}${Math.abs(weight).toFixed(2)}`),
    ].filter((part) => part !== null);
  });
}
