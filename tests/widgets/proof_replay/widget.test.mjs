// ProofReplay's data and words: traces that gaugelib ran (FIXTURES names a JSON file), unpacked, against the
// same traces written out in Python; and statements about bars, words and places that need no fixture.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as replay from "../../../gaugelib/widgets/proof_replay/replay.js";
import { places, stroke } from "../../../gaugelib/widgets/proof_replay/sketch.js";

const cases = process.env.FIXTURES ? JSON.parse(readFileSync(process.env.FIXTURES, "utf8")) : [];
const NAMED = { nan: NaN, inf: Infinity, "-inf": -Infinity };
const decoded = (x) => (typeof x === "string" ? NAMED[x] : x);

function agree(what, found, wanted) {
  if (!Number.isFinite(wanted)) return assert.ok(Object.is(found, wanted), `${what}: ${found}, wanted ${wanted}`);
  const error = Math.abs(found - wanted) / (Math.abs(wanted) || 1);
  return assert.ok(error <= 1e-10, `${what}: relative error ${error} (found ${found}, wanted ${wanted})`);
}

for (const { name, packed, drop, network, steps } of cases) {
  test(name, () => {
    const run = replay.runOf(packed, drop, network);
    assert.equal(run.steps.length, steps.length);
    run.steps.forEach((step, k) => {
      const wanted = steps[k];
      assert.equal(step.text, wanted.text);
      assert.equal(replay.claim(step), wanted.claim);
      assert.equal(step.holds, wanted.holds);
      assert.equal(step.place.words, wanted.place);
      assert.deepEqual(step.place.edges, wanted.edges);
      assert.deepEqual(step.place.units, wanted.units);
      agree(`${k + 1} left`, step.left.value, decoded(wanted.left));
      agree(`${k + 1} right`, step.right.value, decoded(wanted.right));
      agree(`${k + 1} slack`, step.slack, decoded(wanted.slack));
    });
    assert.equal(replay.summary(run.steps), replay.summary(steps));
  });
}

const side = (value) => ({ name: "s", value });
const step = (left, relation, right, size = NaN) => ({ left: side(left), relation, right: side(right), size, slack: right - left, holds: true });

test("bars begin at 0 and end at their numbers, on one scale", () => {
  assert.deepEqual(replay.bars(step(1, "≤", 4)), { left: [0, 0.25], right: [0, 1], gap: [0.25, 1], zero: 0 });
  assert.deepEqual(replay.bars(step(4, "≤", 1)), { left: [0, 1], right: [0, 0.25], gap: [0.25, 1], zero: 0 });
  assert.deepEqual(replay.bars(step(-1, "≤", 3)), { left: [0, 0.25], right: [0.25, 1], gap: [0, 1], zero: 0.25 });
});

test("what is rounding against its size has no length to be seen", () => {
  assert.ok(replay.bars(step(3e-14, "=", 2e-14, 5)).left[1] < 1e-13);
  assert.equal(replay.bars(step(3e-14, "=", 2e-14)).left[1], 1); // control: without a size it fills the bar
  assert.deepEqual(replay.bars(step(0, "=", 0)), { left: [0, 0], right: [0, 0], gap: [0, 0], zero: 0 });
});

test("an infinite side fills its bar, a missing one has none", () => {
  assert.deepEqual(replay.bars(step(2, "≤", Infinity)).right, [0, 1]);
  const { left, right, gap } = replay.bars(step(1e6, "≤", NaN));
  assert.deepEqual([left, right, gap], [[0, 1], [0, 0], [0, 0]]);
});

test("numbers are shown as everywhere; what has no value is none", () => {
  assert.deepEqual([0.65392, -9.007, 1e6, -1.8e-15, 0].map(replay.shown), ["0.6539", "−9.007", "1.0e+6", "−1.8e−15", "0"]);
  assert.deepEqual([NaN, Infinity, -Infinity].map(replay.shown), ["none", "∞", "−∞"]);
});

test("an equality has a difference, an inequality slack", () => {
  assert.deepEqual(replay.slackOf({ relation: "=", slack: -2 }), ["difference", 2]);
  assert.deepEqual(replay.slackOf({ relation: "≤", slack: -2 }), ["slack", -2]);
});

test("the summary names the steps that fail", () => {
  const steps = (...verdicts) => verdicts.map((holds) => ({ holds }));
  assert.equal(replay.summary(steps(true, true)), "every step holds");
  assert.equal(replay.summary(steps(true, false)), "step 2 fails");
  assert.equal(replay.summary(steps(false, true, false, false)), "steps 1, 3 and 4 fail");
});

test("a step is spoken with its verdict, its numbers and its slack", () => {
  const said = replay.spoken({ ...step(1, "≤", 4), holds: false }, 2, 8);
  assert.equal(said, "Step 2 of 8 fails: s ≤ s. 1.000 ≤ 4.000, slack 3.000.");
  const asked = replay.spoken({ ...step(1, "≤", 4), holds: false }, 2, 8, false);
  assert.equal(asked, "Step 2 of 8: s ≤ s. 1.000 ≤ 4.000, slack 3.000.");
});

test("the first step that fails is found, if there is one", () => {
  const steps = (...verdicts) => verdicts.map((holds) => ({ holds }));
  assert.equal(replay.firstBroken(steps(true, false, true, false)), 2);
  assert.equal(replay.firstBroken(steps(true, true)), undefined);
});

test("a step or network that is not there becomes the nearest that is", () => {
  assert.deepEqual([-3, 1, 2, 9].map((k) => replay.within(k, [0, 0, 0])), [1, 1, 2, 3]);
  const packed = { runs: { "": [{ steps: [], network: 0 }, { steps: [], network: 1 }] }, words: ["one", "two"], pictures: [] };
  assert.deepEqual([[0, ""], [2, ""], [7, ""], [1, "unknown"]].map(([n, drop]) => replay.runOf(packed, drop, n).network), ["one", "two", "two", "one"]);
});

test("units of a sketch stand apart, inside, and in the order of their columns", () => {
  const at = places([[1, 2, 3], [4, 5]], 360, 132);
  const points = [...at.values()];
  assert.equal(points.length, 7);
  for (const [x, y] of points) assert.ok(x >= 13 && x <= 347 && y >= 13 && y <= 119, `${x}, ${y}`);
  for (const [x, y] of points) assert.equal(points.filter(([u, v]) => Math.hypot(x - u, y - v) < 30).length, 1);
  const columns = ["x", 1, 4, "y"].map((unit) => at.get(unit)[0]);
  assert.deepEqual(columns, [...columns].sort((a, b) => a - b));
  assert.ok(stroke(1) <= 10 && stroke(0.25) > stroke(0.04));
});
