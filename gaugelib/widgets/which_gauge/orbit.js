// One hidden layer along its orbit: three sums of coefficients, each of which is a bowl, and the longest stable step.
//
// f(x) = c + V relu(W x + b), the loss is the mean of the examples' l = 1/2 |f - y|^2. Unit h goes to (a W_h, a b_h, V_h / a), a = 2^s.
// Of what a kind sums up, `into` belongs to what enters each unit, `out` to what leaves it, `rest` to the output biases.

export const KINDS = ["norm", "gradient", "trace"];
const KRYLOV = 60; // steps at most
const SETTLED = 1e-12; // of the largest eigenvalue, relative

const sum = (values) => values.reduce((total, value) => total + value, 0);
const square = (values) => sum(values.map((value) => value * value));
const dot = (u, v) => {
  let total = 0;
  for (let k = 0; k < u.length; k += 1) total += u[k] * v[k];
  return total;
};

/** What no gauge changes: the network and its data, what each unit gives (n lists of all units), f, and the coefficients of the kinds. */
export function prepared({ weights: [W, V], biases: [b, c], inputs: X, targets: Y }) {
  const net = { W, b, V, c };
  const [units, outs] = [W.length, V.length];
  const out = W.map((_, h) => V.map((row) => row[h]));
  const z = X.map((x) => hidden(net, x));
  const f = z.map((gives) => given(net, gives));
  const zeros = () => new Float64Array(units);
  const norm = { into: W.map((row, h) => square(row) + (b.length ? b[h] ** 2 : 0)), out: out.map(square), rest: square(c) };
  const [gradient, trace] = [0, 1].map(() => ({ into: zeros(), out: zeros(), rest: 0 }));
  X.forEach((x, n) => {
    const miss = f[n].map((value, k) => (value - Y[n][k]) / Math.sqrt(X.length));
    const size = (square(x) + (b.length ? 1 : 0)) / X.length;
    const missed = square(miss);
    if (c.length) gradient.rest += missed;
    for (let h = 0; h < units; h += 1) {
      if (!(z[n][h] > 0)) continue;
      gradient.into[h] += size * X.length * dot(out[h], miss) ** 2;
      gradient.out[h] += z[n][h] ** 2 * missed;
      trace.into[h] += size * norm.out[h];
      trace.out[h] += (outs * z[n][h] ** 2) / X.length;
    }
  });
  if (c.length) trace.rest = outs;
  return { net, X, Y, z, f, units, outs, kernel: kernelOf(X, z, b.length > 0), sums: { norm, gradient, trace } };
}

const hidden = ({ W, b }, x) => W.map((row, h) => Math.max(dot(row, x) + (b[h] ?? 0), 0));
const given = ({ V, c }, gives) => V.map((row, k) => dot(row, gives) + (c[k] ?? 0));

/** f of each example. */
export const outputs = (net, X) => X.map((x) => given(net, hidden(net, x)));

/** The network with its dials at s = log2 a. */
export function turned({ W, b, V, c }, dials) {
  const a = dials.map((s) => 2 ** s);
  return { W: W.map((row, h) => row.map((w) => w * a[h])), b: b.map((x, h) => x * a[h]), V: V.map((row) => row.map((v, h) => v / a[h])), c };
}

/** The norm grows with what enters a unit, gradient and trace shrink with it. */
const power = (kind) => (kind === "norm" ? 4 : 1 / 4);

/** One of the three sums with the dials at s. */
export function value(sums, kind, dials) {
  const { into, out, rest } = sums[kind];
  return dials.reduce((total, s, h) => total + into[h] * power(kind) ** s + out[h] / power(kind) ** s, rest);
}

/** The dials at which a sum is smallest on the whole orbit. */
export const gaugeOf = (sums, kind) => Array.from(sums[kind].into, (into, h) => bottom(kind, into, sums[kind].out[h]));
const bottom = (kind, into, out) => (Math.log2(out / into) / 4) * (kind === "norm" ? 1 : -1);

/** Where the dial stands: log2 a of a unit, or of all units (0) their mean. */
export const placeOf = (dials, unit) => (unit ? dials[unit - 1] : sum(dials) / dials.length);

/** The dials after the chosen one was turned to a place; that of all units turns each by the same factor. */
export function turnedTo(dials, unit, place) {
  const by = place - placeOf(dials, unit);
  return dials.map((s, h) => (unit === 0 || h === unit - 1 ? s + by : s));
}

