// Numbers as text: against exact decimal arithmetic in Python (NUMBERS names a JSON file of [value, text, text with 3 digits]).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { number, signed } from "../../gaugelib/widgets/shared/format.js";

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
