// The mode "edge" of PhasePlane against numbers that torch and gaugelib produced in float64 (FIXTURES names a JSON file of
// cases), and statements that need none.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { descend, endOf, LAST, measuresOfEdge } from "../../../gaugelib/widgets/phase_plane/edge.js";
import { product, sharpness, size } from "../../../gaugelib/widgets/phase_plane/two_weights.js";

const TOLERANCE = 1e-10;
const cases = process.env.FIXTURES ? JSON.parse(readFileSync(process.env.FIXTURES, "utf8")) : [];

function agree(what, found, wanted, scale = Math.abs(wanted)) {
  const error = Math.abs(found - wanted) / (scale || 1);
  assert.ok(error <= TOLERANCE, `${what}: relative error ${error} (found ${found}, wanted ${wanted})`);
}

for (const { name, start, settings, wanted } of cases) {
  test(name, () => {
    const seen = measuresOfEdge(start, { ...settings, steps: LAST });
    assert.equal(seen.points.length, LAST + 2);
    seen.points.slice(0, -1).forEach((point, k) => {
      const scale = wanted.size[k];
      agree("w", point.w, wanted.w[k], Math.sqrt(scale));
      agree("v", point.v, wanted.v[k], Math.sqrt(scale));
      agree("product", product(point), wanted.product[k], scale);
      agree("size", size(point, 2), scale);
      agree("charge", seen.charges[k], wanted.charge[k], scale);
      agree("sharpness", seen.sharpness[k], wanted.sharpness[k]);
      if (k > 0) agree("law", seen.law[k - 1], wanted.charge[k], scale);
    });
    assert.equal(seen.end.kind, "minimum");
    agree("end sharpness", seen.last.sharpness, wanted.end.sharpness);
    agree("end charge", seen.last.charge, wanted.end.charge, wanted.end.sharpness);
    agree("kept", seen.kept.measured, seen.kept.law, 1);
    assert.ok(seen.worst < 1e-14, `law: ${seen.worst}`);
  });
}

const start = { w: 2, v: 0.1 };
const end = (lr, target = 1, from = start) => endOf(from, { target, lr });

test("a small step ends near the flow's minimum, whose sharpness is the root of Δ² + 4y²", () => {
  const { kind, point } = end(0.01);
  assert.equal(kind, "minimum");
  assert.ok(Math.abs(sharpness(point, 1) - Math.hypot(3.99, 2)) < 0.01);
});

test("a minimum is reached only if it is no sharper than 2/η, and a large step burns the imbalance", () => {
  for (const lr of [0.1, 0.3, 0.5, 0.6, 0.7, 0.8]) {
    const { kind, point } = end(lr);
    assert.equal(kind, "minimum");
    assert.ok(sharpness(point, 1) < 2 / lr);
    assert.ok(Math.abs(product(point) - 1) < 1e-11);
  }
  const { point } = end(0.685);
  assert.ok(Math.abs(point.w ** 2 - point.v ** 2) < 1e-3);
});

test("too long a step diverges, and the run keeps the points up to there", () => {
  assert.equal(end(1).kind, "diverges");
  const seen = measuresOfEdge(start, { target: 1, lr: 1, steps: LAST });
  assert.ok(seen.points.length < 20 && seen.here === seen.points.length - 1);
  assert.deepEqual(seen.last, {});
});

test("a balanced run beyond η = 1/y goes round in 2, then 4 steps, and then in no cycle", () => {
  const from = { w: 1.2, v: 1.2 };
  assert.deepEqual([1.1, 1.24, 1.9].map((lr) => end(lr, 1, from)).map(({ kind, period }) => [kind, period]), [["cycle", 2], ["cycle", 4], ["moving", undefined]]);
});

test("the two other fixed points of the map are cycles of 2 of the weights, w to −w", () => {
  for (const [value, side] of [[1 + 2 / 0.5, 1], [1 - 2 / 0.5, -1]]) {
    const point = { w: Math.sqrt(Math.abs(value)), v: side * Math.sqrt(Math.abs(value)) };
    const next = descend(point, 1, 0.5);
    assert.ok(Math.hypot(next.w + point.w, next.v + point.v) < 1e-14);
  }
});

test("on the line w = −v the run ends at the saddle, and at an unstable minimum it stands still", () => {
  assert.equal(end(0.3, 1, { w: 1, v: -1 }).kind, "saddle");
  const { kind, steps } = end(0.9, 1, { w: 2, v: 0.5 });
  assert.deepEqual([kind, steps], ["minimum", 0]);
});

test("control: a charge that forgets the factor, or takes it with the other sign, is not the next one", () => {
  const { charges, law } = measuresOfEdge(start, { target: 1, lr: 0.5, steps: LAST });
  assert.ok(Math.abs(charges[0] - charges[1]) > 0.1);
  assert.ok(Math.abs(2 * charges[0] - law[0] - charges[1]) > 0.1);
});

test("at step 0 nothing has moved, and nothing is changed by looking", () => {
  const point = Object.freeze({ w: 2, v: 0.1 });
  const seen = measuresOfEdge(point, { target: 1, lr: 0.5, steps: 0 });
  assert.equal(seen.here, 0);
  assert.deepEqual(seen.now, seen.start);
  assert.equal(seen.kept.law, 1);
});
