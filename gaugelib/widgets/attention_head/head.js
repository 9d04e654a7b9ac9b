// The head of AttentionHead: `inputs` is a list of tokens, the rows of `query`, `key` and `value` are channels, and so are the columns
// of `output`. Pure functions: no argument is changed.

export const CHANNELS = 4;
export const SIDES = { qk: ["query", "key"], vo: ["value", "output"] };

const sum = (values) => values.reduce((total, value) => total + value, 0);
const dot = (u, v) => sum(u.map((each, k) => each * v[k]));
const transposed = (rows) => rows[0].map((_, j) => rows.map((row) => row[j]));
const times = (rows, W) => rows.map((x) => W.map((w) => dot(w, x)));

/** The channels that one dial or one orbit has in common: pairs of queries and keys, if asked for, else each by itself. */
export const groups = (part, pairs) => (part === "qk" && pairs ? [[0, 1], [2, 3]] : [[0], [1], [2], [3]]);

/** log2 a of each channel: a shared dial stands at the mean of its two. */
export function dialsOf({ part, log2_scales: dials, rotary, tied }) {
  const found = [...dials];
  for (const group of groups(part, rotary && tied)) for (const c of group) found[c] = sum(group.map((k) => dials[k])) / group.length;
  return found;
}

/** The head whose first side is multiplied by 2 ** dials, channel by channel; the second is divided, if it answers. */
export function rescaled(head, part, dials, answers) {
  const [first, second] = SIDES[part];
  const a = dials.map((s) => 2 ** s);
  const moved = { ...head, [first]: head[first].map((row, c) => row.map((w) => a[c] * w)) };
  if (!answers) return moved;
  const by = a.map((scale) => 1 / scale);
  moved[second] = second === "key" ? head.key.map((row, c) => row.map((w) => by[c] * w)) : head.output.map((row) => row.map((w, c) => w * by[c]));
  return moved;
}

/** Both matrices of a part with the channels as rows. */
export const sides = (head, part) => (part === "qk" ? [head.query, head.key] : [head.value, transposed(head.output)]);

/** Each pair of channels turned by its angle times the number of the token, from 0. */
export function turned(rows, angles) {
  return rows.map((row, t) => angles.flatMap((angle, pair) => {
    const [x, y] = [row[2 * pair], row[2 * pair + 1]];
    const [cos, sin] = [Math.cos(t * angle), Math.sin(t * angle)];
    return [x * cos - y * sin, x * sin + y * cos];
  }));
}

/** How much each token attends to each token up to it; later ones have 0. */
export function patternOf(head, rotary) {
  const [queries, keys] = ["query", "key"].map((name) => times(head.inputs, head[name])).map((rows) => (rotary ? turned(rows, head.angles) : rows));
  return queries.map((q, t) => {
    const scores = keys.slice(0, t + 1).map((k) => dot(q, k) / Math.sqrt(CHANNELS));
    const most = Math.max(...scores);
    const shares = scores.map((score) => Math.exp(score - most));
    const total = sum(shares);
    return keys.map((_, s) => (s > t ? 0 : shares[s] / total));
  });
}

/** What the head gives to each token. */
export function outputsOf(head, pattern) {
  const values = transposed(times(head.inputs, head.value));
  return times(times(pattern, values), head.output);
}

/** The squares of each row, added up. */
export const squares = (rows) => rows.map((row) => dot(row, row));

/** The least sum of the squares of both sides with the same head, and the dials at which it is reached. */
export function lightest(head, part, rotary) {
  const [first, second] = sides(head, part).map(squares);
  const dials = Array(CHANNELS).fill(0);
  let norm = 0;
  for (const group of groups(part, rotary)) {
    const [into, out] = [first, second].map((each) => sum(group.map((c) => each[c])));
    for (const c of group) dials[c] = Math.log2(out / into) / 4;
    norm += 2 * Math.sqrt(into * out);
  }
  return { dials, norm };
}

const apart = (one, other) => Math.max(...one.flatMap((row, i) => row.map((value, j) => Math.abs(value - other[i][j]))));
const size = (rows) => Math.max(...rows.flat().map(Math.abs));
export const ROUNDING = 1e-12;

/** Everything the widget shows, from its traits. */
export function measured(traits) {
  const { part, rotary, tied, answers, _head: head } = traits;
  const dials = dialsOf(traits);
  const here = rescaled(head, part, dials, answers);
  const patterns = [head, here].map((each) => patternOf(each, rotary));
  const outputs = [head, here].map((each, k) => outputsOf(each, patterns[k]));
  const matrices = sides(here, part);
  const weights = matrices.map(squares);
  const add = (list) => groups(part, list).map((channels) => ({ channels, sizes: weights.map((side) => sum(channels.map((c) => side[c]))) }));
  const [pattern, output] = [patterns, outputs].map(([was, now]) => apart(was, now));
  return {
    dials, matrices, patterns, outputs, dialled: add(rotary && tied), orbits: add(rotary), changes: { pattern, output },
    same: { pattern: pattern <= ROUNDING, output: output <= ROUNDING * size(outputs[0]) },
    norm: sum(weights.flat()), least: lightest(head, part, rotary).norm,
  };
}
