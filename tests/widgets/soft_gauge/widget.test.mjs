// SoftGauge's runs against numbers that torch and gaugelib produced in float64 (FIXTURES names a JSON file of cases and of the
// stored map), and statements about what it draws and says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { symmetricEigen } from "../../../gaugelib/widgets/shared/eigen.js";
import { flattened, layout } from "../../../gaugelib/widgets/shared/mlp.js";
import { cellAt, scales } from "../../../gaugelib/widgets/soft_gauge/cells.js";
import { count, has, nearest, reach, tablesOf } from "../../../gaugelib/widgets/soft_gauge/stable.js";
import { decadesOf } from "../../../gaugelib/widgets/soft_gauge/plots.js";
import { judge, laplacian, softRun } from "../../../gaugelib/widgets/soft_gauge/run.js";
import { comment, reachLine, runner, stateOf, tableOf, why } from "../../../gaugelib/widgets/soft_gauge/widget.js";

const TOLERANCE = 1e-10;
const { cases, map } = JSON.parse(readFileSync(process.env.FIXTURES, "utf8"));

function agree(what, found, wanted, size = Math.abs(wanted)) {
  const error = Math.abs(found - wanted) / (size || 1);
  assert.ok(error <= TOLERANCE, `${what}: relative error ${error} (found ${found}, wanted ${wanted})`);
}
function agreeAll(what, found, wanted, least = 0) {
  assert.equal(found.length, wanted.length, what);
  const size = Math.max(least, ...wanted.map(Math.abs));
  wanted.forEach((x, k) => agree(what, found[k], x, size));
}

const net = layout(map.widths, false);
const data = { inputs: map.inputs, targets: map.targets.map((y) => [y]) };
const opening = (start, seed) => flattened(map.starts[start][seed], []);
const train = (start, seed, strength, lr, size = 1) =>
  softRun(net, opening(start, seed).map((w) => w * size), data, { strength, lr, steps: map.steps });

for (const { name, start, seed, strength, lr, wanted } of cases) {
  test(name, () => {
    const run = train(start, seed, strength, lr);
    agreeAll("losses", run.losses, wanted.losses);
    assert.equal(run.imbalances.length, wanted.imbalances.length);
    wanted.imbalances.forEach((all, k) => agreeAll("imbalances", [...run.imbalances[k]], all, 1)); // differences of squares of order 1
    assert.deepEqual([run.strict, run.tolerant], [wanted.strict, wanted.tolerant]);
    agree("stiffest", run.stiffest, wanted.stiffest);
    assert.equal(run.mode === null, wanted.predicted === null);
    if (run.mode === null) return;
    agree("predicted", run.mode.predicted, wanted.predicted);
    agree("measured", run.mode.measured, wanted.measured);
  });
}

test("a run is judged as it is stored, unless it is chaotic: a start 1e-12 away ends elsewhere", () => {
  let [seen, chaotic] = [0, 0];
  for (const start of Object.keys(map.starts)) {
    const [strict, tolerant] = ["strict", "tolerant"].map((name) => tablesOf(map, start, name));
    for (let k = 0; k < map.strengths.length * map.etas.length; k += 1) {
      const [i, j, seed] = [Math.floor(k / map.etas.length), k % map.etas.length, k % 5];
      if (has(strict.fragile[i][j], seed)) continue;
      const run = train(start, seed, map.strengths[i], map.etas[j]);
      seen += 1;
      if (run.strict === has(strict.stable[i][j], seed) && run.tolerant === has(tolerant.stable[i][j], seed)) continue;
      const near = train(start, seed, map.strengths[i], map.etas[j], 1 + 1e-12);
      const moved = Math.abs(near.losses.at(-1) / run.losses.at(-1) - 1);
      assert.ok(moved > 1e-6, `${start}, seed ${seed}, ${map.strengths[i]}, ${map.etas[j]}: the verdict is not what is stored`);
      chaotic += 1;
    }
  }
  assert.ok(seen > 1100 && chaotic <= 2, `${chaotic} of ${seen}`);
});

test("control: with three times the strength a verdict is another one in many cells", () => {
  let other = 0;
  for (const j of map.etas.keys()) {
    const run = train("uneven 1", 0, 3 * map.strengths[6], map.etas[j]);
    other += run.strict !== has(tablesOf(map, "uneven 1", "strict").stable[6][j], 0);
  }
  assert.ok(other >= 3, String(other));
});

test("strict and tolerant are what they are said to be", () => {
  const of = (losses) => judge(losses, losses.length - 1, 7);
  assert.deepEqual(of([1, 0.5, 0.504]), { ranAway: null, rose: null, died: false, strict: true, tolerant: true });
  assert.deepEqual(of([1, 0.5, 0.506]), { ranAway: null, rose: 2, died: false, strict: false, tolerant: true });
  assert.equal(of([1, 2, 0.9]).tolerant, true);
  assert.equal(of([1, 0.9, 1]).tolerant, false);
  assert.equal(judge([1, 2.01], 5, 7).ranAway, 1);
  assert.equal(judge([1, 0.8, NaN], 5, 7).ranAway, 2);
  const dead = judge([9, 7, 7], 2, 7);
  assert.deepEqual([dead.died, dead.strict, dead.tolerant], [true, true, false]);
});

