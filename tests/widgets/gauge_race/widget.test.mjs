// GaugeRace's reading of the stored runs against numbers that gaugelib.experiments gives (FIXTURES names a JSON file), and
// statements about what it says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { comment } from "../../../gaugelib/widgets/gauge_race/widget.js";
import { ARMS, curve, gains, moment, place } from "../../../gaugelib/widgets/gauge_race/curves.js";

const { kept, cases } = JSON.parse(readFileSync(process.env.FIXTURES, "utf8"));
const FULL = { size: "full", optimiser: "sgd", depth: 3, guess: "" };

for (const { name, which, arm, wanted } of cases) {
  test(name, () => {
    for (const [quantity, values] of Object.entries(wanted)) {
      const found = curve(kept, which, arm, quantity);
      assert.equal(found.length, 31);
      // The state is rounded to three or four digits.
      values.forEach((value, k) => assert.ok(Math.abs(found[k] - value) <= 6e-3 * Math.abs(value), `${quantity} at ${k}: ${found[k]}, ${value}`));
    }
  });
}

test("before the first step the arms are one function, and all of the gain is penalty", () => {
  for (const { which } of cases) {
    const now = moment(kept, which, 0);
    for (const arm of ARMS) assert.equal(now[arm].loss, now.never.loss);
    assert.equal(gains(now).loss, 0);
    assert.ok(gains(now).whole > 0);
  }
});

test("at full size most of the gain is penalty in the end, at the small one most of it is loss", () => {
  for (const optimiser of ["sgd", "egd"]) {
    for (const depth of [3, 5, 7]) {
      assert.ok(gains(moment(kept, { size: "full", optimiser, depth }, 30)).loss < 0.25);
      assert.ok(gains(moment(kept, { size: "small", optimiser, depth }, 30)).loss > 0.5);
    }
  }
});

test("a share of the gain has a place", () => {
  assert.deepEqual([0, 0.3, 0.5, 0.7, 1, 1.07].map(place), ["never", "never", "middle", "every", "every", "every"]);
});

test("nothing of the outcome is said before the first epoch", () => {
  const said = comment(kept, { ...FULL, epoch: 0 });
  assert.match(said, /Nothing has been learnt/);
  assert.doesNotMatch(said, /%|gain|penalty/);
});

test("afterwards a guess is answered by where “once” lies", () => {
  const at = (guess, epoch = 10) => comment(kept, { ...FULL, guess, epoch });
  assert.match(at("every"), /^As you expected: after 10 epochs “once” has 100 %/);
  assert.match(at("middle"), /^You expected “once” in the middle\. After 10 epochs/);
  assert.match(at("", 1), /^After 1 epoch “once” has 100 %/);
  assert.match(at("", 30), /0\.305, of which 8 % is loss and the rest penalty; it was 0\.283 before/);
});
