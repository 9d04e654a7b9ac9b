// Training in ChargeMonitor against numbers that torch and gaugelib produced in float64 (FIXTURES names a JSON file of
// cases), and statements that need none.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { readOf, runner } from "../../../gaugelib/widgets/charge_monitor/widget.js";
import { room } from "../../../gaugelib/widgets/charge_monitor/plots.js";
import { oneStep, train } from "../../../gaugelib/widgets/charge_monitor/descent.js";
import { charges, flattened, layout, teacher } from "../../../gaugelib/widgets/shared/mlp.js";
import { apart } from "../../../gaugelib/widgets/shared/plane.js";

const TOLERANCE = 1e-10;
const { cases, opening } = process.env.FIXTURES ? JSON.parse(readFileSync(process.env.FIXTURES, "utf8")) : { cases: [], opening: null };

function agree(what, found, wanted, size = Math.abs(wanted)) {
  const error = Math.abs(found - wanted) / (size || 1);
  assert.ok(error <= TOLERANCE, `${what}: relative error ${error} (found ${found}, wanted ${wanted})`);
}
function agreeAll(what, found, wanted) {
  assert.equal(found.length, wanted.length, what);
  const size = Math.max(...wanted.map(Math.abs));
  wanted.forEach((x, k) => agree(what, found[k], x, size));
}

for (const { name, widths, weights, biases, inputs, targets, settings, wanted } of cases) {
  test(name, () => {
    const net = layout(widths, biases.length > 0);
    const start = flattened(weights, biases);
    const { gradient, outputs } = teacher(net, { inputs, targets });
    const slope = new Float64Array(net.size);
    agree("loss", gradient(start, slope), wanted.losses[0]);
    agreeAll("gradient", [...slope], wanted.gradient);
    agreeAll("outputs", outputs(start).flat(), wanted.outputs);
    const run = train(net, start, { inputs, targets }, settings);
    assert.ok(run.complete);
    assert.equal(run.steps, wanted.charges.length - 1);
    assert.equal(run.times.length, wanted.charges.length, "so short a run keeps every moment");
    wanted.charges.forEach((all, k) => agreeAll("charges", [...run.charges[k]], all));
    agree("off", run.off, wanted.off);
    agree("last loss", run.losses[1], wanted.losses[1]);
    assert.equal(run.first.unit, wanted.first.unit);
    agree("first step", run.first.measured, wanted.first.measured);
    agree("formula", run.first.formula, wanted.first.formula);
    agree("misfit", run.misfit, wanted.misfit, Math.max(...wanted.charges.flat().map(Math.abs))); // a difference of charges
  });
}

const net = layout([1, 3, 1], true);
const start = flattened([[[1.2], [-0.7], [0.5]], [[0.6, 1.1, -0.8]]], [[0.1, 0.3, -0.2], [0]]);
const data = { inputs: [[-1], [-0.4], [0.3], [0.9]], targets: [[1], [0.1], [-0.4], [0.6]] };
const plain = { lr: 0.1, until: 4, momentum: 0, decay: 0, p: 2, method: "descent", batch: 0, seed: 3 };
const run = (settings) => train(net, start, data, { ...plain, ...settings });

test("units and the ground: where parameters lie", () => {
  assert.deepEqual([...layout([2, 2, 1, 1], true).target], [1, 1, 2, 2, 1, 2, 3, 3, 3, 0, 0]);
  assert.deepEqual([...layout([2, 2, 1, 1], true).source], [0, 0, 0, 0, 0, 0, 1, 2, 0, 3, 0]);
});

test("one step of descent obeys its formula to rounding, on every minibatch and with weight decay; halving lr quarters it", () => {
  for (const batch of [0, 1, 3]) for (const decay of [0, 0.2]) assert.ok(run({ batch, decay }).misfit < 1e-15);
  agree("quarter", run({}).first.measured / run({ lr: 0.05 }).first.measured, 4);
});

