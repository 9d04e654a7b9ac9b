// SixPages' loss, gradient, descent and geometry against numbers that gaugelib gave (FIXTURES names a JSON file), and statements
// about the book.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { HALVES, PAGES, angleOf, distances, leastOn, nearest, round } from "../../../gaugelib/widgets/six_pages/book.js";
import { FRAMES, MOST, NOISE, against, descendFree, descendOn, length, noisy, onPage, pageMatrix, spaced, stepSize } from "../../../gaugelib/widgets/six_pages/descent.js";
import { band, landscapeOf } from "../../../gaugelib/widgets/six_pages/landscape.js";
import { frameOf } from "../../../gaugelib/widgets/six_pages/page.js";
import { viewOf } from "../../../gaugelib/widgets/six_pages/spread.js";
import { comment, matchOf, pathOf, small, stateOf, trailOf } from "../../../gaugelib/widgets/six_pages/widget.js";

const TOLERANCE = 1e-10;
const { cases, paths, sides, opening } = JSON.parse(readFileSync(process.env.FIXTURES, "utf8"));

/** The largest difference of two lists, relative to the largest number that was wanted, or to 1. */
function agree(what, found, wanted) {
  const [f, w] = [[found].flat(2), [wanted].flat(2)];
  assert.equal(f.length, w.length, what);
  const size = Math.max(1, ...w.map(Math.abs));
  const error = Math.max(...w.map((x, k) => Math.abs(f[k] - x))) / size;
  assert.ok(error <= TOLERANCE, `${what}: relative error ${error}`);
}

for (const { name, n, W, teacher, random_state: state, wanted } of cases) {
  test(name, () => {
    const loss = against(n, pageMatrix(n, teacher[0] - teacher[1], (teacher[0] + (n - 1) * teacher[1]) / n));
    const { loss: height, gradient } = loss.at(W);
    agree("loss", height, wanted.loss);
    agree("gradient", [...gradient], wanted.gradient);
    const { delta, mean } = onPage(n, gradient);
    agree("projected", pageMatrix(n, delta, mean), wanted.projected);
    const point = onPage(n, W);
    const on = loss.on(point.delta, point.mean);
    agree("on_page", [on.loss, ...pageMatrix(n, on.slope.delta, on.slope.mean)], wanted.on_page);
    agree("distances", distances(n, W).map(({ distance }) => distance), wanted.distances);
    const at = round(n, W);
    agree("round", [at.x, at.y, at.mean, at.outside], wanted.round);
    agree("noisy", noisy(W, state), wanted.noisy);
    agree("step", stepSize(n, W, loss.size), wanted.step);
  });
}

for (const { name, n, traits, wanted } of paths) {
  test(name, () => {
    const { places } = pathOf(landscapeOf(n, traits.teacher), traits);
    assert.deepEqual(places.map(({ step }) => step), wanted.steps);
    agree("losses", places.map(({ loss }) => loss), wanted.losses);
    agree("weights", places.map(({ W }) => W), wanted.weights);
  });
}

for (const { n, teacher, side, least } of sides) {
  test(`the least loss for n = ${n}, teacher ${teacher}, on the side ${side}`, () => {
    const { loss } = landscapeOf(n, teacher);
    const found = leastOn(loss, side);
    agree("least", found.loss, least);
    agree("and it is there", loss.at(pageMatrix(n, found.delta, found.mean)).loss, least);
    assert.ok(found.delta * side >= 0);
  });
}

const see = (traits) => stateOf({ ...opening, ...traits });
const wrong = landscapeOf(3, [-0.5, 1]);

test("descent keeps the side on which it starts, with three units and with two, and ends at the least loss there", () => {
  for (const [n, teacher] of [[3, [-0.5, 1]], [3, [1, 0]], [3, [1, 0.4]], [2, [1, 0]], [2, [-0.5, 1]]]) {
    const land = landscapeOf(n, teacher);
    for (const delta of [-1.2, -0.05, 0.05, 1.2]) {
      const { points, losses } = descendOn(land.loss, delta, 0.2);
      assert.ok(points.every((W) => onPage(n, W).delta * delta > 0), `${n} ${teacher} ${delta}`);
      const { least } = land.halves.find(({ side }) => side * delta > 0);
      assert.ok(Math.abs(losses.at(-1) - least.loss) < 1e-9, `${losses.at(-1)} ${least.loss}`);
    }
  }
});