test("without a loss, imbalance decays by 1 − 2ηκ𝓛 to first order: the Laplacian is the right matrix", () => {
  const still = { inputs: [[0, 0]], targets: [[0]] };
  const start = opening("uneven 0.5", 4);
  const matrix = laplacian(net, start);
  for (const [lr, most] of [[1e-5, 1e-7], [1e-6, 1e-9]]) {
    const [before, after] = softRun(net, start, still, { strength: 1, lr, steps: 1 }).imbalances;
    const misses = before.map((x, h) => Math.abs(after[h] - x + 2 * lr * matrix[h].reduce((sum, l, k) => sum + l * before[k], 0)));
    assert.ok(Math.max(...misses) < most, `${lr}: ${Math.max(...misses)}`);
  }
});

test("eigenvalues and eigenvectors of a matrix, and of one that is diagonal or degenerate", () => {
  const a = laplacian(net, opening("uneven 1", 0));
  const size = Math.max(...a.map((row) => Math.max(...row)));
  const { values, vectors } = symmetricEigen(a);
  vectors.forEach((v, k) => {
    a.forEach((row, i) => agree("A v", row.reduce((sum, x, j) => sum + x * v[j], 0), values[k] * v[i], size));
    vectors.forEach((w, l) => agree("orthonormal", v.reduce((sum, x, j) => sum + x * w[j], 0), k === l ? 1 : 0, 1));
    assert.ok(k === 0 || values[k] >= values[k - 1]);
  });
  assert.deepEqual(symmetricEigen([[3, 0], [0, 1]]).values, [1, 3]);
  const twice = symmetricEigen([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]]).values;
  [0, 3, 3].forEach((value, k) => agree("degenerate", twice[k], value, 3));
});

test("the reach of a mask ends before the first η at which a seed of it is unstable", () => {
  const etas = [0.1, 0.2, 0.4, 0.8];
  assert.equal(reach([31, 31, 15, 31], etas, 31), 0.2);
  assert.equal(reach([31, 31, 15, 31], etas, 1), 0.8);
  assert.equal(reach([15, 31, 31, 31], etas, 16), 0);
  assert.deepEqual([0, 1, 21, 31].map(count), [0, 1, 3, 5]);
  assert.equal(nearest([0, 0.1, 1], 0.3), 1);
});

test("every place on the map is a cell, and the middle of a cell is that cell", () => {
  for (const width of [250, 400]) {
    const { toX, toY, column, frame } = scales(map, width);
    map.strengths.forEach((_, i) => map.etas.forEach((eta, j) => {
      assert.deepEqual(cellAt(map, [width], [toX(column(i)), toY(Math.log10(eta))]), [i, j]);
    }));
    assert.deepEqual(cellAt(map, [width], [-50, 1e4]), [0, 0]);
    assert.deepEqual(cellAt(map, [width], [frame.right + 50, -50]), [map.strengths.length - 1, map.etas.length - 1]);
  }
});

test("the decades of imbalance hold the start and at most five", () => {
  assert.ok(decadesOf([[100, 1], [50, 1e-9]]).every((end, k) => Math.abs(end - [-2.85, 2.15][k]) < 1e-9));
  const [low, high] = decadesOf([[100, -80], [90, -70]]);
  assert.ok(low < Math.log10(70) - 0.2 && high > 2 && high - low >= 1.5);
  assert.ok(decadesOf([[0, 0], [Infinity, NaN]]).every(Number.isFinite));
});

const compute = runner(map);
const at = (traits) => stateOf(map, compute, { start: "uneven 1", seed: 3, criterion: "strict", strength: 0.03, lr: map.etas[16], ...traits });

test("the widget opens where the penalty makes a run stable that is not stable without", () => {
  const state = at({});
  assert.ok(state.run.strict && !state.free.strict && state.share === 5);
  assert.ok(state.stiff < 1 && state.stiff > 0.3);
  assert.ok(Math.abs(state.run.mode.measured / state.run.mode.predicted - 1) < 0.01);
  assert.match(comment(state), /^The penalty makes this run stable\. Without it, the loss rises by more than 1 % at step \d+\.$/);
  assert.match(reachLine(state), /^κ = 0\.03: stable for all 5 seeds at every η up to 0\.00492 \(no penalty: 0\.00391\), for seed 3 at every η up to 0\.25/);
  assert.equal(compute({ start: "uneven 1", seed: 3 }, 0.03, map.etas[16]), state.run); // remembered
});

test("too strong a penalty is said to spoil the run, and its own step to be too long", () => {
  const state = at({ strength: 3 });
  assert.ok(!state.run.strict && state.stiff > 1);
  assert.match(comment(state), /Its own step is too long at the start: ηκμ_max > 1\.$/);
  assert.match(comment(at({ strength: 3, lr: map.etas[5] })), /It is the penalty that spoils this run/);
  assert.equal(tableOf(state).live.loss, "ran away");
  assert.match(why({ ranAway: null, rose: null, died: true }, "tolerant"), /has died/);
});

test("a fragile cell is marked, and a verdict that differs elsewhere is said to be rounding’s", () => {
  const fragile = at({ start: "uneven 0.5", seed: 2, strength: 0.3, lr: 2, criterion: "tolerant" });
  assert.ok(fragile.fragile && tableOf(fragile).map.tolerant.endsWith("◇"));
  assert.match(comment(fragile), /The cell is fragile/);
  const state = at({});
  assert.doesNotMatch(comment(state) + tableOf(state).map.strict, /fragile|◇|rounding/);
  assert.match(comment({ ...state, stored: { strict: false, tolerant: true } }), /rounding has decided otherwise/);
  const unlike = { ...state, run: { ...state.run, mode: { ...state.run.mode, measured: -0.1 } } };
  assert.match(comment(unlike), /each step of the loss adds imbalance/);
});
