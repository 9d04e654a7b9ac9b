// The readouts of PhasePlane as a table: each quantity at the point and at the smallest norm of its orbit.

import { html, say } from "../shared/dom.js";
import { number } from "../shared/format.js";

/** `groups` is [[title, [[key, caption(p)], ...]], ...]; `set(here, least, p)` takes two records of numbers; no second one is a dash. */
export function phaseTable(groups) {
  const rows = groups.flatMap(([, group]) => group).map(([key, caption]) => ({
    key, caption,
    name: html("th", { scope: "row" }),
    here: html("td", { class: "gl-value", "data-readout": key }),
    least: html("td", { class: "gl-value", "data-readout": `least-${key}` }),
  }));
  const lines = new Map(rows.map((row) => [row.key, html("tr", {}, row.name, row.here, row.least)]));
  const root = html(
    "table", { class: "gl-table" },
    html("thead", {}, html("tr", {}, html("td", {}), ["● here", "◆ smallest"].map((name) => html("th", { scope: "col" }, name)))),
    groups.map(([title, group]) => html(
      "tbody", {},
      html("tr", { class: "gl-group" }, html("th", { colspan: 3, scope: "rowgroup" }, title)),
      group.map(([key]) => lines.get(key)),
    )),
  );
  function set(here, least, p) {
    for (const row of rows) {
      say(row.name, row.caption(p));
      say(row.here, number(here[row.key]));
      say(row.least, least ? number(least[row.key]) : "–");
    }
  }
  return { root, set };
}
