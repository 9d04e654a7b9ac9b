// The readouts of BalanceSweeps: one column for each method, which is the legend of the curves too.

import { html, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { measuredRate } from "./layered.js";

export const NAMES = { paper: "paper", alternating: "alternating", "two-level": "two-level" };

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

const ROWS = [
  ["sweep", () => "sweeps", ({ states }) => String(states.length - 1)],
  ["norm", (p) => (p === 1 ? "‖W‖₁" : "‖W‖₂²"), ({ states }) => number(states.at(-1).norm)],
  ["gamma", () => "imbalance γ", ({ states }) => number(states.at(-1).gamma)],
  ["share", () => "of whole layers", ({ states }) => percent(states.at(-1).layerShare)],
  ["rate", () => "rate of γ", ({ states }) => (states.length > 1 ? number(measuredRate(states.map(({ gamma }) => gamma))) : "–")],
  ["predicted", () => "predicted rate", ({ predicted }) => (predicted >= 0 ? number(predicted) : "–")],
];

const sample = (method) => svg(
  "svg", { viewBox: "0 0 28 10", class: "gl-sample", "aria-hidden": "true" },
  svg("g", { class: `gl-run gl-${method}` }, svg("path", { d: "M1 5H27" }), svg("circle", { cx: 23, cy: 5, r: 3.5 })),
);

/** `set(runs, shown, p)`: runs are { method, states, predicted }, `shown` is the method whose neurons are drawn. */
export function sweepTable(methods) {
  const heads = methods.map((method) => html("th", { scope: "col" }, sample(method), html("span", {}, NAMES[method])));
  const rows = ROWS.map(([key, caption, text]) => ({
    caption, text,
    name: html("th", { scope: "row" }),
    cells: methods.map((method) => html("td", { class: "gl-value", "data-readout": `${key}-${method}` })),
  }));
  const root = html(
    "table", { class: "gl-table" },
    html("thead", {}, html("tr", {}, html("td", {}), heads)),
    html("tbody", {}, rows.map((row) => html("tr", {}, row.name, row.cells))),
  );
  function set(runs, shown, p) {
    for (const row of rows) {
      say(row.name, row.caption(p));
      row.cells.forEach((cell, m) => say(cell, row.text(runs[m])));
    }
    heads.forEach((head, m) => head.classList.toggle("gl-shown", methods[m] === shown));
  }
  return { root, set };
}

/** What the screen reader hears of one run. */
export const inWords = ({ method, states, predicted }, p) => ROWS
  .map(([, caption, text]) => `${caption(p)} ${text({ states, predicted })}`).join(", ").replace(/^/, `${NAMES[method]}: `);
