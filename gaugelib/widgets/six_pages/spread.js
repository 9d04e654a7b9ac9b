// The book of SixPages as a solid: half pages round the spine, and the path of descent among them.

import { adjust, sizeOf, svg } from "../shared/dom.js";
import { HALVES } from "./book.js";
import { GRAIN } from "./landscape.js";
import { chain, halfPage, markOf, px } from "./page.js";

const TILT = (38 * Math.PI) / 180; // how far we look down on the book
const ASPECT = 1.06; // height over width, where the height is not given
const [SIDE, ENDS] = [10, 22]; // room for names

/** A view of the book turned by `turn` degrees: where a point [x, y, mean] of `round` lies, in pixels, and how far away. */
export function viewOf({ far, low, high, p, q }, turn, width, height) {
  const [sine, cosine] = [Math.sin(TILT), Math.cos(TILT)];
  const scale = Math.min((width - 2 * SIDE) / (2 * far), (height - 2 * ENDS) / ((high - low) * cosine + 2 * far * sine));
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
  const names = svg("g", {});
  const [halo, way] = ["gl-way-halo", "gl-way"].map((kind) => svg("path", { class: kind }));
  const begun = svg("rect", { class: "gl-start", x: -5, y: -5, width: 10, height: 10 });
  const here = svg("circle", { class: "gl-here", r: 6 });
  const root = svg("svg", { class: "gl-book", role: "img" }, pages, halo, way, begun, here, names);
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
    const open = placed.find(({ name, sign }) => name === current.name && sign === current.sign) ?? placed[0];
    for (const leaf of placed) {
      const glass = leaf.away < Math.min(0.2, open.away) - 0.05; // what stands before the page that is looked at is seen through
      adjust(leaf.group, { transform: leaf.transform, class: `gl-half${leaf === open ? " gl-current" : glass ? " gl-glass" : ""}` });
    }
    const [behind, front] = [placed.filter(({ away }) => away >= 0), placed.filter(({ away }) => away < 0)].map((all) => all.flatMap((leaf) => [leaf.group, mark(leaf, land, view)]));
    pages.replaceChildren(...behind, spine(land, view), ...front);
    const points = path.map((point) => view.place(point).at);
    for (const line of [halo, way]) adjust(line, { d: chain(points) });
    adjust(begun, { transform: `translate(${points[0].map(px).join(" ")})` });
    const at = view.place(seen).at;
    adjust(here, { cx: px(at[0]), cy: px(at[1]) });
    names.replaceChildren(...placed.map((leaf) => named(leaf, land, view)));
  }
  return { root, set };
}

function spine({ size }, { place }) {
  const [low, high] = size.mean.map((mean) => place([0, 0, mean]).at.map(px));
  return svg("line", { class: "gl-spine", x1: low[0], y1: low[1], x2: high[0], y2: high[1] });
}

const along = (angle, r, mean) => [r * Math.cos((angle * Math.PI) / 180), r * Math.sin((angle * Math.PI) / 180), mean];

/** The mark of the least loss on a half page. */
const mark = ({ angle, side }, { levels }, { place }) => markOf(side, levels, place(along(angle, Math.abs(side.least.delta), side.least.mean)).at);

/** The name of a half page at its outer edge: above it behind the spine, below it in front. */
function named({ angle, name, sign, away }, { size, n }, { place }) {
  const low = away < 0;
  const [x, y] = place(along(angle, size.delta, size.mean[low ? 0 : 1])).at;
  const word = n === 2 ? `δ ${sign > 0 ? ">" : "<"} 0` : `${name} ${sign > 0 ? "+" : "−"}`;
  return svg("text", { class: "gl-name", x: px(x), y: px(low ? y + 16 : y - 6), "text-anchor": "middle" }, word);
}
