// Flows and steps in the plane of PhasePlane against numbers that scipy and torch produced in float64 (FIXTURES names a
// JSON file of cases), and statements that need none.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { integrate } from "../../../gaugelib/widgets/phase_plane/ode.js";
import { measuresOfFlow } from "../../../gaugelib/widgets/phase_plane/flow.js";
import { level } from "../../../gaugelib/widgets/phase_plane/level.js";
import { roundRange } from "../../../gaugelib/widgets/phase_plane/series.js";
import { balanced, charge, flow, ladder, stepDrift } from "../../../gaugelib/widgets/phase_plane/training.js";
import { across, gradient } from "../../../gaugelib/widgets/phase_plane/two_weights.js";

const TOLERANCE = 1e-10;
const cases = process.env.FIXTURES ? JSON.parse(readFileSync(process.env.FIXTURES, "utf8")) : { flows: [], ladders: [] };

function agree(what, found, wanted, size = Math.abs(wanted)) {
  const error = Math.abs(found - wanted) / (size || 1);
  assert.ok(error <= TOLERANCE, `${what}: relative error ${error} (found ${found}, wanted ${wanted})`);
}

for (const { name, start, settings, wanted } of cases.flows) {
  test(`flow ${name}`, () => {
    const seen = flow(start, settings);
    assert.ok(seen.arrived);
    const end = { w: seen.w.at(-1), v: seen.v.at(-1) };
    agree("w", end.w, wanted.w);
    agree("v", end.v, wanted.v);
    const size = settings.fan * Math.abs(end.w) ** settings.p + Math.abs(end.v) ** settings.p;
    agree("charge", charge(end, settings.p, settings.fan), wanted.charge, size);
  });
}

for (const { name, start, settings, wanted } of cases.ladders) {
  test(`steps ${name}`, () => {
    const { points } = ladder(start, { ...settings, count: wanted.w.length - 1 });
    assert.equal(points.length, wanted.w.length);
    points.forEach((point, k) => {
      agree("w", point.w, wanted.w[k]);
      agree("v", point.v, wanted.v[k], Math.abs(wanted.v[k]) + Math.abs(wanted.w[k]));
      agree("charge", charge(point, settings.p), wanted.charge[k], Math.abs(wanted.w[k]) ** 2 + Math.abs(wanted.v[k]) ** 2);
    });
  });
}

const furthest = (seen, value) => Math.max(...seen.w.map((w, k) => Math.abs(value({ w, v: seen.v[k] }))));

test("the flow of p keeps the charge of p and not the other one, and ends on w v = target", () => {
  for (const start of [{ w: 2, v: 0.1 }, { w: 0.4, v: 2 }, { w: 0.3, v: 0.3 }]) {
    for (const p of [1, 2]) {
      const seen = flow(start, { target: 3, p, until: 20 });
      assert.ok(furthest(seen, (q) => charge(q, p) - charge(start, p)) < 1e-11);
      const end = across(start, 3, p);
      agree("w", seen.w.at(-1), end.w);
      agree("v", seen.v.at(-1), end.v);
      if (start.w !== start.v) assert.ok(furthest(seen, (q) => charge(q, 3 - p) - charge(start, 3 - p)) > 0.05);
    }
  }
});

test("where the charge forbids a change of sign the flow ends at w = 0, at the v that the charge leaves", () => {
  const seen = flow({ w: 0.5, v: -2 }, { target: 3, p: 2, until: 20 });
  assert.ok(!seen.arrived && seen.w.at(-1) < 1e-8);
  assert.ok(Math.abs(seen.v.at(-1) + Math.sqrt(4 - 0.25)) < 1e-9);
  const free = flow({ w: 2, v: -0.5 }, { target: 3, p: 2, until: 20 });
  assert.ok(free.arrived && free.v.at(-1) > 0);
  assert.ok(flow({ w: 2, v: -0.5 }, { target: 3, p: 1, until: 20 }).v.every((v) => v < 0));
});

test("one step of gradient descent drifts by lr² (g_in² - g_out²), to rounding; halving lr quarters it", () => {
  for (const start of [{ w: 2, v: 0.1 }, { w: 0.4, v: 2 }, { w: 1.5, v: -0.5 }]) {
    const drifts = [0.1, 0.05].map((lr) => {
      const { points, summed } = ladder(start, { target: 3, p: 2, method: "descent", step: lr, count: 30 });
      points.forEach((point, k) => assert.ok(Math.abs(charge(point, 2) - summed[k]) < 1e-13));
      return charge(points[1], 2) - charge(start, 2);
    });
    agree("quarter", drifts[0] / drifts[1], 4);
  }
});

test("over the same time the drift of gradient descent halves with the step", () => {
  const drift = (lr) => charge(ladder({ w: 2, v: 0.1 }, { target: 3, p: 2, method: "descent", step: lr, count: 2 / lr }).points.at(-1), 2) - 3.99;
  const ratio = drift(1 / 512) / drift(1 / 1024);
  assert.ok(Math.abs(ratio - 2) < 0.02, `ratio ${ratio}`);
});

test("control: the drift with the wrong sign, or of another exponent, does not fit", () => {
  const start = { w: 2, v: 0.1 };
  const { points } = ladder(start, { target: 3, p: 2, method: "descent", step: 0.1, count: 1 });
  const measured = charge(points[1], 2) - charge(start, 2);
  assert.ok(Math.abs(measured + stepDrift(start, gradient(start, 3), 0.1, 2)) > 0.1);
  assert.ok(Math.abs(measured - stepDrift(start, gradient(start, 3), 0.1, 1)) > 0.1);
});

