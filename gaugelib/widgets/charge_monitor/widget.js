// ChargeMonitor: a small network is trained in the page, and the charge of each hidden unit is plotted against time.
//
// The network is in shared/mlp.js, its training in descent.js, the pictures in plots.js.

import { announcer, button, checkbox, choice, slider } from "../shared/controls.js";
import { change, html, lifetime, mount, put, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { flattened, layout } from "../shared/mlp.js";
import { readings } from "../shared/readings.js";
import { train } from "./descent.js";
import { chargePlot, driftPlot } from "./plots.js";

const short = (value) => String(Number(value.toPrecision(3)));
const TRAITS = ["weights", "biases", "inputs", "targets", "until", "lr", "tried", "p", "method", "momentum", "decay", "batch", "random_state"];
export const COARSEST = 4; // log2 of the fewest steps that the slider makes until the last time ...
export const FINEST = 10; // ... and of the most

export const traitsOf = (model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));

/** Runs of the network that the traits describe, one for each step size, computed when they are asked for. */
export function runner() {
  const known = new Map(); // of the last few settings, the runs that were asked for
  return (traits, lr) => {
    const { weights, biases, inputs, targets, until, p, method, momentum, decay, batch, random_state: seed } = traits;
    const key = JSON.stringify([weights, biases, inputs, targets, until, p, method, momentum, decay, batch, seed]);
    if (!known.has(key)) known.set(key, new Map());
    if (known.size > 8) known.delete(known.keys().next().value);
    const runs = known.get(key);
    if (!runs.has(lr)) {
      const net = layout([inputs[0].length, ...weights.map((rows) => rows.length)], biases.length > 0);
      runs.set(lr, train(net, flattened(weights, biases), { inputs, targets }, { lr, until, momentum, decay, p, method, batch, seed }));
    }
    return runs.get(lr);
  };
}

/** What the table says of two runs, at lr and at half of it. */
export function readOf(here, half) {
  const told = (run) => ({
    steps: String(run.steps), loss: run.losses[1], misfit: run.misfit,
    off: run.complete ? run.off : "ran away", measured: run.first?.measured, formula: run.first?.formula,
  });
  const both = here.complete && half.complete;
  return {
    here: told(here), half: told(half),
    ratio: { off: both ? here.off / half.off : undefined, measured: here.first.measured / half.first.measured },
  };
}

const lawOf = ({ decay, p }) => (decay === 0 ? "max |Δ(T) − Δ(0)|" : `max |Δ(T) − Δ(0) e^(−${p === 1 ? "" : p}λT)|`);
const stepOf = ({ decay, p }) => {
  const drift = p === 2 ? "η²(‖g_in‖² − ‖g_out‖²)" : "η²/2 (Σ_in|θ|g² − Σ_out|θ|g²)";
  return decay === 0 ? drift : `${drift}, λ too`;
};

/** One or two sentences about what is shown; `free` is the run without momentum. */
export function comment({ p, method, momentum, decay, batch }, { here, ratio }, free) {
  if (here.off === "ran away") return "These steps are too long: the run has run away. The flow does not know η; halve it.";
  if (method === "adam") return "Adam divides each gradient by its own size: the symmetry’s law is lost, and no halving of η brings it back.";
  if (momentum > 0) {
    const times = `Without momentum the same steps end ${number(free.off)} from the law, ${number(here.off / free.off, 3)} times less`;
    const limit = batch ? "" : "; as η goes to 0, (1 + β)/(1 − β) = " + number((1 + momentum) / (1 - momentum), 3) + " times";
    return `A step that remembers has no such formula. ${times}${limit}.`;
  }
  const first = p === 2
    ? `The formula holds to rounding${batch ? ", on every minibatch" : ""}: half the step, a quarter of its drift`
    : "The formula holds up to terms of order η³: half the step, about a quarter of its drift";
  const whole = ratio.off === undefined ? "" : `; but twice as many steps: over the same time, ${number(ratio.off, 3)} times less`;
  const noise = batch ? " Minibatches never agree, so it goes on when the loss no longer falls." : " It ends when the loss has fallen.";
  return `${first}${whole}.${decay > 0 ? " The law now decays, as e^(−λpt)." : noise}`;
}

