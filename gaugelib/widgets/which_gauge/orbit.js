// One hidden layer along its orbit: three sums of coefficients, each of which is a bowl, and the longest stable step.
//
// f(x) = c + V relu(W x + b), the loss is the mean of the examples' l = 1/2 |f - y|^2. Unit h goes to (a W_h, a b_h, V_h / a), a = 2^s.
// Of what a kind sums up, `into` belongs to what enters each unit, `out` to what leaves it, `rest` to the output biases.

export const KINDS = ["norm", "gradient", "trace"];
const KRYLOV = 60; // steps at most
const SETTLED = 1e-13; // of the largest eigenvalue, relative

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
  return { net, X, Y, z, f, units, outs, sums: { norm, gradient, trace } };
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
  const { into, out } = sums[kind];
  const at = placeOf(dials, unit);
  const here = (values, sign) => sum(dials.map((s, h) => (unit === 0 || h === unit - 1 ? values[h] * power(kind) ** (sign * s) : 0)));
  return { values: places.map((place) => value(sums, kind, turnedTo(dials, unit, place))), lowest: at + bottom(kind, here(into, 1), here(out, -1)) };
}

/** The largest eigenvalue of Gauss–Newton’s matrix J^T J / N with the dials at s, by Lanczos on J J^T / N. */
export function sharpest({ net: { b, c }, X, z, units, outs, net }, dials) {
  const V = turned(net, dials).V.map((row) => Float64Array.from(row));
  const a = dials.map((s) => 2 ** s);
  const acts = z.map((gives) => Float64Array.from(gives, (value, h) => value * a[h]));
  const inputs = X.map((x) => Float64Array.from(b.length ? [...x, 1] : x));
  const on = z.map((gives) => [...gives.keys()].filter((h) => gives[h] > 0));
  const wide = inputs[0].length;
  const [gW, gV, gc] = [Array.from({ length: units }, () => new Float64Array(wide)), V.map(() => new Float64Array(units)), new Float64Array(outs)];

  function apply(u) {
    for (const part of [...gW, ...gV, gc]) part.fill(0);
    inputs.forEach((x, n) => {
      for (const h of on[n]) {
        let back = 0;
        for (let k = 0; k < outs; k += 1) {
          back += V[k][h] * u[n * outs + k];
          gV[k][h] += acts[n][h] * u[n * outs + k];
        }
        for (let j = 0; j < wide; j += 1) gW[h][j] += back * x[j];
      }
      if (c.length) for (let k = 0; k < outs; k += 1) gc[k] += u[n * outs + k];
    });
    const moved = new Float64Array(u.length);
    inputs.forEach((x, n) => {
      for (let k = 0; k < outs; k += 1) moved[n * outs + k] = gc[k];
      for (const h of on[n]) {
        const through = dot(gW[h], x);
        for (let k = 0; k < outs; k += 1) moved[n * outs + k] += V[k][h] * through + gV[k][h] * acts[n][h];
      }
    });
    return moved.map((value) => value / X.length);
  }
  return lanczos(apply, X.length * outs);
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
    for (let again = 0; again < 2; again += 1) { // against rounding
      for (const u of basis) {
        const share = dot(next, u);
        for (let k = 0; k < size; k += 1) next[k] -= share * u[k];
      }
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
