// PhasePlane, mode "flow": the charge stays on the lines of gradient flow, and leaves them step by step.

import { announcer, button, checkbox, choice, slider } from "../shared/controls.js";
import { adjust, change, html, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { path } from "../shared/plane.js";
import { formula, readings } from "../shared/readings.js";
import { levelFamily, levelPath } from "./level.js";
import { freeMoves, STEP } from "./moves.js";
import { dots, roundRange, series } from "./series.js";
import { stage } from "./stage.js";
import { charge, flow, ladder, stepDrift } from "./training.js";
import { frame, gradient, product } from "./two_weights.js";

const MOST_STEPS = 400;
const METHODS = {
  descent: ["gradient descent", "exponentiated descent"],
  momentum: ["momentum, β = 0.5", "exponentiated, β = 0.5"],
  midpoint: ["implicit midpoint", "implicit midpoint"],
};
const named = (method, p) => METHODS[method][2 - p];
const chargeName = (p) => (p === 2 ? "w² − v²" : "|w| − |v|");
const driftName = (p) => (p === 2 ? "η²(g_in² − g_out²)" : "η²/2 (|w| g_in² − |v| g_out²)");

/** Everything that the mode shows of a state of the model. */
export function measuresOfFlow(start, { target, p, lr, method, until }) {
  const line = flow(start, { target, p, until });
  const count = Math.min(MOST_STEPS, Math.round(until / lr));
  const { points, summed } = ladder(start, { target, p, method, step: lr, count });
  const begun = charge(start, p);
  const alongLine = line.w.map((w, k) => charge({ w, v: line.v[k] }, p));
  const alongLadder = points.map((point) => charge(point, p));
  const furthest = (charges) => Math.max(...charges.map((value) => Math.abs(value - begun)));
  return {
    line, points, summed, alongLine, alongLadder, begun, complete: points.length === count + 1,
    flow: { start: begun, end: alongLine.at(-1), drift: furthest(alongLine), w: line.w.at(-1), v: line.v.at(-1) },
    steps: { start: begun, end: alongLadder.at(-1), drift: furthest(alongLadder), ...points.at(-1) },
    first: points.length > 1 ? alongLadder[1] - begun : NaN,
    predicted: stepDrift(start, gradient(start, target), lr, p),
  };
}

/** The mode's element, the function that draws the model's state, and the traits that call for it. */
export function flowMode(life, model) {
  const begin = model.get("_start");
  const target = model.get("target");
  const square = frame(begin, target);
  const until = 8 / Math.max(Math.abs(target), 0.5);
  const move = freeMoves(model, square, { least: STEP });

  const view = stage(life, { square, target, label: "the start (w, v)", moved: move.lead, stepped: move.step });
  const { toX, toY } = view;
  const drawn = Object.fromEntries(
    ["gl-levels", "gl-charge", "gl-ladder", "gl-orbit", "gl-ladder-dots"].map((kind) => [kind, svg("path", { class: kind })]),
  );
  const end = svg("circle", { class: "gl-end", r: 5 });
  view.below.append(...Object.values(drawn), end);
  const plot = series({
    label: "the charge against time: flat for the flow", x: [0, until], xLabel: "time t = η k", yLabel: "charge",
    kinds: ["gl-charge", "gl-ladder", "gl-orbit", "gl-ladder-dots", "gl-sum"],
  });
  const table = readings({
    columns: ["flow", "steps"],
    rows: [
      ["start", "at the start"], ["end", "at the end"], ["drift", "largest drift"], ["w", "w at the end"], ["v", "v at the end"],
    ],
  });
  const first = readings({ columns: ["measured", "formula"], rows: [["first", "first step"], ["whole", "all steps"]] });

  const rate = slider(life, {
    caption: "step size η", name: "step size η", min: 0.01, max: 0.4, step: 0.01, act: (lr) => change(model, { lr }),
  });
  const method = choice(life, {
    caption: "steps", options: Object.keys(METHODS).map((name) => [name, named(name, 2)]), act: (name) => change(model, { method: name }),
  });
  const power = choice(life, {
    caption: "flow", options: [[2, "p = 2: gradient"], [1, "p = 1: exponentiated"]], act: (p) => change(model, { p }),
  });
  const reveal = checkbox(life, { caption: "let it flow", act: (on) => change(model, { revealed: on }) });
  const reset = button(life, { caption: "Reset", act: () => change(model, begin) });
  const remark = html("p", { class: "gl-remark" });
  const voice = announcer(life, () => {
    const [p, name] = [model.get("p"), model.get("method")];
    if (!model.get("revealed")) return `${inWords(move.here())}.`;
    const seen = now();
    return `${inWords(move.here())}. Charge ${chargeName(p)} ${number(seen.begun)}: the flow moves it by ${number(seen.flow.drift)}, ` +
      `${named(name, p)} by ${number(seen.steps.drift)}. First step ${number(seen.first)}, formula ${number(seen.predicted)}. ` +
      remark.dataset.formula.replaceAll("_", " ");
  });
  const now = () => measuresOfFlow(move.here(), {
    target, until, p: model.get("p"), lr: model.get("lr"), method: model.get("method"),
  });

  const asked = html("span", {}, `The weights follow the gradient until w·v = ${number(target, 2)}. `, html("strong", {}, "Where on the dashed curve will they arrive?"));
  const further = html(
    "span", {}, "The flow keeps to its curve of the second family. ",
    html("strong", {}, "Does gradient descent? By how much less does it drift when you halve η?"),
  );
  const question = html("p", { class: "gl-question" }, asked, further);

  let family = 0;
  function draw() {
    const [point, p, lr, name] = [move.here(), model.get("p"), model.get("lr"), model.get("method")];
    const seen = now();
    const revealed = model.get("revealed");
    root.classList.toggle("gl-flow-hidden", !revealed);
    view.set(point, inWords(point));
    if (family !== p) adjust(drawn["gl-levels"], { d: levelFamily(p, square, toX, toY) });
    family = p;
    const rungs = [seen.points.map((q) => q.w), seen.points.map((q) => q.v)];
    adjust(drawn["gl-charge"], { d: levelPath(seen.begun, p, square, toX, toY) });
    adjust(drawn["gl-orbit"], { d: path(seen.line.w, seen.line.v, toX, toY) });
    adjust(drawn["gl-ladder"], { d: path(...rungs, toX, toY) });
    adjust(drawn["gl-ladder-dots"], { d: dots(...rungs, toX, toY) });
    adjust(end, { cx: toX(seen.flow.w).toFixed(2), cy: toY(seen.flow.v).toFixed(2) });
    const times = seen.points.map((_, k) => lr * k);
    plot.set(roundRange([1.15 * seen.begun, ...seen.alongLadder.map((value) => held(value, 2 * Math.abs(seen.begun) + 1))]), !revealed ? {} : {
      "gl-charge": [[0, until], [seen.begun, seen.begun]],
      "gl-orbit": [seen.line.times, seen.alongLine],
      "gl-ladder": [times, seen.alongLadder],
      "gl-ladder-dots": [times, seen.alongLadder],
      "gl-sum": [times, seen.summed],
    });
    const [whole, sum] = [seen.steps.end - seen.begun, seen.summed.at(-1) - seen.begun];
    table.set(revealed ? { flow: seen.flow, steps: seen.steps } : { flow: {}, steps: {} }, { title: revealed ? chargeName(p) : "not yet", columns: [p === 2 ? "gradient flow" : "p = 1 flow", named(name, p)] });
    first.set(
      revealed ? { measured: { first: seen.first, whole }, formula: { first: seen.predicted, whole: sum } } : { measured: {}, formula: {} },
      { title: "drift", columns: ["measured", revealed ? driftName(p) : "formula"] },
    );
    rate.set(lr, number(lr, 2));
    method.set(name);
    for (const option of method.input.options) say(option, named(option.value, p));
    power.set(p);
    reveal.set(revealed);
    asked.hidden = revealed;
    further.hidden = !revealed;
    formula(remark, revealed ? comment(seen, p, name, point.v * target < 0) : "");
    voice.speak();
  }

  const root = html(
    "div", { class: "gl-main" },
    question,
    html(
      "div", { class: "gl-left" }, view.root,
      legend([
        ["gl-family", "orbits"], ["gl-levels", "equal charge"], ["gl-solutions", `w·v = ${number(target, 2)}`],
        ["gl-orbit", "the flow"], ["gl-ladder-dots", "steps", "M4 6h0M14 6h0M24 6h0"],
      ]),
      begin.revealed ? null : html("div", { class: "gl-row" }, reveal.root),
      rate.root, html("div", { class: "gl-row" }, power.root, method.root),
    ),
    html(
      "div", { class: "gl-right" }, plot.root,
      legend([["gl-orbit", "the flow"], ["gl-ladder-dots", "steps", "M4 6h0M14 6h0M24 6h0"], ["gl-sum", "sum of the formula"]]),
      table.root, first.root, html("div", { class: "gl-row" }, reset.root),
    ),
    remark, voice.root,
  );
  return { root, draw, follows: ["w", "v", "p", "lr", "method", "revealed"] };
}

const held = (value, most) => Math.min(Math.max(value, -most), most);
const inWords = ({ w, v }) => `w ${number(w, 3)}, v ${number(v, 3)}`;

function comment(seen, p, method, stuck) {
  const curve = `${chargeName(p)} = ${number(seen.begun, 3)}`;
  if (!seen.line.arrived) return `The flow keeps ${curve} < 0, so v cannot change its sign: w reaches 0 and the neuron dies.`;
  if (p === 1 && stuck) return `For p = 1 no weight ever changes its sign: the flow keeps ${curve}, and w·v can only go to 0.`;
  if (!seen.complete) return "This step is too long: the steps run away. The flow does not know η.";
  const least = seen.points.findIndex((q) => !(q.w > 0));
  if (least > 0) return `Step ${least} jumped to w ≤ 0, where the neuron is silent: nothing moves it any more.`;
  if (method === "midpoint") return `The implicit midpoint keeps ${curve} up to rounding, at every step size.`;
  if (method === "momentum") return "With momentum the formula of one step no longer adds up: there is no such law.";
  return p === 2
    ? "Each step drifts by exactly η²(g_in² − g_out²): a quarter from the same place when η is halved; over the same time, about half."
    : "Each step drifts by η²/2 (|w| g_in² − |v| g_out²) and terms of order η³.";
}
