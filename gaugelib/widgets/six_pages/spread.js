// The book of SixPages as a solid: half pages round the spine, and the path of descent among them.

import { adjust, sizeOf, svg } from "../shared/dom.js";
import { HALVES } from "./book.js";
import { GRAIN } from "./landscape.js";
import { chain, halfPage, markOf, px } from "./page.js";

const TILT = (32 * Math.PI) / 180; // how far we look down on the book
const ASPECT = 0.95; // height over width, where the height is not given
const EDGE = 26; // room for names

/** A view of the book turned by `turn` degrees: where a point [x, y, mean] of `round` lies, in pixels, and how far away. */
export function viewOf({ far, low, high, p, q }, turn, width, height) {
  const [sine, cosine] = [Math.sin(TILT), Math.cos(TILT)];
  const scale = Math.min((width - 2 * EDGE) / (2 * far), (height - 2 * EDGE) / ((high - low) * cosine + 2 * far * sine));
  const [cx, cy] = [width / 2, height / 2 + (scale * cosine * (low + high)) / 2];
  const angle = (turn * Math.PI) / 180;
  function place([x, y, mean]) {
    const right = p * (x * Math.cos(angle) - y * Math.sin(angle));
    const away = p * (x * Math.sin(angle) + y * Math.cos(angle));
    return { at: [cx + scale * right, cy - scale * (q * mean * cosine + away * sine)], away };
  }
  /** The transform of a half page at an angle, and how far away its middle lies. */
  function leaf(degrees) {
    const t = angle + (degrees * Math.PI) / 180;
    const unit = (scale * far) / GRAIN;
    const numbers = [unit * Math.cos(t), -unit * Math.sin(t) * sine, 0, -unit * cosine].map((x) => x.toFixed(5));
    return { transform: `matrix(${numbers.join(" ")} ${px(cx)} ${px(cy)})`, away: Math.sin(t) };
  }
  return { place, leaf };
}

/** The book as an element; `set` draws { land, turn, path, here, current }: `current` is the half page that is looked at. */
export function book() {
  const pages = svg("g", {});
  const marks = svg("g", {});
  const [halo, way] = ["gl-way-halo", "gl-way"].map((kind) => svg("path", { class: kind }));
  const begun = svg("rect", { class: "gl-start", x: -5, y: -5, width: 10, height: 10 });
  const here = svg("circle", { class: "gl-here", r: 6 });
  const root = svg("svg", { class: "gl-book", role: "img" }, pages, halo, way, begun, here, marks);
  let leaves = [];
  let built = null;

  function build(land) {
    leaves = HALVES[land.n].map((half) => ({ ...half, side: land.halves.find(({ side }) => side === half.sign), group: halfPage(land.halves.find(({ side }) => side === half.sign), land.size) }));
  }

  function set({ key, land, turn, path, here: seen, current, words }) {
    const [width, given] = sizeOf(root);
    const height = given ?? Math.round(ASPECT * width);
    const view = viewOf(land.size, turn, width, height);
    if (built !== key) {
      built = key;
      build(land);
    }
    adjust(root, { viewBox: `0 0 ${width} ${height}`, "aria-label": words });
    const placed = leaves.map((leaf) => ({ ...leaf, ...view.leaf(leaf.angle) })).sort((one, other) => other.away - one.away);
    for (const { group, transform, away, name, sign } of placed) {
      adjust(group, { transform, class: `gl-half ${away < -0.15 ? "gl-front" : "gl-behind"}${current && current.name === name && current.sign === sign ? " gl-current" : ""}` });
    }
    pages.replaceChildren(...placed.map(({ group }) => group), spine(land, view));
    const points = path.map((point) => view.place(point).at);
    for (const line of [halo, way]) adjust(line, { d: chain(points) });
    adjust(begun, { transform: `translate(${points[0].map(px).join(" ")})` });
    const at = view.place(seen).at;
    adjust(here, { cx: px(at[0]), cy: px(at[1]) });
    marks.replaceChildren(...placed.flatMap((leaf) => named(leaf, land, view)));
  }
  return { root, set };
}

function spine({ size }, { place }) {
  const [low, high] = size.mean.map((mean) => place([0, 0, mean]).at.map(px));
  return svg("line", { class: "gl-spine", x1: low[0], y1: low[1], x2: high[0], y2: high[1] });
}

/** The name of a half page at its outer edge, and the mark of its least loss. */
function named({ angle, name, sign, side }, { size, levels, n }, { place }) {
  const t = (angle * Math.PI) / 180;
  const along = (r, mean) => place([r * Math.cos(t), r * Math.sin(t), mean]).at;
  const [x, y] = along(1.02 * size.delta, size.mean[1]);
  const word = n === 2 && sign < 0 ? "δ < 0" : n === 2 ? "δ > 0" : `${name} ${sign > 0 ? "+" : "−"}`;
  const { least } = side;
  return [
    markOf(side, levels, along(Math.abs(least.delta), least.mean)),
    svg("text", { class: "gl-name", x: px(x), y: px(y - 4), "text-anchor": "middle" }, word),
  ];
}