test("the exponentiated step drifts by its leading order, with an error of third order", () => {
  const start = { w: 2, v: 0.3 };
  const error = (lr) => {
    const { points, summed } = ladder(start, { target: 3, p: 1, method: "descent", step: lr, count: 1 });
    return Math.abs(charge(points[1], 1) - summed[1]);
  };
  const order = Math.log2(error(1e-3) / error(5e-4));
  assert.ok(Math.abs(order - 3) < 0.02, `order ${order}`);
});

test("the implicit midpoint keeps the charge at every step size, momentum has no such law", () => {
  for (const p of [1, 2]) {
    for (const lr of [0.02, 0.1, 0.3]) {
      const { points } = ladder({ w: 2, v: 0.1 }, { target: 3, p, method: "midpoint", step: lr, count: 40 });
      assert.equal(points.length, 41);
      for (const point of points) assert.ok(Math.abs(charge(point, p) - charge(points[0], p)) < 1e-12);
      assert.ok(Math.abs(points.at(-1).w * points.at(-1).v - 3) < 0.5);
    }
    const { points, summed } = ladder({ w: 2, v: 0.1 }, { target: 3, p, method: "momentum", step: 0.1, count: 40 });
    assert.ok(Math.abs(charge(points.at(-1), p) - summed.at(-1)) > 0.1);
  }
});

test("steps that run away end the ladder; a jump to the silent side stands still", () => {
  const far = ladder({ w: 0.05, v: 6 }, { target: 30, p: 1, method: "descent", step: 0.4, count: 100 });
  assert.equal(far.points.length, 1);
  const dead = ladder({ w: 0.5, v: -2 }, { target: 6, p: 2, method: "descent", step: 0.1, count: 5 });
  assert.ok(dead.points[1].w < 0);
  assert.deepEqual(dead.points[5], dead.points[1]);
});

test("what the mode shows at its default: the flow keeps its charge, the steps lose some of it", () => {
  const seen = measuresOfFlow({ w: 2, v: 0.1 }, { target: 6, p: 2, lr: 0.1, method: "descent", until: 8 / 6 });
  assert.ok(seen.flow.drift < 1e-11 && seen.steps.drift > 1.5 && seen.complete);
  assert.ok(Math.abs(seen.first - seen.predicted) < 1e-14);
  agree("arrived", seen.flow.w * seen.flow.v, 6, 6e4);
});

test("the minimum-norm gauge of a fan has no charge and stays on its orbit", () => {
  for (const p of [1, 2]) {
    for (const fan of [1, 2, 5]) {
      const point = balanced({ w: 0.7, v: -3 }, p, fan);
      assert.ok(Math.abs(charge(point, p, fan)) < 1e-14);
      agree("product", point.w * point.v, -2.1);
    }
  }
});

test("a curve of equal charge has that charge and goes to the edges of the square", () => {
  for (const p of [1, 2]) {
    for (const value of [2, 0.01, 0, -0.5, -3]) {
      const points = level(value, p, { low: -1, high: 4 }, 2).flat();
      for (const point of points) assert.ok(Math.abs(charge(point, p, 2) - value) < 1e-13);
      assert.ok(Math.abs(Math.max(...points.map((q) => Math.max(q.w, q.v))) - 4) < 1e-12);
      assert.ok(points.every((q) => q.w >= 0 && q.v >= -1 - 1e-12));
    }
    assert.deepEqual(level(50, p, { low: -1, high: 4 }, 2), []);
    assert.deepEqual(level(-50, p, { low: -1, high: 4 }, 2), []);
  }
});

test("the integrator is of fifth order, stops at an edge, and refuses a field that is not finite", () => {
  const turn = (w, v) => [-v, w];
  const error = (tolerance) => {
    const seen = integrate(turn, { w: 1, v: 0 }, { until: 20, tolerance });
    return [Math.hypot(seen.w.at(-1) - Math.cos(20), seen.v.at(-1) - Math.sin(20)), seen.times.length];
  };
  const [[coarse, few], [fine, many]] = [error(1e-6), error(1e-11)];
  const order = Math.log(coarse / fine) / Math.log(many / few);
  assert.ok(Math.abs(order - 5) < 0.5, `order ${order}`);
  const edge = integrate(turn, { w: 1, v: 0 }, { until: 20, inside: (w) => w > 0 });
  assert.ok(!edge.arrived && Math.abs(edge.times.at(-1) - Math.PI / 2) < 1e-9);
  const wild = integrate(() => [NaN, NaN], { w: 1, v: 0 }, { until: 1 });
  assert.deepEqual([wild.arrived, wild.times], [false, [0]]);
});

test("an axis holds its values and zero, at round numbers", () => {
  assert.deepEqual(roundRange([3.99, 2.3]), [0, 4]);
  assert.deepEqual(roundRange([-0.1, 0.2]), [-0.5, 0.5]);
  assert.deepEqual(roundRange([-3.75, -1.9]), [-4, 0]);
  assert.deepEqual(roundRange([-7, 12]), [-8, 15]);
});

test("no function changes its argument", () => {
  const start = Object.freeze({ w: 2, v: 0.1 });
  flow(start, Object.freeze({ target: 3, p: 2, until: 1 }));
  for (const method of ["descent", "momentum", "midpoint"]) ladder(start, Object.freeze({ target: 3, p: 1, method, step: 0.1, count: 3 }));
  assert.deepEqual(start, { w: 2, v: 0.1 });
});