test("control: with raw sharing of a and b, where each weight counts as often as it occurs, the spine is crossed", () => {
  let here = [0.05, 0.1];
  for (let k = 0; k < 200; k += 1) {
    const { slope } = wrong.loss.on(...here);
    const [diagonal, other] = [slope.mean + (2 / 3) * slope.delta, slope.mean - slope.delta / 3];
    const [a, b] = [here[1] + (2 / 3) * here[0] - 0.01 * 3 * diagonal, here[1] - here[0] / 3 - 0.01 * 6 * other];
    here = [a - b, (a + 2 * b) / 3];
  }
  assert.ok(here[0] < -0.1, String(here));
});

test("on the spine descent stays on the spine; without noise no constraint is needed to stay on the page", () => {
  const spine = descendOn(wrong.loss, 0, 0.3).points;
  assert.ok(spine.every((W) => Math.abs(onPage(3, W).delta) < 1e-14));
  const free = descendFree(wrong.loss, pageMatrix(3, 0.6, 0)).points.slice(0, 200);
  assert.ok(free.every((W) => distances(3, W)[0].distance < 1e-12));
});

test("the page turns to a 3-cycle, 60 degrees round the spine, and the teacher is found, for either direction", () => {
  const ends = new Set();
  for (let state = 1; state <= 20; state += 1) {
    const { here, stuck } = see({ relaxed: true, shown: 72, random_state: state });
    assert.ok(here.loss < 1e-9 && here.near && here.right);
    assert.equal(stuck.page.name, "e");
    const angle = Math.abs(((here.angle - stuck.angle + 540) % 360) - 180);
    assert.ok(Math.abs(angle - 60) < 0.01, String(angle));
    ends.add(here.page.name);
  }
  assert.deepEqual([...ends].sort(), ["(1 2 3)", "(1 3 2)"]);
});

test("control: with two units, and where a + 2b = 0, there is no trap", () => {
  assert.ok(see({ units: 2 }).here.solved);
  assert.ok(see({ teacher: [1, -0.5], delta: -0.9 }).here.solved);
  assert.ok(!see({}).here.solved && !see({ teacher: [1, 0], delta: -0.6 }).here.solved);
});

test("every page is a straight line through the spine, at its angle; the odd ones lie in no plane of this book", () => {
  for (const { angle, name, sign } of HALVES[3]) {
    const { to } = PAGES[3].find((page) => page.name === name);
    const plain = pageMatrix(3, sign * 0.7, 0.3);
    const W = plain.map((_, k) => plain[to.indexOf(Math.floor(k / 3)) * 3 + (k % 3)]);
    const at = round(3, W);
    assert.ok(at.outside < 1e-15 && Math.abs(at.mean - 0.3) < 1e-15 && Math.abs(Math.hypot(at.x, at.y) - 0.7) < 1e-15);
    assert.ok(Math.abs(((angleOf(at) - angle + 540) % 360) - 180) < 1e-9);
    assert.deepEqual([nearest(3, W).page.name, Math.sign(nearest(3, W).delta)], [name, sign]);
    assert.ok(Math.abs(wrong.loss.at(W).loss - wrong.loss.at(plain).loss) < 1e-15, "each page is a copy");
  }
  const odd = round(3, [0, 1, 0, 1, 0, 0, 0, 0, 1]);
  assert.ok(Math.hypot(odd.x, odd.y) < 1e-15 && Math.abs(odd.outside - Math.SQRT2) < 1e-15);
  assert.equal(angleOf(odd), null);
});

test("lengths on the page are lengths in the space of matrices", () => {
  const { p, q } = wrong.size;
  const [one, other] = [pageMatrix(3, 0.4, -0.1), pageMatrix(3, -0.2, 0.5)];
  assert.ok(Math.abs(length(one.map((x, k) => x - other[k])) - Math.hypot(p * 0.6, q * 0.6)) < 1e-15);
  const { toX, toY } = frameOf(wrong.size, 300);
  assert.ok(Math.abs((toX(1) - toX(0)) / p - (toY(0) - toY(1)) / q) < 1e-9);
});

test("the view of the book puts half pages where their points lie", () => {
  const view = viewOf(wrong.size, 350, 300, 300);
  for (const { angle } of HALVES[3]) {
    const numbers = view.leaf(angle).transform.match(/-?[\d.]+/g).map(Number);
    const t = (angle * Math.PI) / 180;
    const { at } = view.place([0.5 * wrong.size.delta * Math.cos(t), 0.5 * wrong.size.delta * Math.sin(t), 0]);
    assert.ok(Math.abs(numbers[0] * 500 + numbers[4] - at[0]) < 0.1 && Math.abs(numbers[1] * 500 + numbers[5] - at[1]) < 0.1);
  }
});

