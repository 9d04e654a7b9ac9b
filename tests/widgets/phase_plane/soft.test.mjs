// The mode "soft" of PhasePlane against numbers that gaugelib, torch and scipy produced in float64 (FIXTURES names a JSON
// file of cases), and statements that need none.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { measuresOfSoft, UNTIL } from "../../../gaugelib/widgets/phase_plane/soft.js";
import { growth, logRatio, PENALTIES, relax } from "../../../gaugelib/widgets/phase_plane/penalties.js";

const TOLERANCE = 1e-10;
const cases = process.env.FIXTURES ? JSON.parse(readFileSync(process.env.FIXTURES, "utf8")) : [];

function agree(what, found, wanted, size = Math.abs(wanted)) {
  const error = Math.abs(found - wanted) / (size || 1);
  assert.ok(error <= TOLERANCE, `${what}: relative error ${error} (found ${found}, wanted ${wanted})`);
}

for (const { name, start, settings, wanted } of cases) {
  test(name, () => {
    const { now, measured, exact, line } = measuresOfSoft(start, settings);
    agree("w", now.w, wanted.w);
    agree("v", now.v, wanted.v);
    agree("u", measured.u, wanted.u, 1);
    agree("charge", measured.charge, wanted.charge, wanted.w ** 2 + wanted.v ** 2);
    for (const what of ["product", "factor"]) {
      agree(what, measured[what], wanted[what]);
      agree(`exact ${what}`, exact[what], wanted[what]);
    }
    agree("exact charge", exact.charge, wanted.charge, wanted.w ** 2 + wanted.v ** 2);
    if (exact.u !== undefined) agree("exact u", exact.u, wanted.u, 1);
    assert.equal(line.times.at(-1), UNTIL);
  });
}

const start = { w: 3, v: 0.5 };
const seen = (penalty, strength = 0.5) => {
  const { w, v } = relax(start, { penalty, strength, until: UNTIL });
  return w.map((x, k) => ({ w: x, v: v[k] }));
};
const spread = (points, value) => Math.max(...points.map((q) => Math.abs(value(q) - value(points[0]))));

test("the penalty on the imbalance, and the one on the scale alone, never leave the hyperbola", () => {
  for (const penalty of ["imbalance", "gauge"]) {
    const points = seen(penalty);
    assert.ok(spread(points, ({ w, v }) => w * v) < 1e-10, penalty);
    assert.ok(Math.abs(logRatio(points.at(-1))) < 0.02);
  }
});

test("the Euclidean penalty on the log-ratio keeps to a circle and multiplies the function by cosh u0", () => {
  const points = seen("log-ratio", 3);
  assert.ok(spread(points, ({ w, v }) => w * w + v * v) < 1e-9);
  const factor = (points.at(-1).w * points.at(-1).v) / 1.5;
  assert.ok(Math.abs(factor - Math.cosh(Math.log(6))) < 1e-4, `factor ${factor}`);
  agree("cosh", growth(Math.log(6), 0), 37 / 12); // cosh(log 6) = (6 + 1/6) / 2
});

test("weight decay alone keeps the log-ratio and shrinks the function", () => {
  const points = seen("decay");
  assert.ok(spread(points, logRatio) < 1e-9);
  agree("shrunk", points.at(-1).w * points.at(-1).v, 1.5 * Math.exp(-10), 1.5);
});

test("control: with the strength of another time scale the closed forms do not fit", () => {
  for (const penalty of ["imbalance", "gauge", "decay"]) {
    const { measured } = measuresOfSoft(start, { penalty, strength: 0.1, time: 1 });
    const wrong = PENALTIES[penalty].exact(start, 0.11, 1);
    assert.ok(Math.abs(Math.hypot(wrong.w, wrong.v) - Math.hypot(...at(measured))) > 1e-3);
  }
  function at({ u, product }) {
    return [Math.sqrt(product * Math.exp(u)), Math.sqrt(product * Math.exp(-u))];
  }
});

test("the worked number: u from log 6 to 0.1 with strength 0.1 takes the time 4.43", () => {
  const time = (Math.log(Math.tanh(Math.log(6) / 2)) - Math.log(Math.tanh(0.05))) / (4 * 0.1 * 1.5);
  assert.equal(time.toFixed(2), "4.43");
  agree("u", logRatio(measuresOfSoft(start, { penalty: "imbalance", strength: 0.1, time }).now), 0.1);
});

test("at time 0 nothing has moved", () => {
  for (const penalty of Object.keys(PENALTIES)) {
    assert.deepEqual(measuresOfSoft(start, { penalty, strength: 0.5, time: 0 }).now, start);
  }
});