/** A sum over the places of the chosen dial, and the place of its bottom there. */
export function along(sums, kind, dials, unit, places) {
  const at = placeOf(dials, unit);
  const [into, out] = [sums[kind].into, sums[kind].out].map((values, k) =>
    sum(dials.map((s, h) => (unit === 0 || h === unit - 1 ? values[h] * power(kind) ** (k ? -s : s) : 0))));
  const rest = value(sums, kind, dials) - into - out; // of what the dial does not move
  const there = (place) => rest + into * power(kind) ** (place - at) + out * power(kind) ** (at - place);
  return { values: places.map(there), lowest: at + bottom(kind, into, out) };
}

/** The inner products of the inputs, the bias’s 1 among them, and for each unit the examples at which it is on: what `sharpest` needs. */
function kernelOf(X, z, biased) {
  const inputs = X.map((x) => Float64Array.from(biased ? [...x, 1] : x));
  const gram = inputs.map((x) => Float64Array.from(inputs, (other) => dot(x, other)));
  return { gram, on: z[0].map((_, h) => Int32Array.from([...X.keys()].filter((n) => z[n][h] > 0))) };
}

/** The largest eigenvalue of Gauss–Newton’s matrix J^T J / N with the dials at s: that of J J^T / N, by Lanczos. */
export function sharpest({ net: { V, c }, z, outs, kernel: { gram, on } }, dials) {
  const count = z.length;
  const rows = dials.map((s, h) => Float64Array.from(V, (row) => row[h] / 2 ** s));
  const acts = dials.map((s, h) => Float64Array.from(on[h], (n) => z[n][h] * 2 ** s));
  const [sent, back] = [new Float64Array(outs), new Float64Array(count)];

  function apply(u) {
    const moved = new Float64Array(u.length);
    sent.fill(0);
    if (c.length) for (let i = 0; i < u.length; i += 1) sent[i % outs] += u[i];
    for (let i = 0; i < u.length; i += 1) moved[i] = sent[i % outs];
    on.forEach((live, h) => {
      sent.fill(0);
      for (let i = 0; i < live.length; i += 1) {
        back[i] = 0;
        for (let k = 0; k < outs; k += 1) {
          const at = u[live[i] * outs + k];
          back[i] += rows[h][k] * at; // to the unit
          sent[k] += acts[h][i] * at; // to what leaves it
        }
      }
      for (let i = 0; i < live.length; i += 1) {
        const near = gram[live[i]];
        let through = 0;
        for (let j = 0; j < live.length; j += 1) through += near[live[j]] * back[j];
        for (let k = 0; k < outs; k += 1) moved[live[i] * outs + k] += rows[h][k] * through + acts[h][i] * sent[k];
      }
    });
    for (let i = 0; i < u.length; i += 1) moved[i] /= count;
    return moved;
  }
  return lanczos(apply, count * outs);
}

/** The largest eigenvalue of a symmetric, non-negative map of lists of `size` numbers. */
export function lanczos(apply, size) {
  const unit = (u, length) => u.map((value) => value / length);
  const start = Float64Array.from({ length: size }, (_, k) => 1 + 0.5 * Math.sin(1.7 * k + 0.3)); // any start that is orthogonal to nothing
  const basis = [unit(start, Math.sqrt(dot(start, start)))];
  const [diagonal, beside] = [[], []];
  let top = 0;
  for (let step = 0; step < Math.min(KRYLOV, size); step += 1) {
    const next = apply(basis[step]);
    diagonal.push(dot(next, basis[step]));
    for (const u of basis) { // all of them, against rounding
      const share = dot(next, u);
      for (let k = 0; k < size; k += 1) next[k] -= share * u[k];
    }
    const before = top;
    top = largest(diagonal, beside);
    const length = Math.sqrt(dot(next, next));
    if (top - before <= SETTLED * top || length <= 1e-14 * top) break;
    beside.push(length);
    basis.push(unit(next, length));
  }
  return top;
}

/** The largest eigenvalue of a tridiagonal matrix, by bisection: below it a pivot of T - x is positive. */
function largest(diagonal, beside) {
  let [low, high] = [Math.max(...diagonal), Math.max(...diagonal.map((d, k) => d + (beside[k - 1] ?? 0) + (k < diagonal.length - 1 ? beside[k] : 0)))];
  for (let step = 0; step < 60 && high - low > 1e-16 * high; step += 1) {
    const middle = (low + high) / 2;
    let [pivot, above] = [1, false];
    for (let k = 0; k < diagonal.length && !above; k += 1) {
      pivot = diagonal[k] - middle - (k ? beside[k - 1] ** 2 / pivot : 0);
      above = pivot >= 0;
    }
    if (above) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
