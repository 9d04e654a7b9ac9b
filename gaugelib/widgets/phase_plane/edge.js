// PhasePlane, mode "edge": gradient descent with step η on (w v − y)² / 2, and at which minimum it ends.

import { announcer, button, readout, slider } from "../shared/controls.js";
import { adjust, change, html, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { path } from "../shared/plane.js";
import { formula, readings } from "../shared/readings.js";
import { runner } from "../shared/runner.js";
import { levelPath } from "./level.js";
import { freeMoves } from "./moves.js";
import { dots, roundRange, series } from "./series.js";
import { orbitPath, stage } from "./stage.js";
import { imbalance, product, sharpness, size } from "./two_weights.js";

export const LAST = 40; // steps that are drawn, as in edge.py; where they lead is found by going on
const UNTIL = 20_000; // ... up to here
const FAR = 1e6; // a weight beyond is a run that has run away
const ARRIVED = 1e-12; // of |w v − y|, relative to 1 + |y|
const LONGEST = 16; // the longest cycle that is looked for
const SAME = 1e-9; // ... between places that differ by less than this, relatively
const BALANCED = 0.01; // of |Δ| / (w² + v²)
const PACE = 80; // milliseconds for a step

const error = (point, target) => product(point) - target;

/** One step of gradient descent; the neuron is linear, so that it goes on where w < 0. */
export function descend(point, target, lr) {
  const move = lr * error(point, target);
  return { w: point.w - move * point.v, v: point.v - move * point.w };
}

const charge = (point) => imbalance(point, 2);
const far = ({ w, v }) => !(Math.abs(w) + Math.abs(v) < FAR);
const apart = (a, b) => Math.hypot(a.w - b.w, a.v - b.v) / Math.hypot(a.w, a.v);
const measured = (point, target) => ({ sharpness: sharpness(point, target), charge: charge(point), product: product(point) });

/** Where a run ends: { kind, steps, point, period }, of kind "minimum", "saddle", "cycle", "diverges" or "moving". */
export function endOf(start, { target, lr }) {
  let point = start;
  for (let steps = 0; steps <= UNTIL; steps += 1) {
    if (far(point)) return { kind: "diverges", steps };
    if (Math.abs(error(point, target)) <= ARRIVED * (1 + Math.abs(target))) return { kind: "minimum", steps, point };
    if (size(point, 2) <= ARRIVED) return { kind: "saddle", steps, point: { w: 0, v: 0 } };
    point = descend(point, target, lr);
  }
  let later = point;
  for (let period = 1; period <= LONGEST; period += 1) {
    later = descend(later, target, lr);
    if (apart(point, later) < SAME) return { kind: "cycle", steps: UNTIL, period };
  }
  return { kind: "moving", steps: UNTIL };
}

/**
 * Everything that the mode shows: the points of the first steps (one more than are drawn, where the run has not run away),
 * their sharpness and charge, the charge that the law Δ′ = Δ (1 − η²e²) says for each from the one before, and the end.
 */
export function measuresOfEdge(start, { target, lr, steps }) {
  const points = [start];
  while (points.length < LAST + 2 && !far(points.at(-1))) points.push(descend(points.at(-1), target, lr));
  const charges = points.map(charge);
  const factors = points.map((point) => 1 - (lr * error(point, target)) ** 2);
  const law = charges.slice(1).map((_, k) => charges[k] * factors[k]);
  const here = Math.min(steps, points.length - 1);
  const end = endOf(start, { target, lr });
  return {
    points, charges, law, here, end,
    sharpness: points.map((point) => sharpness(point, target)),
    worst: Math.max(0, ...law.map((value, k) => Math.abs(value - charges[k + 1]) / size(points[k + 1], 2))),
    start: measured(start, target), now: measured(points[here], target), last: end.point ? measured(end.point, target) : {},
    kept: { measured: charges[here] / charges[0], law: factors.slice(0, here).reduce((a, b) => a * b, 1) },
    flow: Math.hypot(charges[0], 2 * target), // the sharpness where the flow ends, which keeps the charge
  };
}

/** The mode's element, the function that draws the model's state, and the traits that call for it. */
export function edge(life, model) {
  const begin = model.get("_start");
  const high = Math.max(2.6, ...[begin.w, begin.v, Math.sqrt(Math.abs(begin.target))].map((x) => 1.25 * Math.abs(x)));
  const square = { low: -high, high };
  const move = freeMoves(model, square, { least: square.low });
  const view = stage(life, { square, label: "the start (w, v)", moved: move.lead, stepped: move.step, silentSide: false });
  const { toX, toY } = view;
  const drawn = Object.fromEntries(
    ["gl-charge", "gl-solutions", "gl-ladder", "gl-ladder-dots"].map((kind) => [kind, svg("path", { class: kind })]),
  );
  const mark = svg("circle", { class: "gl-end", r: 5 });
  view.below.append(...Object.values(drawn), mark);
  const kinds = ["gl-charge", "gl-limit", "gl-ladder", "gl-ladder-dots"];
  const plot = (yLabel, label) => series({ label, x: [0, LAST], xLabel: "step k", yLabel, kinds, height: 168 });
  const sharp = plot("sharpness λ", "the sharpness at each step, below or above 2/η");
  const burnt = plot("imbalance Δ = w² − v²", "the imbalance at each step");
  const outcome = readout("outcome", "the run ends:");
  const table = readings({
    columns: ["start", "now", "end"],
    rows: [["steps", "steps k"], ["sharpness", "λ_max"], ["limit", "2/η"], ["charge", "Δ"], ["product", "w·v"]],
  });
  const exact = readings({ columns: ["measured", "law"], rows: [["next", "Δ at step k + 1"], ["kept", "Δ / Δ at step 0"]] });
  const worst = readout("worst", "max |Δ′ − law| / (w² + v²) =");

  const slide = (name, most, step, trait) => slider(life, {
    caption: name, name, min: Math.min(step, begin[trait]), max: Math.max(most, begin[trait]), step, act: (value) => change(model, { [trait]: value }),
  });
  const rate = slide("step size η", 1.2, 0.01, "lr");
  const aim = slide("target y", 2, 0.25, "target");
  const go = (steps) => change(model, { steps: Math.min(steps, LAST) });
  const run = runner(life, { pace: PACE, last: LAST, at: () => model.get("steps"), go });
  const halted = (act) => (value) => {
    run.stop();
    act(value);
  };
  const clock = slider(life, { caption: "step k", name: "step k", min: 0, max: LAST, step: 1, act: halted(go) });
  const one = button(life, { caption: "One step", act: halted(() => go(model.get("steps") + 1)) });
  const reset = button(life, { caption: "Reset", act: halted(() => change(model, begin)) });
  const remark = html("p", { class: "gl-remark" });
  const now = () => measuresOfEdge(move.here(), { target: model.get("target"), lr: model.get("lr"), steps: model.get("steps") });
  const voice = announcer(life, () => {
    const seen = now();
    return `${inWords(move.here())}, step size ${number(model.get("lr"), 2)}, 2/η ${number(2 / model.get("lr"))}. ` +
      `At step ${seen.here} sharpness ${number(seen.now.sharpness)}, imbalance ${number(seen.now.charge)}. ${remark.dataset.formula.replaceAll("_", " ")}`;
  });

  function draw() {
    const [start, target, lr, steps] = [move.here(), model.get("target"), model.get("lr"), model.get("steps")];
    const seen = now();
    const [whole, limit] = [steps === LAST, 2 / lr];
    view.set(start, inWords(start));
    const rungs = ["w", "v"].map((weight) => seen.points.slice(0, seen.here + 1).map((point) => held(point[weight])));
    const [backX, backY] = [(x) => toX(-x), (y) => toY(-y)]; // the half plane w < 0
    adjust(drawn["gl-charge"], { d: levelPath(seen.charges[0], 2, square, toX, toY) + levelPath(seen.charges[0], 2, square, backX, backY) });
    adjust(drawn["gl-solutions"], { d: orbitPath(target, 1, square, toX, toY) + orbitPath(target, -1, square, toX, toY) });
    adjust(drawn["gl-ladder"], { d: path(...rungs, toX, toY) });
    adjust(drawn["gl-ladder-dots"], { d: dots(...rungs, toX, toY) });
    const arrived = whole && seen.end.point;
    mark.toggleAttribute("hidden", !arrived);
    if (arrived) adjust(mark, { cx: toX(seen.end.point.w).toFixed(2), cy: toY(seen.end.point.v).toFixed(2) });
    const times = rungs[0].map((_, k) => k);
    const across = (value) => [[0, LAST], [value, value]];
    const curves = (values) => {
      const curve = [times, values.slice(0, times.length).map(held)];
      return { "gl-ladder": curve, "gl-ladder-dots": curve };
    };
    sharp.set(roundRange([2 * seen.flow]), { "gl-charge": across(seen.flow), "gl-limit": across(limit), ...curves(seen.sharpness) });
    burnt.set(roundRange([1.15 * seen.charges[0], -0.5 * seen.charges[0]]), { "gl-charge": across(seen.charges[0]), ...curves(seen.charges) });
    outcome.set(whole ? named(seen.end) : "–");
    table.set(
      {
        start: { ...seen.start, steps: "0", limit }, now: { ...seen.now, steps: String(seen.here), limit },
        end: whole ? { ...seen.last, steps: String(seen.end.steps), limit } : {},
      },
      { title: "the run", columns: ["start", "now", "end"] },
    );
    exact.set(
      { measured: { next: seen.charges[seen.here + 1], kept: seen.kept.measured }, law: { next: seen.law[seen.here], kept: seen.kept.law } },
      { title: "Δ′ = Δ(1 − η²e²)", columns: ["measured", "law"] },
    );
    worst.set(number(seen.worst));
    rate.set(lr, number(lr, 3));
    aim.set(target, number(target, 3));
    clock.set(steps, String(steps));
    run.set();
    one.root.toggleAttribute("disabled", steps === LAST);
    formula(remark, comment(seen, { steps, lr, target }));
    voice.speak();
  }

  const root = html(
    "div", { class: "gl-main" },
    html(
      "p", { class: "gl-question" }, "Gradient descent on ½e², where e = w·v − y, with steps of size η. All minima have the same loss, and each its own sharpness λ. ",
      html("strong", {}, "Which η leads to a balanced one?"),
    ),
    html(
      "div", { class: "gl-left" }, view.root,
      legend([["gl-solutions", "minima, w·v = y"], ["gl-charge", "the flow: Δ stays"], ["gl-ladder-dots", "steps", "M4 6h0M14 6h0M24 6h0"], ["gl-limit", "2/η"]]),
      rate.root, aim.root, clock.root, html("div", { class: "gl-row" }, run.root, one.root, reset.root),
    ),
    html("div", { class: "gl-right" }, sharp.root, burnt.root, outcome.root, table.root, exact.root, worst.root),
    remark, voice.root,
  );
  return { root, draw, follows: ["w", "v", "target", "lr", "steps"] };
}

const held = (value) => Math.min(Math.max(value, -1e4), 1e4); // far outside: a drawing takes no larger numbers
const inWords = ({ w, v }) => `w ${number(w, 3)}, v ${number(v, 3)}`;

function named({ kind, period }) {
  return {
    minimum: "at a minimum", saddle: "at the saddle (0, 0)", cycle: `in a cycle of ${period}`,
    diverges: "nowhere, it diverges", moving: "nowhere, it moves on",
  }[kind];
}

function comment({ end, last, start, charges }, { steps, lr, target }) {
  if (steps === 0) return "No step has been made yet.";
  if (steps < LAST) return `The first ${steps} of ${LAST} steps: where do they lead?`;
  switch (end.kind) {
    case "diverges":
      return `This step is too long: after ${end.steps} steps |w| + |v| is beyond 10⁶.`;
    case "cycle":
      return `Even the flattest minimum, of λ_max = 2|y|, is too sharp for this step: it goes round in ${end.period} steps, for ever.`;
    case "moving":
      return `After ${end.steps} steps it still moves, and in no cycle of up to ${LONGEST}.`;
    case "saddle":
      return "On the line w = −v both weights shrink to 0, which is a saddle: the least nudge leads away.";
    default:
      break;
  }
  if (lr * last.sharpness > 2) return "It stands still where λ_max > 2/η: a minimum that the least nudge leaves.";
  if (Math.abs(last.charge) < BALANCED * size(end.point, 2)) return `It ends balanced, |Δ| below 1 % of w² + v²: no minimum is flatter than λ_max = 2|y| = ${number(2 * Math.abs(target), 3)}.`;
  const share = Math.abs(last.charge / charges[0]);
  if (share > 0.9) return `It ends near the flow's minimum: Δ is still ${percent(share)} of what it was.`;
  return `The swings have burnt the imbalance: |Δ| is ${percent(share)} of what it was, and λ_max lies below 2/η.`;
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;
