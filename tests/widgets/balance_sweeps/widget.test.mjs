// The mathematics of BalanceSweeps against numbers that gaugelib produced in float64 (FIXTURES names a JSON file of
// cases), and statements that need none. MODULE is layered.js.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as layered from "../../../gaugelib/widgets/balance_sweeps/layered.js";
import { magnified, modeAmplitude } from "../../../gaugelib/widgets/balance_sweeps/network.js";
import { decades, logTicks } from "../../../gaugelib/widgets/shared/plane.js";
import { runner } from "../../../gaugelib/widgets/balance_sweeps/widget.js";

const TOLERANCE = 1e-10;
const ROUNDING = 1e-13; // of an imbalance: a difference of two flows, relative to their sum
const cases = process.env.FIXTURES ? JSON.parse(readFileSync(process.env.FIXTURES, "utf8")) : [];

function agree(what, found, wanted, slack = 0) {
  const [f, w] = [[found].flat(Infinity), [wanted].flat(Infinity)];
  assert.equal(f.length, w.length, what);
  const size = Math.max(...w.map(Math.abs));
  const error = Math.max(...w.map((x, k) => Math.abs(f[k] - x)));
  assert.ok(error <= TOLERANCE * size + slack, `${what}: relative error ${error / size}`);
}

for (const { name, opening, p, start, runs, least } of cases) {
  test(name, () => {
    const weights = layered.opening(opening);
    agree("start", weights, start);
    const C = layered.powers(weights, p);
    for (const { method, states, predicted } of runs) {
      const found = layered.run(method, C, p)(states.length - 1);
      assert.equal(found.length, states.length, `${method}: sweeps`);
      states.forEach((wanted, k) => {
        agree(`${method} norm`, found[k].norm, wanted.norm);
        agree(`${method} gamma`, found[k].gamma, wanted.gamma, ROUNDING);
        agree(`${method} imbalances`, found[k].imbalances, wanted.imbalances, ROUNDING);
        agree(`${method} layers`, found[k].layers, wanted.layers, ROUNDING);
        if (wanted.gamma > 1e-6) agree(`${method} share`, found[k].layerShare, wanted.share, ROUNDING / wanted.gamma);
        agree(`${method} weights`, layered.rescaledLayers(weights, found[k].logs), wanted.weights);
      });
      if (predicted !== null) agree(`${method} predicted`, layered.predictedRate(method, C.length), predicted, 1e-8);
    }
    agree("least norm", layered.run("two-level", C, p)(400).at(-1).norm, least);
  });
}

const network = (seed, depth = 5) => layered.opening({ given: [], depth, width: 4, sigma: 1, seed });
const traits = {
  weights: [], depth: 5, width: 4, log_std: 1, p: 2, method: "paper", sweeps: [16, 0, 16], random_state: 1,
};

test("the chain (8, 1, 1): one sweep of the paper by hand, and the limit (2, 2, 2)", () => {
  const chain = [[[8]], [[1]], [[1]]];
  const C = layered.powers(chain, 2);
  const states = layered.run("paper", C, 2)(2);
  assert.deepEqual(states.map(({ norm }) => norm.toFixed(2)), ["66.00", "26.46", "18.42"]);
  const last = layered.run("two-level", C, 2)(400).at(-1);
  assert.ok(layered.rescaledLayers(chain, last.logs).flat(2).every((weight) => Math.abs(weight - 2) < 1e-12));
});

test("no method ever raises the norm, for p = 1 and 2, from wild starts", () => {
  for (let seed = 0; seed < 30; seed += 1) {
    const given = layered.opening({ given: [], depth: 2 + (seed % 7), width: 1 + (seed % 5), sigma: 3, seed });
    for (const p of [1, 2]) {
      const C = layered.powers(given, p);
      for (const method of layered.METHODS) {
        const norms = layered.run(method, C, p)(40).map(({ norm }) => norm);
        norms.slice(1).forEach((norm, k) => assert.ok(norm <= norms[k] * (1 + 1e-12), `${method}, seed ${seed}`));
      }
    }
  }
});

test("control: a step three times as long as the paper's raises it", () => {
  const C = layered.powers([[[8]], [[1]], [[1]]], 2);
  let logs = [[0], [0]];
  const norms = [0, 1, 2, 3].map(() => {
    const { incoming, outgoing, totals } = layered.flows(C, logs, 2);
    logs = logs.map((layer, h) => layer.map((log, i) => log + (3 / 8) * Math.log(outgoing[h][i] / incoming[h][i])));
    return totals.reduce((sum, total) => sum + total, 0);
  });
  assert.ok(norms[3] > norms[2]);
});

