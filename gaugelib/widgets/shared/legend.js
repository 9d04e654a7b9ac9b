// The legend of a picture.

import { html, svg } from "./dom.js";

/** What lines mean: a sample and a few words for each [kind, words, shape of the sample]. */
export function legend(entries) {
  const sample = (kind, d) =>
    svg("svg", { viewBox: "0 0 28 12", class: "gl-sample", "aria-hidden": "true" }, svg("path", { class: kind, d }));
  return html("ul", { class: "gl-legend" }, entries.map(([kind, words, d = "M1 6H27"]) => html("li", {}, sample(kind, d), words)));
}
