// SharpnessAlongOrbit's derivatives and spectra against numbers that torch's autograd and gaugelib gave (FIXTURES names a JSON file),
// and statements about the points that its class ships.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { alongOrbit, alongTangent, balancing, derivatives, generator, loss, spectrum } from "../../../gaugelib/widgets/sharpness_along_orbit/curvature.js";
import { signedLog, signedTicks } from "../../../gaugelib/widgets/sharpness_along_orbit/plots.js";
import { comment, lossRange, measured, originOf, unflat, wordsOf } from "../../../gaugelib/widgets/sharpness_along_orbit/widget.js";
import { rescaled } from "../../../gaugelib/widgets/shared/one_layer.js";

const TOLERANCE = 1e-10;
const { cases, opening } = JSON.parse(readFileSync(process.env.FIXTURES, "utf8"));

/** The largest difference of two lists, relative to the largest number that was wanted. */
function agree(what, found, wanted) {
  const [f, w] = [[found].flat(2), [wanted].flat(2)];
  assert.equal(f.length, w.length, what);
  const size = Math.max(...w.map(Math.abs)) || 1;
  const error = Math.max(...w.map((x, k) => Math.abs(f[k] - x))) / size;
  assert.ok(error <= TOLERANCE, `${what}: relative error ${error}`);
}

for (const { name, theta, log2_scales: dials, decay, unit, data, steps, tangent, wanted } of cases) {
  test(name, () => {
    const origin = unflat(theta);
    const net = rescaled(origin, dials.map((s) => 2 ** s));
    const { gradient, hessian } = derivatives(net, data);
    agree("gradient", gradient, wanted.gradient);
    agree("hessian", hessian.map((row) => [...row]), wanted.hessian);
    const seen = spectrum(net, data, decay);
    for (const what of ["values", "trace", "top", "curvature", "formula", "loss", "penalised", "slope"]) agree(what, seen[what], wanted[what]);
    agree("generator", generator(net, unit), wanted.generator);
    agree("balancing", balancing(origin).map((s) => 2 ** s), wanted.balancing);
    const orbit = alongOrbit(net, data, decay, unit, steps);
    agree("orbit", orbit.loss, wanted.orbit);
    agree("bowl", orbit.penalised, wanted.bowl);
    agree("line", alongTangent(net, data, unit, tangent), wanted.line);
  });
}

const see = (traits) => measured({ ...opening, ...traits });
const DIALS = [[0, 0, 0], [1, -2, 0.5], [3, 3, -3], [-2.75, 1, 0], [5.5, 0, 0]]; // the last lies beyond the dials
const decays = opening._minima.decays.slice(1);
const data = { x: opening.inputs, y: opening.targets };

test("at a minimum there are as many zeros as hidden units, in every gauge, and f does not move", () => {
  for (const dials of DIALS) {
    const { here, difference, level } = see({ log2_scales: dials });
    assert.equal(here.modes.length, 3);
    assert.deepEqual(here.held, [0, 1, 2]);
    for (const k of here.modes) assert.ok(Math.abs(here.values[k]) <= 1e-12 * here.top);
    for (const curved of here.curvature) assert.ok(Math.abs(curved) <= 1e-12 * here.top);
    assert.ok(difference.absolute <= 1e-14 && level <= 1e-15);
  }
});

test("the other eigenvalues keep their signs and nothing else: the largest moves by the dials", () => {
  const tops = DIALS.map((dials) => see({ log2_scales: dials }).here);
  for (const { values, top } of tops) assert.equal(values.filter((value) => value > 1e-9 * top).length, 7);
  assert.ok(tops[2].top > 10 * tops[0].top);
});

test("with decay the zeros stand at twice lambda, to 1e-10 of it, at the minimum of the penalised loss", () => {
  for (const decay of decays) {
    const { here } = see({ decay });
    assert.equal(here.modes.length, 3);
    for (const k of here.modes) assert.ok(Math.abs(here.values[k] / (2 * decay) - 1) <= 1e-10);
    assert.ok(here.values.at(-1) > 0, "a minimum");
    assert.ok(here.slope <= 1e-13);
  }
});

test("control: a dial takes its unit away from 2 lambda, and only its own", () => {
  const { here } = see({ decay: 0.004, log2_scales: [0, 1, 0] });
  assert.deepEqual(here.held, [0, 2]);
  assert.equal(here.modes.length, 2);
  assert.equal(see({ decay: 0.004, log2_scales: [1, 1, -1] }).here.modes.length, 0);
});

