// WhichGauge's sums, gauges, largest eigenvalues and quantiser against numbers that torch's autograd and gaugelib gave (FIXTURES names a
// JSON file), and statements about the two networks that its class ships.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { KINDS, along, gaugeOf, lanczos, placeOf, prepared, sharpest, turnedTo, value } from "../../../gaugelib/widgets/which_gauge/orbit.js";
import { answer, quantised, right, rounded } from "../../../gaugelib/widgets/which_gauge/quantiser.js";
import { REACH, comment, known, measured, memory } from "../../../gaugelib/widgets/which_gauge/widget.js";
import { symmetricEigen } from "../../../gaugelib/widgets/shared/eigen.js";

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

for (const { name, parts, log2_scales: dials, bits, wanted } of cases) {
  test(name, () => {
    const fixed = known(parts);
    const seen = measured({ log2_scales: dials, unit: 1, bits, example: 1 }, fixed);
    agree("f", seen.f, wanted.f);
    for (const kind of KINDS) {
      agree(kind, seen.bowls[kind].total, wanted[kind]);
      agree(`the least ${kind}`, fixed.least[kind], wanted.least[kind]);
      agree(`the gauge of ${kind}`, fixed.gauges[kind], wanted.gauges[kind]);
    }
    agree("the longest step", seen.step, wanted.step);
    agree("f quantised", seen.coarse.f, wanted.quantised);
    agree("the error", seen.error, wanted.error);
    agree("what becomes 0", seen.layers.map((layer) => layer.nothing), wanted.nothing);
  });
}

const dialsOf = (name, s) => opening._networks[name].weights[0].map((_, h) => s + 0.25 * (h % 3));
const remember = memory();
const fixedOf = (network) => remember({ network, _networks: opening._networks });
const see = (traits) => measured({ ...opening, ...traits }, fixedOf(traits.network ?? opening.network));

test("f stands still wherever the dials stand", () => {
  for (const network of ["hat", "digits"]) {
    for (const s of [-3, -0.7, 1.3, 4]) {
      assert.ok(see({ network, unit: 0, log2_scales: dialsOf(network, s) }).difference.relative < 1e-13);
    }
  }
});

test("each bowl over a dial is convex on the axis of log a, and its bottom is where it says", () => {
  for (const network of ["hat", "digits"]) {
    for (const unit of [0, 1, 2]) {
      const { sums } = fixedOf(network);
      const dials = dialsOf(network, 0.4);
      const places = Array.from({ length: 33 }, (_, k) => -REACH + k / 4);
      for (const kind of KINDS) {
        const { values, lowest } = along(sums, kind, dials, unit, places);
        for (let k = 1; k < values.length - 1; k += 1) assert.ok(values[k - 1] + values[k + 1] > 2 * values[k]);
        const at = (place) => value(sums, kind, turnedTo(dials, unit, place));
        for (const off of [-0.01, 0.01]) assert.ok(at(lowest + off) > at(lowest));
        assert.ok(at(lowest) >= value(sums, kind, gaugeOf(sums, kind)) * (1 - 1e-14));
      }
    }
  }
});

test("in its gauge a sum is at its least on every dial, and the two others are not", () => {
  for (const network of ["hat", "digits"]) {
    const { gauges } = fixedOf(network);
    for (const kind of KINDS) {
      for (const unit of [0, 1, 3]) {
        const seen = see({ network, unit, log2_scales: gauges[kind] });
        assert.ok(Math.abs(seen.bowls[kind].here - 1) < 1e-12);
        assert.ok(Math.abs(seen.bowls[kind].lowest - seen.at) < 1e-9);
        for (const other of KINDS.filter((each) => each !== kind)) assert.ok(seen.bowls[other].here > 1.005);
      }
    }
  }
});

test("control: with the wrong sign of the exponent the gauge of the trace is not its bottom", () => {
  const { sums, gauges } = fixedOf("hat");
  const wrong = gauges.trace.map((s) => -s);
  assert.ok(value(sums, "trace", wrong) > 1.5 * value(sums, "trace", gauges.trace));
});

