// AttentionHead's sums against numbers that torch's own attention gave (FIXTURES names a JSON file), and statements about what it says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { dialsOf, groups, lightest, measured } from "../../../gaugelib/widgets/attention_head/head.js";
import { REACH, comment } from "../../../gaugelib/widgets/attention_head/widget.js";

const { head, cases } = JSON.parse(readFileSync(process.env.FIXTURES, "utf8"));
const GIVEN = { part: "qk", log2_scales: [0, 0, 0, 0], answers: true, rotary: false, tied: true, _head: head };

const near = (found, wanted, what, size = Math.abs(wanted)) =>
  assert.ok(Math.abs(found - wanted) <= 1e-11 * Math.max(size, 1e-3), `${what}: ${found}, not ${wanted}`);
const nearAll = (found, wanted, what) => wanted.forEach((row, i) => row.forEach((value, j) => near(found[i][j], value, `${what} ${i}, ${j}`, 1)));
const said = (traits) => comment(measured({ ...GIVEN, ...traits }), { ...GIVEN, ...traits });

for (const { name, traits, keeps, wanted } of cases) {
  test(name, () => {
    const seen = measured({ ...GIVEN, ...traits });
    nearAll(seen.patterns[1], wanted.pattern, "pattern");
    nearAll(seen.outputs[1], wanted.outputs, "outputs");
    for (const [key, value] of Object.entries(wanted.changes)) near(seen.changes[key], value, key, 1);
    near(seen.norm, wanted.norm, "norm");
    near(seen.least, wanted.least, "least");
    lightest(head, traits.part, traits.rotary).dials.forEach((s, c) => near(s, wanted.lightest[c], `dial ${c}`, 1));
    assert.equal(seen.same.pattern && seen.same.output, keeps);
    assert.equal(seen.same.pattern, keeps || traits.part === "vo");
  });
}

test("factors that are powers of two move not a bit", () => {
  for (const part of ["qk", "vo"]) {
    for (const rotary of [false, true]) {
      const { changes, norm, least } = measured({ ...GIVEN, part, rotary, log2_scales: [4, 4, -2, -2] });
      assert.deepEqual(changes, { pattern: 0, output: 0 });
      assert.ok(norm > 2 * least);
    }
  }
});

test("others move rounding alone", () => {
  const { changes } = measured({ ...GIVEN, log2_scales: [0.25, 1.75, -0.5, 3.25] });
  assert.ok(changes.pattern > 0 && changes.pattern < 1e-14);
});

test("a shared dial stands at the mean of its two, and only queries and keys share", () => {
  const dials = [1, -1, 3, 2];
  assert.deepEqual(dialsOf({ ...GIVEN, log2_scales: dials, rotary: true }), [0, 0, 2.5, 2.5]);
  for (const other of [{}, { rotary: true, tied: false }, { part: "vo", rotary: true }]) assert.deepEqual(dialsOf({ ...GIVEN, log2_scales: dials, ...other }), dials);
  assert.deepEqual(groups("qk", true), [[0, 1], [2, 3]]);
});

test("at the lightest the norm is the least, every beam is level, and the head is the same", () => {
  for (const part of ["qk", "vo"]) {
    for (const rotary of [false, true]) {
      const traits = { ...GIVEN, part, rotary, log2_scales: lightest(head, part, rotary).dials };
      const seen = measured(traits);
      near(seen.norm, seen.least, "norm");
      for (const { sizes: [first, second] } of seen.orbits) near(first, second, "beam");
      assert.ok(seen.same.pattern && seen.same.output);
      assert.ok(seen.dials.every((s) => Math.abs(s) < REACH));
      assert.match(comment(seen, traits), /No writing of this head is lighter/);
    }
  }
});

test("nothing of what a dial does is said before one is turned", () => {
  for (const answers of [true, false]) {
    for (const part of ["qk", "vo"]) assert.match(said({ part, answers }), /^The head as it is given: every a is 1\. Turn a dial: what moves, and what stands still\?$/);
  }
});

test("what is said is what is seen", () => {
  const dials = { log2_scales: [2, -1, 0, 1] };
  assert.match(said(dials), /every a is a power of two, and not a bit moves\. The two matrices have 3\.17 times/);
  assert.match(said({ log2_scales: [0.25, 1.75, -0.5, 3.25] }), /what moves is rounding/);
  assert.match(said({ ...dials, answers: false }), /The keys do not answer.*the attention moves/);
  assert.match(said({ ...dials, part: "vo", answers: false }), /No value enters the attention, so it stands still; but the output moves/);
  assert.match(said({ ...dials, rotary: true, tied: false }), /they move the attention, though every key answers/);
  assert.match(said({ log2_scales: [1, 1, -2, -2], rotary: true, tied: false }), /not a bit moves/);
});

test("later tokens get no attention, and every row adds up to one", () => {
  for (const rotary of [false, true]) {
    const [rows] = measured({ ...GIVEN, rotary }).patterns;
    rows.forEach((row, t) => {
      assert.ok(row.slice(t + 1).every((share) => share === 0));
      near(row.reduce((total, share) => total + share, 0), 1, "sum");
    });
  }
});
