// The mathematics of Majoriser against numbers that torch and gaugelib produced in float64 (FIXTURES names a JSON file
// of cases), and statements that need none.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { levelSegments, sampled } from "../../../gaugelib/widgets/shared/contour.js";
import { grid } from "../../../gaugelib/widgets/shared/numbers.js";
import * as proof from "../../../gaugelib/widgets/majoriser/chain.js";
import { curves, range } from "../../../gaugelib/widgets/majoriser/cut.js";
import { clipped, windowOf } from "../../../gaugelib/widgets/majoriser/map.js";
import { told } from "../../../gaugelib/widgets/majoriser/widget.js";

const TOLERANCE = 1e-10;
const cases = process.env.FIXTURES ? JSON.parse(readFileSync(process.env.FIXTURES, "utf8")) : [];

function agree(what, found, wanted) {
  const [f, w] = [[found].flat(), [wanted].flat()];
  assert.equal(f.length, w.length, what);
  const error = Math.max(...w.map((x, k) => Math.abs(f[k] - x))) / Math.max(...w.map(Math.abs));
  assert.ok(error <= TOLERANCE, `${what}: relative error ${error}`);
}

for (const { name, state, change, wanted } of cases) {
  test(name, () => {
    const { weights, logs, p } = state;
    const seen = proof.measuredStep(state);
    const found = {
      ...seen,
      weights: proof.rescaledChain(weights, logs),
      elsewhere: proof.majoriser(weights, logs, p, change),
      balanced: proof.balanced(weights, p).logs,
    };
    for (const [what, numbers] of Object.entries(wanted)) agree(what, found[what], numbers);
  });
}

const chain = (traits) => ({ weights: [8, 1, 1], logs: [0, 0], p: 2, exponent: 1, path: [], ...traits });

function walked(state, steps) {
  const norms = [];
  let now = state;
  for (let k = 0; k <= steps; k += 1) {
    const step = proof.measuredStep(now);
    norms.push(step.here);
    now = { ...now, logs: step.next };
  }
  return norms;
}

test("the worked numbers: (8, 1, 1) goes 66, 26.46, 18.42 and on to 12", () => {
  const norms = walked(chain(), 60);
  assert.deepEqual(norms.slice(0, 3).map((x) => x.toFixed(2)), ["66.00", "26.46", "18.42"]);
  assert.ok(Math.abs(norms.at(-1) - 12) < 1e-10);
  const first = proof.rescaledChain([8, 1, 1], proof.measuredStep(chain()).next);
  assert.deepEqual(first.map((w) => w.toFixed(3)), ["4.757", "1.682", "1.000"]);
  assert.ok(proof.rescaledChain([8, 1, 1], proof.balanced([8, 1, 1], 2).logs).every((w) => Math.abs(w - 2) < 1e-14));
});

test("the doubled step returns to G's starting value and leads to (2.828, 2.828, 1)", () => {
  const step = proof.measuredStep(chain({ exponent: 2 }));
  assert.ok(Math.abs(step.bound - step.here) < 1e-12 && Math.abs(step.after - 17) < 1e-12);
  assert.deepEqual(proof.rescaledChain([8, 1, 1], step.next).map((w) => w.toFixed(3)), ["2.828", "2.828", "1.000"]);
});

test("control: the step three times as long goes up, and runs away", () => {
  const norms = walked(chain({ exponent: 3 }), 13);
  assert.ok(norms[3] > norms[2] && norms[13] > 1e9);
});

const everywhere = [0.5, 1, 2, 3].flatMap((p) => [[8, 1, 1], [0.3, -5, 2], [1, 1, -0.01]].flatMap((weights) =>
  [[0, 0], [1, -0.5], [-2, 0.7]].map((logs) => ({ weights, logs, p, exponent: 1, path: [] }))));

test("G lies above F everywhere and touches it where the reader stands", () => {
  for (const { weights, logs, p } of everywhere) {
    const here = proof.normPower(weights, logs, p);
    assert.ok(Math.abs(proof.majoriser(weights, logs, p, [0, 0]) - here) <= 1e-14 * here);
    for (const first of grid(-1, 1, 9)) {
      for (const second of grid(-1, 1, 9)) {
        const [f, g] = [proof.normPower(weights, proof.add(logs, [first, second]), p), proof.majoriser(weights, logs, p, [first, second])];
        assert.ok(proof.atMost(f, g), `F ${f} above G ${g}`);
      }
    }
  }
});