test("a band is the part of a grid below its level: areas", () => {
  const area = (text) => text.split("M").slice(1).reduce((sum, part) => sum + shoelace(part), 0);
  const whole = band([[0, 0, 0], [0, 0, 0]], [0, 1, 2], [0, 1], 1, (x) => x * 100);
  assert.equal(area(whole), 20000);
  assert.equal(area(band([[0, 1], [0, 1]], [0, 1], [0, 1], 0.25, (x) => x * 100)), 2500);
  assert.equal(band([[2, 3], [2, 3]], [0, 1], [0, 1], 1, (x) => x), "");
});

function shoelace(part) {
  const points = [];
  for (const [, letter, numbers] of `M${part}`.matchAll(/([MLHV])([-\d. ]+)/g)) {
    const [x, y] = numbers.trim().split(" ").map(Number);
    const last = points.at(-1);
    points.push(letter === "H" ? [x, last[1]] : letter === "V" ? [last[0], x] : [x, y]);
  }
  return Math.abs(points.reduce((sum, [x, y], k) => sum + x * points[(k + 1) % points.length][1] - points[(k + 1) % points.length][0] * y, 0)) / 2;
}

test("places are spaced by the length of the path, ends included", () => {
  const points = [[0], [1], [1.5], [2], [4], [10]];
  assert.deepEqual(spaced(points, 5), [0, 3, 4, 5, 5, 5]);
  assert.deepEqual(spaced([[3]], 2), [0, 0, 0]);
});

test("noise is drawn anew from each state, with the standard deviation that is said", () => {
  const zero = Array(9).fill(0);
  const all = Array.from({ length: 2000 }, (_, k) => noisy(zero, k)).flat();
  assert.ok(Math.abs(all.reduce((sum, x) => sum + x, 0) / all.length) < 3e-4);
  assert.ok(Math.abs(Math.sqrt(all.reduce((sum, x) => sum + x * x, 0) / all.length) / NOISE - 1) < 0.02);
  assert.notDeepEqual(noisy(zero, 1), noisy(zero, 2));
});

test("the words say where descent rests, and nothing of what noise will do before it is added", () => {
  const said = comment(see({}));
  assert.match(said, /^Descent is at rest after 515 steps, on the side of the spine where it began, δ > 0\. L = 0\.05428, the least/);
  assert.doesNotMatch(said, /\(1|turn|60/);
  assert.match(comment(see({ relaxed: true, shown: 72 })), /L < 1e-9\. W lies on the page of \(1 [23] [23]\), 60° round the spine, on the side with the teacher’s sign/);
  assert.match(comment(see({ shown: 5 })), /^Step \d+, on the page: L = /);
  assert.match(comment(see({ relaxed: true, shown: 40 })), /^Step \d+, without the constraint/);
  assert.match(comment(see({ units: 2 })), /another W that computes what the teacher does/);
  assert.match(comment(see({ teacher: [1, -0.5], delta: -0.9, relaxed: true, shown: 72 })), /as before: the noise has not turned the page/);
});

test("from anywhere on the spine descent rests on the spine, and the words say no more of it", () => {
  for (const mean of [-0.3, 0.3, 1]) {
    const state = see({ delta: 0, mean });
    assert.equal(new Set(state.here.W).size, 1);
    assert.match(comment(state), /on the spine, where it began\. L = [\d.]+ is not 0\./);
    assert.doesNotMatch(comment(see({ delta: 0, mean, relaxed: true, shown: 72 })), /,,|,\./);
  }
});

test("the trail is cut where another page becomes the nearest", () => {
  const state = see({ relaxed: true, shown: 72 });
  const parts = trailOf(state);
  assert.equal(parts.flat().length, 73);
  assert.ok(parts.length >= 2);
  assert.ok(parts[0].length >= FRAMES[0] + 1);
  assert.ok(MOST > state.path.second.steps);
});

test("with two units the rows of the other side are exchanged", () => {
  const { here, land } = see({ units: 2 });
  const { page, right } = matchOf(2, here);
  assert.deepEqual([page.name, right], ["(1 2)", true]);
  page.to.forEach((to, i) => [0, 1].forEach((j) => assert.ok(Math.abs(here.W[to * 2 + j] - land.teacher[i * 2 + j]) < 1e-5)));
  assert.deepEqual(matchOf(3, see({}).here).page.name, "e");
});

test("what is rounding is not written as a number", () => {
  assert.deepEqual([0, 5e-10, 0.01234567].map(small), ["< 1e-9", "< 1e-9", "0.01235"]);
});
