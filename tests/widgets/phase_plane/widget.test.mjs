// The mathematics of PhasePlane against numbers that torch and gaugelib produced in float64 (FIXTURES names a
// JSON file of cases), and statements about its moves that need none.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { moves, STEP } from "../../../gaugelib/widgets/phase_plane/moves.js";
import * as plane from "../../../gaugelib/widgets/phase_plane/two_weights.js";

const TOLERANCE = 1e-10;
const cases = process.env.FIXTURES ? JSON.parse(readFileSync(process.env.FIXTURES, "utf8")) : [];

function agree(what, found, wanted, size = Math.abs(wanted)) {
  const error = Math.abs(found - wanted) / (size || 1);
  assert.ok(error <= TOLERANCE, `${what}: relative error ${error} (found ${found}, wanted ${wanted})`);
}

for (const { name, point, start, target, p, wanted, scale, moved, least, crossing } of cases) {
  test(name, () => {
    const seen = plane.measures(point, start, target, p);
    const slope = plane.gradient(point, target);
    // The inner product and the imbalance are differences: their error is relative to what is subtracted.
    const sizes = {
      tangent: Math.abs(slope.w * point.w) + Math.abs(slope.v * point.v),
      imbalance: plane.size(point, p),
    };
    for (const [what, number] of Object.entries(wanted)) agree(what, seen[what], number, sizes[what]);
    const there = plane.rescaled(point, scale);
    agree("rescaled w", there.w, moved.w);
    agree("rescaled v", there.v, moved.v);
    const best = plane.smallest(point);
    agree("smallest w", best.w, least.w);
    agree("smallest v", best.v, least.v);
    if (crossing) {
      const met = plane.across(point, crossing.product, p);
      agree("crossed w", met.w, crossing.w);
      agree("crossed v", met.v, crossing.v);
    }
  });
}

const start = { w: 3, v: 0.4, p: 2 };
const square = plane.frame(start, 2);

function modelAt(traits) {
  const state = { ...start, ...traits };
  return {
    get: (name) => state[name],
    set: (name, value) => {
      assert.ok(Object.hasOwn(state, name) && Number.isFinite(value), `${name} = ${value}`);
      state[name] = value;
    },
    save_changes: () => {},
    state,
  };
}

test("powers of two leave the function bitwise the same; a move across does not", () => {
  const moved = plane.measures(plane.rescaled(start, 0.25), start, 2, 2);
  assert.equal(moved.difference, 0);
  assert.equal(moved.tangent, 0);
  assert.ok(plane.measures(plane.across(start, 1.3, 2), start, 2, 2).difference > 0.1);
});

test("control: a rescaling that forgets v moves the function and the loss", () => {
  const forgotten = { w: 2 * start.w, v: start.v };
  assert.ok(plane.measures(forgotten, start, 2, 2).difference > 1);
  assert.notEqual(plane.loss(forgotten, 2), plane.loss(start, 2));
});

test("ten thousand slides add no rounding to the function", () => {
  const model = modelAt({});
  const move = moves(model, start, square);
  for (let k = 0; k < 10_000; k += 1) move.slide(2 ** (STEP * ((7 * k) % 60) - 3));
  const { difference } = plane.measures(move.here(), start, 2, 2);
  assert.ok(difference <= 4.5e-16, `moved by ${difference}`);
});

test("sliding keeps w v, crossing keeps |w|^p - |v|^p, and the two meet at right angles for p = 2", () => {
  for (const p of [1, 2]) {
    const model = modelAt({ p });
    const move = moves(model, start, square);
    const charge = plane.imbalance(start, p);
    for (const value of [0.05, 0.4, 2, 3.5, -0.6]) {
      move.cross(value);
      assert.ok(Math.abs(move.product() - value) < 1e-14);
      assert.ok(Math.abs(plane.imbalance(move.here(), p) - charge) < 1e-14 * plane.size(start, p));
    }
  }
  const [before, after] = [1.2 - 1e-6, 1.2 + 1e-6].map((value) => plane.across(start, value, 2));
  const direction = { w: (after.w - before.w) / 2e-6, v: (after.v - before.v) / 2e-6 };
  const cosine = plane.inner(direction, plane.tangent(start)) / plane.length(direction) / plane.length(start);
  assert.ok(Math.abs(cosine) < 1e-8, `cosine ${cosine}`);
});

test("no move leaves the square, and none crosses w = 0 unless the point is free", () => {
  for (const from of [start, { w: 0.5, v: 3 }, { w: 1, v: 1 }, { w: 0.3, v: -0.9 }, { w: 2, v: 0 }, { w: -0.7, v: 2 }]) {
    for (const p of [1, 2]) {
      const model = modelAt({ ...from, p });
      const move = moves(model, start, square);
      const acts = [
        () => move.lead({ w: 99, v: -99 }, true), () => move.lead({ w: -99, v: 99 }, true), () => move.lead({ w: 0, v: 0 }, true),
        () => move.step([1, 0], true), () => move.step([-1, 0], true), () => move.step([0, 1], true), () => move.step([0, -1], true),
        ...(from.w > 0 ? [() => move.cross(-50), () => move.cross(50)] : []),
      ];
      for (const act of acts) {
        act();
        const { w, v } = move.here();
        const slack = 1e-12;
        for (const weight of [w, v]) assert.ok(weight >= square.low - slack && weight <= square.high + slack, `${w}, ${v}`);
        assert.equal(Math.sign(w), Math.sign(from.w));
      }
    }
  }
});

test("a led point stays on its orbit; a free one goes where it is led, even to the silent side", () => {
  const model = modelAt({});
  const move = moves(model, start, square);
  for (const pointer of [{ w: 1, v: 1 }, { w: 0.2, v: 3 }, { w: 4, v: 4 }, { w: -1, v: 0.1 }]) {
    move.lead(pointer, true);
    assert.ok(Math.abs(move.product() - 1.2) < 1e-15, `w v = ${move.product()}`);
  }
  move.lead({ w: -0.5, v: 1 }, false);
  assert.deepEqual(move.here(), { w: -0.5, v: 1 });
  assert.ok(plane.silent(move.here()));
  assert.deepEqual(plane.gradient(move.here(), 2), { w: 0, v: 0 });
  assert.equal(plane.curvature(move.here(), 2), 0);
  move.reset();
  assert.deepEqual(model.state, start);
});

test("free arrow keys walk on a grid of 0.05 and pass w = 0", () => {
  const model = modelAt({ w: 0.1, v: 0.4 });
  const move = moves(model, start, square);
  const seen = [0, 1, 2, 3].map(() => {
    move.step([-1, 0], false);
    return move.here().w;
  });
  assert.deepEqual(seen.map((w) => w + 0), [0.05, 0, -0.05, -0.1]);
  assert.equal(move.here().v, 0.4);
});

test("no function changes its argument", () => {
  const point = Object.freeze({ w: 3, v: -0.4 });
  plane.measures(point, point, 2, 1);
  for (const act of [plane.smallest, plane.tangent, (x) => plane.rescaled(x, 2), (x) => plane.across(x, 1, 1)]) act(point);
  assert.deepEqual(point, { w: 3, v: -0.4 });
});

test("an orbit is drawn inside the square, on its own side, and a far one not at all", () => {
  for (const side of [1, -1]) {
    for (const { w, v } of plane.hyperbola(0.2 * side, side, square)) {
      assert.ok(Math.sign(w) === side && Math.abs(w * v - 0.2 * side) < 1e-15);
      assert.ok(w >= square.low - 1e-12 && v <= square.high + 1e-12);
    }
  }
  assert.deepEqual(plane.hyperbola(20, 1, square), []);
});