test("the dial of all units moves none of what the quantiser makes of f, that of one unit does", () => {
  for (const network of ["hat", "digits"]) {
    const dials = dialsOf(network, 0);
    const error = (unit, place) => see({ network, unit, log2_scales: turnedTo(dials, unit, place) }).error;
    for (const place of [-3, 2]) assert.ok(Math.abs(error(0, place) / error(0, placeOf(dials, 0)) - 1) < 1e-9);
    assert.ok(Math.abs(error(1, -3) / error(1, 0) - 1) > 0.01);
  }
});

test("trace / m <= lambda_max <= trace", () => {
  for (const network of ["hat", "digits"]) {
    const fixed = fixedOf(network);
    const { weights, biases } = opening._networks[network];
    const m = [...weights.flat(2), ...biases.flat()].length;
    for (const s of [-2, 0, 2]) {
      const top = sharpest(fixed, dialsOf(network, s));
      const trace = value(fixed.sums, "trace", dialsOf(network, s));
      assert.ok(top <= trace * (1 + 1e-12) && top >= trace / m);
    }
  }
});

test("the dial turns what it should and nothing else", () => {
  const dials = [0.5, -1, 2];
  assert.equal(placeOf(dials, 2), -1);
  assert.equal(placeOf(dials, 0), 0.5);
  assert.deepEqual(turnedTo(dials, 2, 3), [0.5, 3, 2]);
  assert.deepEqual(turnedTo(dials, 0, 1.5), [1.5, 0, 3]);
});

test("Lanczos finds the largest eigenvalue that rotations find, also of a multiple of the identity", () => {
  const n = 12;
  const root = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => Math.sin(3 * i + 7 * j + i * j)));
  const matrix = root.map((row) => root.map((other) => row.reduce((total, x, k) => total + x * other[k], 0)));
  const apply = (rows) => (u) => Float64Array.from(rows, (row) => row.reduce((total, x, k) => total + x * u[k], 0));
  agree("largest", lanczos(apply(matrix), n), symmetricEigen(matrix).values.at(-1));
  agree("of the identity", lanczos((u) => u.map((x) => 3 * x), 5), 3);
});

test("rounding goes to the even number from halfway, and the largest weight stays", () => {
  assert.deepEqual([0.5, 1.5, 2.5, -0.5, -1.5, 63.5, -63.5, 0.49, 2.51].map(rounded).map((x) => x + 0), [0, 2, 2, 0, -2, 64, -64, 0, 3]);
  const { rows, step, nothing } = quantised([[0.9, -0.31], [0.04, 0.05]], 4);
  assert.equal(rows[0][0], 0.9);
  agree("step", step, 0.9 / 7);
  assert.equal(nothing, 0.5);
});

test("right answers are counted", () => {
  assert.equal(answer([0.1, 0.7, 0.7]), 1);
  assert.equal(right([[1, 0], [0, 1], [2, 1]], [[1, 0], [1, 0], [1, 0]]), 2);
});

test("nothing of what a dial does is said before one is turned; afterwards it is", () => {
  const said = (traits) => comment(see(traits), { ...opening, ...traits }, fixedOf(traits.network ?? opening.network));
  for (const network of ["hat", "digits"]) assert.doesNotMatch(said({ network, unit: 0, log2_scales: dialsOf(network, 0).map(() => 0) }), /\d/);
  assert.match(said({ log2_scales: fixedOf("hat").gauges.norm }), /^The norm² can be no smaller: gradient² 1\.53, trace 1\.53 times the least\./);
  assert.match(said({ log2_scales: [1, 0, 0] }), /^Norm² [\d.]+, gradient² [\d.]+, trace [\d.]+ times the least\. The longest step is 0\.\d+ times/);
});

test("a network is prepared once as long as it stays the same", () => {
  const again = memory();
  const traits = { network: "hat", _networks: opening._networks };
  assert.equal(again(traits), again(traits));
  assert.notEqual(again(traits), again({ network: "hat", _networks: { hat: { ...opening._networks.hat } } }));
  assert.equal(prepared(opening._networks.digits).units, 16);
});
