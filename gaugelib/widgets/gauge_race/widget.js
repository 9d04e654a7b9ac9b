// GaugeRace: training runs with the gauge fixed never, once, or before every step. The reader says where "once" will lie,
// lets the runs go, and sees of what the difference is made: loss, or penalty.
//
// The stored curves are read in curves.js and drawn in plots.js.

import { announcer, button, choice, slider } from "../shared/controls.js";
import { change, html, lifetime, mount, put, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { readings } from "../shared/readings.js";
import { runner } from "../shared/runner.js";
import { ARMS, gains, moment, place } from "./curves.js";
import { barsPlot, curvesPlot } from "./plots.js";

export const LAST = 30;
const PACE = 120; // milliseconds for an epoch
const TRAITS = ["size", "depth", "optimiser", "plotted", "guess", "epoch"];
const NAMES = {
  regularised: "penalised loss", loss: "loss without the penalty", train_error: "training error", test_error: "test error", norm: "norm",
};
const SIZES = { full: "3750 hidden units", small: "375 hidden units" };
const OPTIMISERS = { sgd: "gradient descent, R₂", egd: "exponentiated, R₁" };
const GUESSES = { "": "not said yet", never: "near “never”", middle: "in the middle", every: "near “every”" };

export const traitsOf = (model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
const percent = (share) => `${Math.round(100 * share)} %`;

/** What is to be said at an epoch: nothing of the outcome before the first. */
export function comment(kept, traits) {
  const { epoch, guess } = traits;
  if (epoch === 0) return "Nothing has been learnt yet. Say where you expect “once”, then let the runs go.";
  const [start, now] = [0, epoch].map((each) => gains(moment(kept, traits, each)));
  const after = `after ${epoch} ${epoch === 1 ? "epoch" : "epochs"}`;
  const where = place(now.once);
  const told = guess === "" ? "" : guess === where ? "As you expected: " : `You expected “once” ${GUESSES[guess]}. `;
  const found = `${guess !== "" && guess === where ? after : after[0].toUpperCase() + after.slice(1)} “once” has ${percent(now.once)} of what “every” gains over “never”.`;
  return `${told}${found} Its gain is ${number(now.whole, 3)}, of which ${percent(now.loss)} is loss and the rest penalty; ` +
    `it was ${number(start.whole, 3)} before the first step, all of it penalty.`;
}

function render({ model, el }) {
  const life = lifetime();
  const kept = model.get("_kept");
  const go = (epoch) => change(model, { epoch: Math.min(Math.max(epoch, 0), LAST) });
  const start = runner(life, { pace: PACE, last: LAST, at: () => model.get("epoch"), go });
  const { stop } = start;

  const chosen = (caption, name, options, read = (value) => value) => choice(life, {
    caption, options, act(value) {
      stop();
      change(model, { [name]: read(value) });
    },
  });
  const size = chosen("network", "size", Object.entries(SIZES));
  const depth = chosen("weight layers", "depth", [3, 5, 7].map((each) => [each, String(each)]));
  const optimiser = chosen("update", "optimiser", Object.entries(OPTIMISERS));
  const plotted = choice(life, { caption: "curve", options: Object.entries(NAMES), act: (value) => change(model, { plotted: value }) });
  const guess = choice(life, { caption: "I expect “once”", options: Object.entries(GUESSES), act: (value) => change(model, { guess: value }) });
  const clock = slider(life, {
    caption: "epoch", name: "epoch", min: 0, max: LAST, step: 1, act(epoch) {
      stop();
      go(epoch);
    },
  });
  const one = button(life, {
    caption: "One epoch", act() {
      stop();
      go(model.get("epoch") + 1);
    },
  });
  const reset = button(life, {
    caption: "Reset", act() {
      stop();
      change(model, model.get("_start"));
    },
  });

  const [curves, bars] = [0, 1].map(() => svg("svg", { class: "gl-plot", role: "img" }));
  const table = readings({
    columns: ARMS,
    rows: [["loss", "loss"], ["penalty", "penalty λR"], ["regularised", "penalised loss"], ["norm", "norm"], ["train_error", "training error"], ["test_error", "test error"]],
  });
  const remark = html("p", { class: "gl-remark" });
  const voice = announcer(life, () => {
    const now = moment(kept, traitsOf(model), model.get("epoch"));
    const losses = ARMS.map((arm) => `${arm} ${number(now[arm].regularised, 3)}`).join(", ");
    return `Epoch ${model.get("epoch")}. Penalised loss: ${losses}. ${remark.textContent}`;
  });

  const root = html(
    "div", { class: "gl-widget gl-race" },
    html(
      "p", { class: "gl-question" }, "Three networks start as one function: its gauge is fixed never, once before training, or before every step. ",
      html("strong", {}, "Where will “once” lie? And of what is its gain made, of loss or of penalty?"),
    ),
    html("div", { class: "gl-row" }, size.root, depth.root, optimiser.root),
    html("div", { class: "gl-row" }, guess.root, start.root, one.root, reset.root),
    clock.root,
    html(
      "div", { class: "gl-main" },
      html("div", { class: "gl-left" }, plotted.root, curves),
      html(
        "div", { class: "gl-right" }, bars,
        legend([["gl-loss", "loss", BLOCK], ["gl-penalty", "penalty", BLOCK]]),
        table.root,
      ),
    ),
    remark, voice.root,
  );

  function draw() {
    const traits = traitsOf(model);
    const { epoch } = traits;
    const now = moment(kept, traits, epoch);
    const name = NAMES[traits.plotted];
    put(curves, (...size) => curvesPlot(kept, traits, traits.plotted, epoch, { last: LAST, name }, ...size), `${name} of each arm up to epoch ${epoch}, on a logarithmic axis.`);
    const parts = ARMS.map((arm) => `${arm} ${number(now[arm].regularised, 3)}, of which loss ${number(now[arm].loss, 3)}`).join("; ");
    put(bars, (...size) => barsPlot(now, ...size), `At epoch ${epoch}: ${parts}.`);
    const shown = Object.fromEntries(ARMS.map((arm) => [arm, Object.fromEntries(Object.entries(now[arm]).map(([key, value]) => [key, number(value, 3)]))]));
    table.set(shown, { title: `epoch ${epoch}`, columns: ARMS, rows: { norm: kept.rules[traits.optimiser].p === 2 ? "norm ‖W‖₂" : "norm ‖W‖₁" } });
    for (const [control, value] of [[size, traits.size], [depth, traits.depth], [optimiser, traits.optimiser], [plotted, traits.plotted], [guess, traits.guess]]) control.set(value);
    clock.set(epoch, String(epoch));
    start.set();
    one.root.toggleAttribute("disabled", epoch === LAST);
    say(remark, comment(kept, traits));
    voice.speak();
  }

  return mount(life, { el, root, name: "Never, once, or every step", model, traits: TRAITS, draw });
}

const BLOCK = "M2 1H26V11H2Z";

export default { render };