test("control: away from a critical point nothing is marked, L is level and its curvature has either sign", () => {
  for (const dials of DIALS) {
    const { here, level, bounds } = see({ point: "away", log2_scales: dials });
    assert.deepEqual([here.modes, here.held], [[], []]);
    assert.ok(level <= 1e-14);
    here.curvature.forEach((value, h) => assert.ok(Math.abs(value - here.formula[h]) <= 1e-12 * here.top));
    assert.ok(Math.min(...here.curvature) < -0.1 && Math.max(...here.curvature) > 0.1);
    assert.ok(here.curvature.every((value, h) => Math.abs(value + here.formula[h]) > 0.1), "the wrong sign");
    assert.ok(bounds.low <= here.values.at(-1) && here.top <= bounds.high);
  }
});

test("the second derivative on the line is v_h^T H v_h, to the order of the step; on the orbit it is 0", () => {
  const { moved, here } = see({ point: "away", log2_scales: DIALS[1] });
  for (const h of [0, 1, 2]) {
    const [less, at, more] = alongTangent(moved, data, h, [-1e-3, 0, 1e-3]);
    assert.ok(Math.abs((less - 2 * at + more) / 1e-6 - here.curvature[h]) < 1e-5);
    const level = alongOrbit(moved, data, 0, h, [-1e-3, 0, 1e-3]).loss;
    assert.ok(Math.abs(level[0] - 2 * level[1] + level[2]) < 1e-15);
  }
});

test("the minimum-norm gauge is the bottom of each bowl", () => {
  const origin = originOf(opening);
  const net = rescaled(origin, balancing(origin).map((s) => 2 ** s));
  for (const h of [0, 1, 2]) {
    const { penalised } = alongOrbit(net, data, 0.01, h, [-0.01, 0, 0.01]);
    assert.ok(penalised[1] < penalised[0] && penalised[1] < penalised[2]);
  }
});

test("nothing of what a dial does is said before one is turned", () => {
  for (const traits of [{}, { decay: 0.004 }, { point: "away" }]) {
    const said = comment(see(traits), { ...opening, ...traits });
    assert.doesNotMatch(said, /λ_max|times/);
  }
  assert.match(comment(see({}), opening), /3 of the 10 eigenvalues are 0, one for each hidden unit/);
});

test("afterwards it is said what has moved, and that the minimum was left", () => {
  const said = (traits) => comment(see(traits), { ...opening, ...traits });
  assert.match(said({ log2_scales: [1, 0, 0] }), /in this gauge too\. f stands still; λ_max is [\d.]+ times/);
  assert.match(said({ decay: 0.004 }), /^At the minimum of L_λ 3 eigenvalues stand at 2λ = 0\.008/);
  assert.match(said({ decay: 0.004, log2_scales: [0, 1, 0] }), /have left the minimum of L_λ: .* still at 2λ: unit 1, unit 3\./);
  assert.match(said({ decay: 0.004, log2_scales: [1, 1, 1] }), /none is left at 2λ/);
  assert.match(said({ point: "away" }), /^Not critical, \|∇L\| = 1\.39: no eigenvalue is set to 0\. L is level/);
});

test("marks are named by a word", () => {
  assert.equal(wordsOf(see({}).here, 0), "3 zeros");
  assert.equal(wordsOf(see({ decay: 0.001 }).here, 0.001), "3 at 2λ = 0.002");
  assert.equal(wordsOf({ modes: [1, 2], held: [0] }, 0), "2 zeros, 1 by symmetry");
  assert.equal(wordsOf({ modes: [2], held: [0] }, 0), "1 zero");
});

test("the axis is odd, has a place for 0, and its marks lie inside", () => {
  assert.equal(signedLog(0), 0);
  for (const x of [1e-5, 0.02, 7, 3000]) assert.equal(signedLog(-x), -signedLog(x));
  assert.deepEqual(signedTicks(0, 20), [[0, "0"], [signedLog(0.01), "0.01"], [signedLog(0.1), "0.1"], [signedLog(1), "1"], [signedLog(10), "10"]]);
  assert.deepEqual(signedTicks(-2, 0.5).map(([, text]) => text), ["0", "0.01", "−0.01", "0.1", "−0.1", "−1"]);
});

test("the plot of the loss has room for the point, whatever the dials say", () => {
  for (const traits of [{}, { point: "away" }, { decay: 0.008 }]) {
    const all = { ...opening, ...traits };
    const [low, high] = lossRange(originOf(all), data, all.decay);
    for (const dials of DIALS) assert.ok(low < loss(see({ ...traits, log2_scales: dials }).moved, data) && see({ ...traits, log2_scales: dials }).here.loss < high);
  }
});
