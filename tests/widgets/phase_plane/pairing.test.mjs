// The mode "pairing" of PhasePlane against numbers that scipy produced in float64 (FIXTURES names a JSON file of cases),
// and statements that need none.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { FAN, measuresOfPairing, UNTIL } from "../../../gaugelib/widgets/phase_plane/pairing.js";
import { charge } from "../../../gaugelib/widgets/phase_plane/training.js";

const cases = process.env.FIXTURES ? JSON.parse(readFileSync(process.env.FIXTURES, "utf8")) : [];
const PAIRS = [[1, 1], [1, 2], [2, 1], [2, 2]];

function agree(what, found, wanted, size, tolerance = 1e-10) {
  const error = Math.abs(found - wanted) / size;
  assert.ok(error <= tolerance, `${what}: relative error ${error} (found ${found}, wanted ${wanted})`);
}

for (const { name, point, settings, wanted } of cases) {
  test(name, () => {
    const seen = measuresOfPairing(point, settings);
    agree("end", seen.end, wanted.end, wanted.size);
    agree("promised", seen.promised, wanted.promised, wanted.size);
    agree("change", seen.change, wanted.change, wanted.size);
    agree("driven", seen.driven, wanted.driven, wanted.size, 1e-7); // a quadrature of fourth order, for four digits
  });
}

const settings = { target: 4, decay: 0.1 };
const measured = (point, p, q, fixed) => measuresOfPairing(point, { ...settings, p, q, fixed });

test("a balanced network stays balanced in the paired flows only", () => {
  for (const [p, q] of PAIRS) {
    const { off, charges } = measured({ w: 0.5, v: 1 }, p, q, true);
    assert.ok(Math.abs(charges[0]) < 1e-15);
    if (p === q) assert.ok(off < 1e-12, `p = q = ${p}: ${off}`);
    else assert.ok(off > 0.5, `p = ${p}, q = ${q}: ${off}`);
  }
});

test("an imbalance decays as exp(-decay p t) in the paired flows only", () => {
  for (const [p, q] of PAIRS) {
    const { off } = measured({ w: 2.5, v: 0.6 }, p, q, false);
    assert.ok(p === q ? off < 1e-9 : off > 0.5, `p = ${p}, q = ${q}: ${off}`);
  }
});

test("the mismatch law holds for every pair; control: with the charge of p in place of q it holds for the paired", () => {
  for (const [p, q] of PAIRS) {
    const { change, driven, line } = measured({ w: 2.5, v: 0.6 }, p, q, false);
    assert.ok(Math.abs(change - driven) < 1e-7 * Math.abs(change));
    if (p === q) continue;
    let sum = 0;
    for (let k = 1; k < line.times.length; k += 1) {
      const at = (j) => charge({ w: line.w[j], v: line.v[j] }, p, FAN);
      sum += 0.5 * (line.times[k] - line.times[k - 1]) * (at(k - 1) + at(k));
    }
    assert.ok(Math.abs(change + settings.decay * p * sum) > 0.1 * Math.abs(change));
  }
});

test("the regulariser decides where the flow ends: the charge of q dies out, whatever the metric", () => {
  for (const [p, q] of PAIRS) {
    const { line } = measuresOfPairing({ w: 1.5, v: 2 }, { target: 4, decay: 0.4, p, q, fixed: false });
    const end = { w: line.w.at(-1), v: line.v.at(-1) };
    assert.equal(line.times.at(-1), UNTIL);
    assert.ok(Math.abs(charge(end, q, FAN)) < 0.05, `p = ${p}, q = ${q}: ${charge(end, q, FAN)}`);
    assert.ok(Math.abs(charge(end, 3 - q, FAN)) > 0.5);
  }
});

test("control: with one input nothing is seen, for |w| = |v| balances both exponents", () => {
  const point = { w: 1.3, v: 1.3 };
  for (const p of [1, 2]) {
    assert.equal(charge(point, p, 1), 0);
    assert.notEqual(charge(point, p, FAN), 0);
  }
});

test("without weight decay every charge stays", () => {
  for (const [p, q] of PAIRS) assert.ok(measuresOfPairing({ w: 2.5, v: 0.6 }, { target: 4, decay: 0, p, q, fixed: false }).off < 1e-9);
});
