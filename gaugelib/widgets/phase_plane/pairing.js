// PhasePlane, mode "pairing": which regulariser the flow of an exponent may be given, so that its charge dies out.
//
// The neuron has two equal inputs here: with one, |w| = |v| balances every exponent at once, and there is nothing to see.

import { announcer, button, checkbox, slider } from "../shared/controls.js";
import { adjust, change, html, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { path } from "../shared/plane.js";
import { readings } from "../shared/readings.js";
import { freeMoves, STEP } from "./moves.js";
import { roundRange, series } from "./series.js";
import { stage } from "./stage.js";
import { balanced, charge, flow } from "./training.js";
import { frame } from "./two_weights.js";

export const FAN = 2;
export const UNTIL = 20;
const PAIRS = [[1, 1], [1, 2], [2, 1], [2, 2]]; // metric p, regulariser q: the rows of the board
const NEAR = 1e-6; // a charge this close to its law is on it
const raised = { 1: "⁽¹⁾", 2: "⁽²⁾" };
const sign = (p) => `Δ${raised[p]}`;

/** The flow of one pair of exponents, its charge, the law of the pairing theorem, and the law that holds for every pair. */
export function measuresOfPairing(point, { target, p, q, decay, fixed }) {
  const start = fixed ? balanced(point, p, FAN) : point;
  const line = flow(start, { target, p, q, decay, fan: FAN, until: UNTIL, tolerance: 1e-10 });
  const states = line.times.map((time, k) => ({ time, w: line.w[k], v: line.v[k] }));
  const charges = states.map((state) => charge(state, p, FAN));
  const law = line.times.map((time) => charges[0] * Math.exp(-decay * p * time));
  return {
    start, line, charges, law,
    end: charges.at(-1),
    promised: law.at(-1),
    off: Math.max(...charges.map((value, k) => Math.abs(value - law[k]))),
    change: charges.at(-1) - charges[0],
    driven: -decay * p * integral(states, target, p, q, decay),
  };
}

/** The integral over time of the charge of q along a path, by the trapezium rule with its correction at the ends of each piece. */
function integral(states, target, p, q, decay) {
  const values = states.map((state) => charge(state, q, FAN));
  const slopes = states.map(({ w, v }) => {
    const error = w * v - target;
    const speed = (x, slope) => -(p === 2 ? 1 : Math.abs(x)) * (slope + decay * Math.sign(x) * Math.abs(x) ** (q - 1));
    const grow = (x, dx) => (q === 2 ? 2 * x : Math.sign(x)) * dx;
    return FAN * grow(w, speed(w, (error * v) / FAN)) - grow(v, speed(v, error * w));
  });
  let sum = 0;
  for (let k = 1; k < states.length; k += 1) {
    const step = states[k].time - states[k - 1].time;
    sum += (step / 2) * (values[k - 1] + values[k]) + (step * step / 12) * (slopes[k - 1] - slopes[k]);
  }
  return sum;
}

/** The mode's element, the function that draws the model's state, and the traits that call for it. */
export function pairing(life, model) {
  const begin = model.get("_start");
  const target = model.get("target");
  const square = frame(begin, target);
  const move = freeMoves(model, square, { least: 3 * STEP, lowest: 3 * STEP, besides: { balanced: false } });
  const chosen = () => ({ p: model.get("p"), q: model.get("decay_p") });
  const shown = () => (model.get("balanced") ? balanced(move.here(), chosen().p, FAN) : move.here());
  /** An arrow key starts from where the point is seen. */
  function stepped(direction) {
    if (model.get("balanced")) change(model, { ...shown(), balanced: false });
    move.step(direction);
  }

  const view = stage(life, { square, target, label: "the start (w, v)", moved: move.lead, stepped, diagonals: false });
  const { toX, toY } = view;
  const rays = [1, 2].map((p) => ray(p, square, toX, toY));
  const lines = PAIRS.map(() => svg("path", { class: "gl-other" }));
  const end = svg("circle", { class: "gl-end", r: 5 });
  view.below.append(...rays.flat(), ...lines, end);

  const cells = PAIRS.map(([p, q]) => cell(life, model, p, q));
  const table = readings({
    columns: ["here"],
    rows: [["end", `at t = ${UNTIL}`], ["promised", "Δ(0) e^(−λpt)"], ["change", "its change"], ["driven", ""]],
  });
  const rate = slider(life, {
    caption: "decay λ", name: "weight decay λ", min: 0, max: 0.25, step: 0.01, act: (decay) => change(model, { decay }),
  });
  const gauge = checkbox(life, { caption: "each row starts in its own gauge", act: (on) => change(model, { balanced: on }) });
  const reveal = checkbox(life, { caption: "let the four flows run", act: (on) => change(model, { revealed: on }) });
  const reset = button(life, { caption: "Reset", act: () => change(model, begin) });
  const remark = html("p", { class: "gl-remark" });
  const voice = announcer(life, () => {
    const { p, q } = chosen();
    if (!model.get("revealed")) return `Metric ${p}, regulariser ${q}.`;
    const seen = measured(p, q);
    return `Metric ${p}, regulariser ${q}: charge ${number(seen.charges[0])} at first, ${number(seen.end)} at the end; ` +
      `off its law by ${number(seen.off)}. ${remark.textContent}`;
  });
  const measured = (p, q) => measuresOfPairing(move.here(), { target, p, q, decay: model.get("decay"), fixed: model.get("balanced") });

  function draw() {
    const { p, q } = chosen();
    const revealed = model.get("revealed");
    root.classList.toggle("gl-flow-hidden", !revealed);
    reveal.set(revealed);
    const all = PAIRS.map((pair) => measured(...pair));
    const seen = all[PAIRS.findIndex((pair) => pair[0] === p && pair[1] === q)];
    view.set(seen.start, `w ${number(seen.start.w, 3)}, v ${number(seen.start.v, 3)}`);
    all.forEach(({ line }, k) => {
      adjust(lines[k], { d: path(line.w, line.v, toX, toY), class: all[k] === seen ? "gl-orbit" : "gl-other" });
    });
    adjust(end, { cx: toX(seen.line.w.at(-1)).toFixed(2), cy: toY(seen.line.v.at(-1)).toFixed(2) });
    for (const row of [0, 2]) { // the two cells of a row share their axis
      const range = roundRange([...all[row].charges, ...all[row + 1].charges]);
      for (const k of [row, row + 1]) cells[k].set(all[k], range, all[k] === seen, revealed);
    }
    table.set(
      { here: revealed ? seen : {} },
      { title: `${sign(p)} of this flow`, columns: [`p = ${p}, q = ${q}`], rows: { driven: `−λp ∫ ${sign(q)} dt` } },
    );
    rate.set(model.get("decay"), number(model.get("decay"), 2));
    gauge.set(model.get("balanced"));
    say(remark, revealed ? comment(p, q, model.get("decay"), seen) : "");
    voice.speak();
  }

  const root = html(
    "div", { class: "gl-main" },
    html(
      "p", { class: "gl-question" }, "Two inputs of weight w, one output of weight v. The flow of p keeps a balance of its own, ",
      `${sign("1")} = 2|w| − |v| or ${sign("2")} = 2w² − v². `, html("strong", {}, "With which weight decay does it go on keeping it?"),
    ),
    html(
      "div", { class: "gl-left" }, view.root,
      legend([["gl-orbit", "this flow"], ["gl-other", "the other three"], ["gl-solutions", `w·v = ${number(target, 2)}`], ["gl-ray", `${sign(1)} = 0, ${sign(2)} = 0`]]),
      rate.root, gauge.root,
    ),
    html(
      "div", { class: "gl-right" },
      html("p", { class: "gl-heading" }, "Δ⁽ᵖ⁾ in time, for each p and q"),
      html("div", { class: "gl-board" }, cells.map(({ root: each }) => each)),
      legend([["gl-orbit", "measured"], ["gl-sum", "Δ(0) e^(−λpt)"]]),
      table.root, html("div", { class: "gl-row" }, reset.root),
    ),
    begin.revealed ? null : html("div", { class: "gl-row gl-reveals" }, reveal.root),
    remark, voice.root,
  );
  return { root, draw, follows: ["w", "v", "p", "decay", "decay_p", "balanced", "revealed"] };
}

/** One pair of exponents: its charge against time, a button that shows its flow in the plane. */
function cell(life, model, p, q) {
  const plot = series({
    label: "", x: [0, UNTIL], xLabel: "", yLabel: "", kinds: ["gl-sum", "gl-orbit"], wide: 180, height: 112, left: 46, top: 12, bottom: 26,
    endsOnly: true,
    xTicks: [0, UNTIL / 2, UNTIL].map((time) => [time, String(time)]),
  });
  adjust(plot.root, { "aria-hidden": "true" });
  const verdict = html("span", { class: "gl-value", "data-readout": `off-${p}-${q}` });
  const mark = html("span", {}, "");
  const { root } = button(life, { caption: "", act: () => change(model, { p, decay_p: q }) });
  root.classList.add("gl-cell");
  root.append(html("span", { class: "gl-pair" }, `p = ${p}, q = ${q}`), plot.root, html("span", { class: "gl-off" }, mark, " ", verdict));
  function set(seen, range, pressed, revealed) {
    plot.set(range, revealed ? { "gl-sum": [seen.line.times, seen.law], "gl-orbit": [seen.line.times, seen.charges] } : {});
    say(mark, !revealed ? "off its law by" : seen.off < NEAR ? "✓ on its law, to" : "✗ off its law by");
    say(verdict, revealed ? number(seen.off, 3) : "–");
    adjust(root, { "aria-pressed": pressed });
  }
  return { root, set };
}

/** Where the charge of p is 0, with its name. */
function ray(p, { high }, toX, toY) {
  const slope = FAN ** (1 / p);
  const w = high / slope;
  return [
    svg("line", { class: "gl-ray", x1: toX(0), y1: toY(0), x2: toX(w), y2: toY(high) }),
    svg("text", { class: "gl-least-name", x: toX(0.93 * w) + (p === 1 ? -8 : 8), y: toY(0.93 * high), "text-anchor": p === 1 ? "end" : "start" }, sign(p)),
  ];
}

function comment(p, q, decay, { line }) {
  if (!line.arrived) return "Here a weight reaches 0 and the flow is followed no further.";
  if (decay === 0) return "Without weight decay every flow keeps its own charge.";
  if (p === q) return "Paired: the charge dies out as e^(−λpt), and a balanced network stays balanced.";
  return `Not paired: ${sign(p)} changes at the rate −λp ${sign(q)}. The metric decides what is kept, the regulariser where it ends: at ${sign(q)} = 0.`;
}
