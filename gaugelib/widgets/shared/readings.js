// Readouts as a table: the same quantities for each of a few columns.

import { html, say } from "./dom.js";
import { number } from "./format.js";

/**
 * `rows` is [[key, caption], ...], `columns` names the columns. `set({ column: { key: value } }, words)` fills it: numbers are
 * written as everywhere, text as it is, what is missing as a dash. `words` is { title, columns }, the words of the first row,
 * and { rows: { key: caption } } where a caption changes.
 * A cell is marked for tests as data-readout="column-key".
 */
export function readings({ columns, rows }) {
  const title = html("th", { scope: "col" });
  const heads = columns.map(() => html("th", { scope: "col" }));
  const cells = rows.map(([key]) => columns.map((column) => html("td", { class: "gl-value", "data-readout": `${column}-${key}` })));
  const names = rows.map(([, caption]) => html("th", { scope: "row" }, caption));
  const root = html(
    "table", { class: "gl-table gl-readings" },
    html("thead", {}, html("tr", {}, title, heads)),
    html("tbody", {}, cells.map((line, k) => html("tr", {}, names[k], line))),
  );
  function set(values, words) {
    formula(title, words.title);
    heads.forEach((head, k) => formula(head, words.columns[k]));
    rows.forEach(([key], k) => formula(names[k], words.rows?.[key] ?? names[k].dataset.formula ?? names[k].textContent));
    rows.forEach(([key], k) => columns.forEach((column, j) => say(cells[k][j], written(values[column][key]))));
  }
  return { root, set };
}

/** Change an element's text, if it differs, where "g_in" is written as g with a subscript. */
export function formula(node, text) {
  if (node.dataset.formula === text) return;
  node.dataset.formula = text;
  node.replaceChildren(...text.split(/_([a-zλ]+)/).map((part, k) => (k % 2 ? html("sub", {}, part) : part)));
}

function written(value) {
  if (value === undefined) return "–";
  return typeof value === "number" ? number(value) : value;
}