test("whole layers are what is left in the long run, unless layers are corrected", () => {
  for (const seed of [1, 2, 3, 4]) {
    const C = layered.powers(network(seed), 2);
    const share = (method, sweeps) => layered.run(method, C, 2)(sweeps).at(-1).layerShare;
    assert.ok(share("paper", 0) < 0.5 && share("paper", 40) > 0.999 && share("alternating", 15) > 0.99);
    assert.ok(share("two-level", 8) < 0.2);
  }
});

test("the layers' imbalances take the shape of a sine, and fall by the predicted rate", () => {
  for (const depth of [3, 5, 8]) {
    const states = layered.run("paper", layered.powers(network(2, depth), 1), 1)(depth * depth * 4);
    const { layers } = states.at(-1);
    const mode = layered.slowMode(depth);
    const amplitude = layers[0] / mode[0];
    for (const [h, x] of layers.entries()) assert.ok(Math.abs(x / amplitude - mode[h]) < 0.01, `depth ${depth}`);
    const rate = layered.measuredRate(states.map(({ gamma }) => gamma));
    assert.ok(Math.abs(rate - layered.predictedRate("paper", depth)) < 1e-3, `depth ${depth}: ${rate}`);
  }
});

test("the drawn sine goes through the layers, for alternating balancing through the odd ones", () => {
  for (const [method, sweeps] of [["paper", 60], ["alternating", 25]]) {
    const { layers } = layered.run(method, layered.powers(network(2, 6), 2), 2)(sweeps).at(-1);
    const amplitude = modeAmplitude(layers, method);
    layered.slowMode(6).forEach((s, h) => {
      const wanted = method === "alternating" && h % 2 === 1 ? 0 : amplitude * s;
      assert.ok(Math.abs(layers[h] - wanted) < 0.02 * Math.abs(amplitude), `${method}, layer ${h + 1}`);
    });
  }
});

test("predicted rates: one half for two layers, exact balance by alternation, no formula for the solver", () => {
  assert.equal(layered.predictedRate("paper", 2), 0.5);
  assert.ok(layered.predictedRate("alternating", 2) < 1e-16);
  assert.ok(Number.isNaN(layered.predictedRate("two-level", 5)));
  assert.ok(Number.isNaN(layered.measuredRate([0.5])));
});

test("a run ends when it is balanced, and never goes beyond its bound", () => {
  const C = layered.powers(network(1), 2);
  const states = layered.run("two-level", C, 2)(400);
  assert.ok(states.length < 40 && layered.ended(states) && states.at(-1).gamma < layered.BALANCED);
  assert.equal(layered.run("paper", layered.powers(network(1, 8), 2), 2)(10_000).length, layered.MOST_SWEEPS + 1);
});

test("the layer correction makes all totals equal and leaves inputs and outputs alone", () => {
  const C = layered.powers(network(3), 2);
  const logs = layered.layerCorrected(C, C.slice(0, -1).map((rows) => rows.map(() => 0)), 2);
  const { totals } = layered.flows(C, logs, 2);
  for (const total of totals) assert.ok(Math.abs(total / totals[0] - 1) < 1e-13);
});

test("the runner shows what is asked for and computes a network only once", () => {
  const compute = runner();
  const first = compute(traits);
  assert.deepEqual(first.runs.map(({ states }) => states.length - 1), [16, 0, 16]);
  assert.equal(compute({ ...traits, sweeps: [3, 0, 0] }).runs[0].states[2], first.runs[0].states[2]);
  assert.notEqual(compute({ ...traits, p: 1 }).runs[0].states[2].norm, first.runs[0].states[2].norm);
});

test("no function changes its argument", () => {
  const frozen = (value) => Object.freeze(Array.isArray(value) ? value.map(frozen) : value);
  const weights = frozen(network(1));
  const C = frozen(layered.powers(weights, 2));
  const logs = frozen(C.slice(0, -1).map((rows) => rows.map(() => 0)));
  for (const method of layered.METHODS) layered.swept(method, C, logs, 2);
  layered.state(C, logs, 2);
  layered.rescaledLayers(weights, logs);
});

test("small imbalances are magnified with their sign; ticks of logarithmic axes are round", () => {
  assert.equal(magnified(-1), -1);
  assert.ok(magnified(0.001) > 0.05 && magnified(-0.001) < -0.05 && magnified(0) === 0);
  assert.deepEqual(logTicks(20, 70).map(([, text]) => text), ["20", "40", "60"]);
  assert.deepEqual(logTicks(9, 2000).map(([, text]) => text), ["10", "100", "1000"]);
  assert.deepEqual(decades(-12, 0).map(([, text]) => text), ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "1"]);
});