test("control: the formula with the wrong sign, or that of the other exponent, does not fit", () => {
  const slope = new Float64Array(net.size);
  teacher(net, data).gradient(start, slope);
  const before = charges(net, start, 2);
  const after = run({ until: 0.1 }).charges[1];
  const drift = (settings) => oneStep(net, start, slope, before, { ...plain, ...settings }).map((x, h) => x - before[h]);
  const miss = (wanted) => Math.max(...after.map((x, h) => Math.abs(x - before[h] - wanted[h])));
  assert.ok(miss(drift({})) < 1e-15);
  assert.ok(miss(drift({}).map((x) => -x)) > 1e-3);
  assert.ok(miss(drift({ p: 1 })) > 1e-3);
});

test("over the same time the drift of descent halves with lr, for both exponents, with weight decay and on minibatches", () => {
  for (const settings of [{}, { p: 1 }, { decay: 0.2 }, { p: 1, decay: 0.2 }, { momentum: 0.5 }]) {
    const [coarse, fine] = [1 / 256, 1 / 512].map((lr) => run({ ...settings, lr }).off);
    assert.ok(Math.abs(coarse / fine - 2) < 0.06, `${JSON.stringify(settings)}: ${coarse / fine}`);
  }
  const [coarse, fine] = [1 / 128, 1 / 1024].map((lr) => run({ lr, batch: 2 }).off);
  assert.ok(coarse / fine > 6 && coarse / fine < 10, `minibatches: ${coarse / fine}`);
});

test("the law is exp(-decay p t) and no other: p = 1 and p = 2 differ", () => {
  for (const p of [1, 2]) {
    const fine = run({ p, decay: 0.2, lr: 1 / 512 });
    const [begun, end] = [fine.charges[0], fine.charges.at(-1)];
    const wrong = Math.max(...end.map((x, h) => Math.abs(x - begun[h] * Math.exp(-0.2 * (3 - p) * 4))));
    assert.ok(fine.off < 0.01 && wrong > 0.1, `${fine.off}, ${wrong}`);
  }
});

test("momentum multiplies the drift by (1 + beta) / (1 - beta), and Adam’s does not go away", () => {
  const lr = 1 / 1024;
  for (const momentum of [0.3, 0.5]) {
    const factor = run({ lr, momentum }).off / run({ lr }).off;
    assert.ok(Math.abs(factor / ((1 + momentum) / (1 - momentum)) - 1) < 0.03, `factor ${factor}`);
  }
  const [coarse, fine] = [1 / 64, 1 / 1024].map((step) => run({ lr: step, method: "adam" }).off);
  assert.ok(fine > 0.5 * coarse && fine > 10 * run({ lr }).off);
});

test("a run that runs away ends, and is said to have done so", () => {
  const wild = train(net, start.map((x) => 3 * x), data, { ...plain, lr: 2, until: 100 });
  assert.ok(!wild.complete && wild.steps < 40);
  assert.ok(!run({ lr: 4, until: 400 }).complete, "every unit has died and only the last bias swings");
  const seen = readOf(wild, run({}));
  assert.equal(seen.here.off, "ran away");
  assert.equal(seen.ratio.off, undefined);
});

test("a run keeps no more moments than are drawn, the last one among them", () => {
  const long = run({ lr: 4 / 1000 });
  assert.ok(long.times.length <= 162);
  agree("last time", long.times.at(-1), 4);
});

test("names beside the ends of lines do not overlap and stay inside", () => {
  for (const ys of [[10, 11, 12, 200], [190, 195, 196, 220], [NaN, 5, 500]]) {
    const places = apart(ys, 14, 10, 200);
    const sorted = [...places].sort((a, b) => a - b);
    sorted.slice(1).forEach((y, k) => assert.ok(y - sorted[k] >= 14 - 1e-9));
    assert.ok(sorted.at(-1) <= 200);
  }
  assert.deepEqual(apart([30, 90], 14, 10, 200), [30, 90]);
  assert.deepEqual(room([1, -1]), [-1.8, 1.8]);
});

test("the widget opens on a drift that is large, halves, and hardly shows with short steps", { skip: opening === null }, () => {
  const compute = runner();
  const [here, half, fine] = [opening.lr, opening.lr / 2, opening.until / 1024].map((lr) => compute(opening, lr));
  assert.ok(here.off > 0.5 && fine.off < 0.1);
  assert.ok(Math.abs(here.off / half.off - 2) < 0.1);
  assert.ok(here.losses[1] < 0.1 * here.losses[0]);
  assert.equal(compute(opening, opening.lr), here); // remembered
});
