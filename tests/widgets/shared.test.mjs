// What all widgets share. Numbers as text: against exact decimal arithmetic in Python (NUMBERS names a JSON file of [value, text, text with 3 digits]).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { number, signed } from "../../gaugelib/widgets/shared/format.js";
import { linear, path, ticks } from "../../gaugelib/widgets/shared/plane.js";

test("numbers are rounded and written as in Python", () => {
  for (const [value, four, three] of JSON.parse(readFileSync(process.env.NUMBERS, "utf8"))) {
    assert.equal(number(value), four);
    assert.equal(number(value, 3), three);
  }
});

test("what is not a number is called so", () => {
  for (const value of [NaN, Infinity, -Infinity]) assert.equal(number(value), "undefined");
});

test("a signed number always shows its sign", () => {
  assert.deepEqual([signed(2), signed(-0.25), signed(0)], ["+2.00", "−0.25", "+0.00"]);
});

test("ticks are round numbers inside the interval, and paths skip what is not finite", () => {
  assert.deepEqual(ticks(-1, 3, 5), [-1, 0, 1, 2, 3]);
  for (const t of ticks(-0.2, 1.2, 4)) assert.ok(t >= -0.2 && t <= 1.2);
  const same = linear(0, 1, 0, 10);
  assert.equal(same.back(same(0.3)), 0.3);
  assert.equal(path([0, 0.5, 1], [0, NaN, 1], same, same), "M0.00 0.00M10.00 10.00");
});