test("control: half of G does not lie above F", () => {
  const g = 0.5 * proof.majoriser([8, 1, 1], [0, 0], 2, [0.1, 0]);
  assert.ok(!proof.atMost(proof.normPower([8, 1, 1], [0.1, 0], 2), g));
});

test("along the step G is least at exponent 1/(4p), and at 1/(2p) it is as before", () => {
  for (const state of everywhere) {
    const { along, unit } = proof.cut(state, "step");
    const g = (k) => proof.majoriser(state.weights, state.logs, state.p, along(k * unit));
    for (const k of [-0.5, 0, 0.5, 0.9, 1.1, 1.5, 2, 3]) assert.ok(g(1) < g(k));
    assert.ok(Math.abs(g(2) / g(0) - 1) < 1e-12 && g(3) > g(0));
  }
});

test("both allowed steps go down from everywhere; the words say which bound holds", () => {
  for (const state of everywhere) {
    for (const exponent of [1, 2]) {
      const step = proof.measuredStep({ ...state, exponent });
      assert.ok(step.after < step.here && proof.atMost(step.bound, step.here));
      assert.match(told({ ...state, exponent }).verdict, /^✓/);
    }
    assert.match(told({ ...state, exponent: 3 }).verdict, /^✗/);
  }
});

test("where no step is left, or the iteration has run away, it says so and stops", () => {
  const best = chain({ logs: proof.balanced([8, 1, 1], 2).logs });
  assert.equal(proof.halted(proof.measuredStep(best)), "arrived");
  assert.match(told(best).verdict, /balanced/);
  assert.equal(proof.halted(proof.measuredStep(chain({ logs: [12, -3] }))), "run away");
  assert.equal(proof.halted(proof.measuredStep(chain())), "");
});

test("the cut shows the point, the minimum and the way beyond it", () => {
  for (const state of everywhere) {
    for (const kind of ["step", "neuron 1", "neuron 2"]) {
      const drawn = curves(state, kind, proof.cut(state, kind));
      assert.ok(drawn.y[0] < Math.min(...drawn.f) && drawn.here < drawn.y[1]);
      assert.ok(drawn.ends[0] < 0 && drawn.ends[1] > 0);
      drawn.f.forEach((f, k) => assert.ok(proof.atMost(f, drawn.g[k])));
    }
  }
  const line = proof.cut(chain(), "neuron 2"); // balanced already: the window does not collapse
  assert.ok(range("neuron 2", line)[1] > 0.1);
});

test("a level line of a circle is a circle, and what leaves the window is cut at its edge", () => {
  const xs = grid(-2, 2, 41);
  const segments = levelSegments(sampled((x, y) => x * x + y * y, xs, xs), xs, xs, 2);
  assert.ok(segments.length > 40);
  for (const [x, y] of segments.flat()) assert.ok(Math.abs(x * x + y * y - 2) < 0.01);
  assert.deepEqual(levelSegments(sampled(() => 1, xs, xs), xs, xs, 2), []);
  const square = [[-1, 1], [-1, 1]];
  assert.deepEqual(clipped([0, 0], [2, 0], square), [[0, 0], [1, 0]]);
  assert.equal(clipped([2, 2], [3, 2], square), null);
  assert.equal(clipped([2.5, 0], [0, 2.5], square), null);
});

test("a saddle gives two segments that do not cross", () => {
  const [one, other] = levelSegments([[1, -1], [-1, 1]], [0, 1], [0, 1], 0.1);
  assert.equal(one.length, 2);
  assert.equal(other.length, 2);
  const side = ([x, y]) => Math.sign(x + y - 1);
  assert.ok(one.every((end) => side(end) === side(one[0])) && other.every((end) => side(end) === -side(one[0])));
});

test("the window holds where the reader began and where the balance is", () => {
  for (const { weights, logs, p } of everywhere) {
    const ends = windowOf({ weights, p, start: logs });
    const { logs: best } = proof.balanced(weights, p);
    for (const h of [0, 1]) for (const log of [logs[h], best[h]]) assert.ok(ends[h][0] < log && log < ends[h][1]);
  }
});