function render({ model, el }) {
  const life = lifetime();
  const compute = runner();
  const redraw = life.perFrame(draw);

  const steps = () => model.get("until") / model.get("lr");
  function setRate(lr) {
    change(model, { lr, tried: [...new Set([...model.get("tried"), model.get("lr"), lr])].slice(-12) });
  }
  const rate = slider(life, {
    caption: "step size η", name: "step size η, in halvings", min: -FINEST, max: -COARSEST, step: 1,
    act: (power) => setRate(model.get("until") * 2 ** power),
  });
  const halve = button(life, {
    caption: "Halve η", act: () => steps() * 2 <= 2 ** FINEST && setRate(model.get("lr") / 2),
  });
  const reset = button(life, { caption: "Reset", act: () => change(model, model.get("_start")) });
  const update = choice(life, {
    caption: "update", act: (name) => change(model, name === "adam" ? { method: name, p: 2 } : { method: "descent", p: name }),
    options: [[2, "gradient descent, p = 2"], [1, "exponentiated, p = 1"], ["adam", "Adam"]],
  });
  const memory = slider(life, {
    caption: "momentum β", min: 0, max: 0.9, step: 0.1, act: (value) => change(model, { momentum: value }),
  });
  const shrink = slider(life, {
    caption: "weight decay λ", min: 0, max: 0.2, step: 0.02, act: (value) => change(model, { decay: value }),
  });
  const size = () => model.get("_start").batch || Math.max(1, Math.round(model.get("inputs").length / 4));
  const mini = checkbox(life, { caption: `minibatches of ${size()}`, act: (on) => change(model, { batch: on ? size() : 0 }) });

  const [left, right, drifts] = ["gl-plot", "gl-plot", "gl-plot"].map((kind) => svg("svg", { class: kind, role: "img" }));
  const [coarse, fine] = [html("p", { class: "gl-heading" }), html("p", { class: "gl-heading" })];
  const table = readings({
    columns: ["here", "half", "ratio"],
    rows: [
      ["steps", "steps"], ["loss", "loss at T"], ["off", ""], ["measured", "first step, measured"], ["formula", ""], ["misfit", "formula’s largest miss, all steps"],
    ],
  });
  const remark = html("p", { class: "gl-remark" });
  const voice = announcer(life, () => {
    const seen = read(traitsOf(model));
    const drift = `η ${short(model.get("lr"))}: the charges end ${written(seen.here.off)} from the law, with half the step ${written(seen.half.off)}, ratio ${written(seen.ratio.off)}`;
    return `${drift}. First step ${written(seen.here.measured)}, formula ${written(seen.here.formula)}. ${remark.textContent}`;
  });
  const written = (value) => (typeof value === "number" ? number(value) : value ?? "unknown");
  const read = (traits) => readOf(compute(traits, traits.lr), compute(traits, traits.lr / 2));

  const root = html(
    "div", { class: "gl-widget gl-charges" },
    html(
      "p", { class: "gl-question" }, "A small network learns, in long steps and in short ones. The flow keeps the charge of every hidden unit. ",
      html("strong", {}, "How much less do they drift when you halve η? What if the steps remember, or are Adam’s?"),
    ),
    html("div", { class: "gl-lead" }, rate.root, html("div", { class: "gl-row" }, halve.root, reset.root)),
    html(
      "div", { class: "gl-main" },
      html("div", { class: "gl-left" }, coarse, left),
      html("div", { class: "gl-right" }, fine, right),
    ),
    legend([["gl-run gl-line-0", "charge of a hidden unit, numbered"], ["gl-law gl-line-0", "law of the flow"]]),
    html(
      "div", { class: "gl-main gl-table-and-plot" },
      html("div", { class: "gl-left" }, table.root, remark),
      html(
        "div", { class: "gl-right" }, drifts,
        legend([["gl-here", "η", DOT], ["gl-half", "η/2", DOT], ["gl-before", "tried before", DOT], ["gl-guide", "in proportion to η"]]),
      ),
    ),
    html("div", { class: "gl-settings" }, memory.root, shrink.root),
    html("div", { class: "gl-row" }, update.root, mini.root),
    voice.root,
  );

  function draw() {
    const traits = traitsOf(model);
    const { lr, until, p, method, decay } = traits;
    const [run, close] = [compute(traits, lr), compute(traits, until / 2 ** FINEST)];
    const seen = read(traits);
    const drawn = { until, decay, p, yLabel: p === 2 ? "charges Δ = Σ in θ² − Σ out θ²" : "charges Δ = Σ in |θ| − Σ out |θ|" };
    say(coarse, `η = ${short(lr)}: ${run.steps} steps`);
    say(fine, `always η = ${short(until / 2 ** FINEST)}: ${close.steps} steps`);
    put(left, (...size) => chargePlot(run, drawn, ...size), `Charges against time with step size ${short(lr)}: they end ${written(seen.here.off)} from the law.`);
    put(right, (...size) => chargePlot(close, drawn, ...size), `The same with step size ${short(until / 2 ** FINEST)}: they end ${number(close.off)} from the law.`);
    const rates = [...new Set([...traits.tried, lr, lr / 2])];
    const points = rates.map((each) => [each, compute(traits, each)]).map(([each, { off, complete }]) => [each, complete ? off : NaN]);
    const shown = [lr, lr / 2].map((each) => points[rates.indexOf(each)]);
    put(drifts, (...size) => driftPlot(points, shown, { coarsest: until / 2 ** COARSEST, finest: until / 2 ** (FINEST + 1) }, ...size), "How far the charges end from the law, against the step size, both logarithmic.");
    table.set(seen, {
      title: `T = ${short(until)}`, columns: [`η = ${short(lr)}`, `η/2 = ${short(lr / 2)}`, "ratio"],
      rows: { off: lawOf(traits), formula: stepOf(traits) },
    });
    rate.set(-Math.log2(until / lr), short(lr));
    update.set(method === "adam" ? "adam" : p);
    memory.input.disabled = method === "adam";
    memory.set(traits.momentum, method === "adam" ? "its own" : short(traits.momentum));
    shrink.set(decay, short(decay));
    mini.set(traits.batch > 0);
    const free = method === "descent" && traits.momentum > 0 ? compute({ ...traits, momentum: 0 }, lr) : run;
    say(remark, comment(traits, seen, free));
    voice.speak();
  }

  return mount(life, { el, root, name: "Charges in training", model, traits: TRAITS, draw, redraw });
}

const DOT = "M9 6a5 5 0 1 0 10 0a5 5 0 1 0 -10 0";

export default { render };
