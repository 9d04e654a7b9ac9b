// The pictures of AttentionHead: two matrices with a balance beam between their rows, and the attention and the output as bars.

import { svg } from "../shared/dom.js";

const HEAD = 26; // room for the names above
const ROW = 26; // height of a cell
const READABLE = 36; // a cell of at least this width has room for a number
const px = (x) => x.toFixed(1);

function heading(x, words, index = "", turned = false) {
  const marks = index ? [" W", svg("tspan", { class: "gl-index", dy: 3 }, index), turned ? svg("tspan", { dy: -3 }, "ᵀ") : null] : [];
  return svg("text", { class: "gl-heading", x: px(x), y: 15, "text-anchor": "middle" }, words, marks);
}
const numbered = (x, y, k, kind = "gl-number") => svg("text", { class: kind, x: px(x), y: px(y + 4.5), "text-anchor": "middle" }, k);

/** Both sides, the channels as rows. `orbits` says which channels are balanced together: a beam each, and a bracket round a pair. */
export function matricesPlot({ matrices, orbits }, names, width, given) {
  const [label, gap] = [24, 46];
  const wide = Math.min((width - label - gap) / 8, 54);
  const tall = given ? (given - HEAD - 2) / 4 : ROW;
  const lefts = [label, width - 4 * wide];
  const middle = (c) => HEAD + (c + 0.5) * tall;
  const centre = (lefts[0] + 4 * wide + lefts[1]) / 2;
  return {
    height: given ?? HEAD + 4 * tall + 2,
    parts: [
      ...names.map(([words, index], side) => heading(lefts[side] + 2 * wide, words, index, index === "O")),
      ...matrices.flatMap((rows, side) => rows.flatMap((row, c) => row.flatMap((weight, j) => cell(weight, lefts[side] + j * wide, HEAD + c * tall, wide, tall)))),
      ...matrices[0].map((_, c) => numbered(14, middle(c), String(c + 1), "gl-place")),
      ...orbits.flatMap(({ channels, sizes }) => [
        channels.length > 1 ? svg("path", { class: "gl-bracket", d: `M6 ${px(middle(channels[0]) - 9)}H2V${px(middle(channels.at(-1)) + 9)}H6` }) : null,
        beam(centre, (middle(channels[0]) + middle(channels.at(-1))) / 2, gap / 2 - 13, sizes, tall),
      ]).filter((part) => part !== null),
    ],
  };
}

function cell(weight, x, y, wide, tall) {
  const share = (45 * Math.abs(weight)) / (Math.abs(weight) + 0.6);
  const sign = weight < 0 ? "−" : "";
  const words = wide < READABLE ? sign || "+" : sign + Math.abs(weight).toFixed(Math.abs(weight) < 9.995 ? 2 : 1);
  return [
    svg("rect", { class: `gl-entry ${weight < 0 ? "gl-minus" : "gl-plus"}`, x: px(x + 1), y: px(y + 1), width: px(wide - 2), height: px(tall - 2), rx: 3, style: `--gl-share: ${share.toFixed(1)}%` }),
    numbered(x + wide / 2, y + tall / 2, words),
  ];
}

/** The squares of both sides on a lever: the heavier side is down. */
function beam(x, y, arm, [left, right], tall) {
  const tilt = ((right - left) / (left + right || 1)) * Math.min(9, tall / 3);
  const radius = (load) => Math.min(7, 2.2 + 3 * Math.sqrt(load / (left + right || 1))).toFixed(2);
  return svg(
    "g", { class: Math.abs(tilt) < 1e-6 ? "gl-beam gl-level" : "gl-beam" },
    svg("line", { x1: px(x - arm), x2: px(x + arm), y1: px(y - tilt), y2: px(y + tilt) }),
    svg("path", { d: `M${px(x)} ${px(y)}l-4 7h8z` }),
    svg("circle", { cx: px(x - arm), cy: px(y - tilt), r: radius(left) }),
    svg("circle", { cx: px(x + arm), cy: px(y + tilt), r: radius(right) }),
  );
}

/** The attention and the output: bars of the head as given, and the outline of those that the weights make now. */
export function headPlot({ patterns, outputs }, width, given) {
  const [label, gap] = [20, 22];
  const wide = Math.min((width - label - gap) / 9, 46);
  const tokens = patterns[0].length;
  const tall = given ? (given - HEAD - 20) / tokens : ROW + 6;
  const lefts = [label, width - 4 * wide];
  const below = HEAD + tokens * tall + 10;
  const most = Math.max(...outputs[0].flat().map(Math.abs)) || 1;
  const box = { y: HEAD, wide, tall };
  return {
    height: given ?? below + 8,
    parts: [
      heading(lefts[0] + (tokens * wide) / 2, "attention A"), heading(lefts[1] + 2 * wide, "output y"),
      ...bars(patterns, { ...box, x: lefts[0], foot: 0.94, reach: 0.88, seen: (t, s) => s <= t }),
      ...bars(outputs, { ...box, x: lefts[1], foot: 0.5, reach: 0.44 / most, seen: () => true }),
      svg(
        "g", {},
        ...patterns[0].flatMap((_, t) => [numbered(9, HEAD + (t + 0.5) * tall, String(t + 1), "gl-place"), numbered(lefts[0] + (t + 0.5) * wide, below, String(t + 1), "gl-place")]),
        ...outputs[0][0].map((_, j) => numbered(lefts[1] + (j + 0.5) * wide, below, String(j + 1), "gl-place")),
      ),
    ],
  };
}

/** Three paths for all bars of a table: what was, the lines on which they stand, and what is. */
function bars([was, now], { x, y, wide, tall, foot, reach, seen }) {
  let [before, feet, outline] = ["", "", ""];
  was.forEach((row, t) => row.forEach((value, j) => {
    if (!seen(t, j)) return;
    const height = (share) => y + tall * (t + Math.min(0.97, Math.max(0.03, foot - reach * share)));
    const base = px(y + tall * (t + foot));
    const [left, right, end, next] = [x + (j + 0.14) * wide, x + (j + 0.86) * wide, x + j * wide + 1, x + (j + 1) * wide - 1].map(px);
    before += `M${left} ${base}V${height(value).toFixed(2)}H${right}V${base}Z`;
    feet += `M${end} ${base}H${next}`;
    outline += `M${left} ${base}V${height(now[t][j]).toFixed(2)}H${right}V${base}`;
  }));
  return [["gl-original", before], ["gl-foot", feet], ["gl-now", outline]].map(([kind, d]) => svg("path", { class: kind, d }));
}
