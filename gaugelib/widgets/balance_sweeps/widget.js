// BalanceSweeps: a layered network on its way to the minimum-norm gauge, by the paper's update, by alternating exact
// balancing and by the two-level solver. Which imbalance is the last to go?
//
// The mathematics is in layered.js; the pictures are in network.js, plots.js and table.js.

import { announcer, button, choice, readout, slider } from "../shared/controls.js";
import { change, html, lifetime, mount, prefersStillness, put, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { BALANCED, ended, METHODS, MOST_SWEEPS, opening, powers, predictedRate, run } from "./layered.js";
import { layersInWords, layersLegend, layersPicture } from "./network.js";
import { gammaPlot, normPlot } from "./plots.js";
import { inWords, NAMES, percent, sweepTable } from "./table.js";

const TRAITS = ["weights", "depth", "width", "log_std", "p", "method", "sweeps", "random_state"];
const PACE = 160; // milliseconds for each sweep while it plays
const AT_ONCE = 20; // sweeps for each press of "Play", where motion is not wanted

/** The runs that the traits ask for, computed anew only when the network or p changes. */
export function runner() {
  let known = "";
  let made = null;
  return (traits) => {
    const { weights, depth, width, log_std: sigma, p, random_state: seed } = traits;
    const key = JSON.stringify([weights, depth, width, sigma, p, seed]);
    if (key !== known) {
      const C = powers(opening({ given: weights, depth, width, sigma, seed }), p);
      const whole = METHODS.map((method) => run(method, C, p));
      made = { whole, depth: C.length, least: whole[2](MOST_SWEEPS).at(-1).norm };
      known = key;
    }
    const runs = METHODS.map((method, m) => ({
      method, states: made.whole[m](traits.sweeps[m]), predicted: predictedRate(method, made.depth),
    }));
    return { runs, least: made.least, depth: made.depth };
  };
}

export const traitsOf = (model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));

function render({ model, el }) {
  const life = lifetime();
  const compute = runner();
  const redraw = life.perFrame(draw);
  let timer = 0;
  life.keep(() => clearTimeout(timer));

  const place = () => METHODS.indexOf(model.get("method"));
  const current = () => compute(traitsOf(model)).runs[place()].states;
  const setSweeps = (count) => change(model, { sweeps: model.get("sweeps").map((old, m) => (m === place() ? count : old)) });
  const advance = (by) => setSweeps(Math.min(current().length - 1 + by, MOST_SWEEPS));

  function pause() {
    clearTimeout(timer);
    timer = 0;
    say(play.root, "Play");
  }
  function go() {
    advance(1);
    if (ended(current())) pause();
    else timer = setTimeout(go, PACE);
  }
  const still = (act) => () => {
    pause();
    act();
  };
  const step = button(life, { caption: "Step", hint: "one more sweep of the method shown", act: still(() => advance(1)) });
  const play = button(life, {
    caption: "Play", hint: "sweep after sweep, until the network is balanced",
    act() {
      if (timer) pause();
      else if (prefersStillness()) advance(AT_ONCE);
      else {
        say(play.root, "Pause");
        go();
      }
    },
  });
  const back = button(life, { caption: "Sweep 0", hint: "the method shown starts again", act: still(() => setSweeps(0)) });
  const other = button(life, {
    caption: "Other weights", act: still(() => change(model, { random_state: (model.get("random_state") + 1) % 2 ** 32 })),
  });
  const reset = button(life, { caption: "Reset", act: still(() => change(model, model.get("_start"))) });

  const method = choice(life, {
    caption: "method", options: [
      ["paper", "paper: all neurons at once"], ["alternating", "alternating: odd, even layers"],
      ["two-level", "two-level: and whole layers"],
    ],
    act: (name) => still(() => change(model, { method: name }))(),
  });
  const power = choice(life, { caption: "norm with", options: [[2, "p = 2"], [1, "p = 1"]], act: (p) => change(model, { p }) });
  const depth = slider(life, { caption: "weight layers L", min: 2, max: 8, step: 1, act: (value) => change(model, { depth: value }) });
  const spread = slider(life, {
    caption: "initial imbalance σ", name: "initial imbalance: standard deviation of the neurons’ log-scales",
    min: 0, max: 2, step: 0.25, act: (value) => change(model, { log_std: value }),
  });

  const layers = svg("svg", { class: "gl-layers", role: "img" });
  const gammas = svg("svg", { class: "gl-plot", role: "img" });
  const norms = svg("svg", { class: "gl-plot", role: "img" });
  const heading = html("p", { class: "gl-heading" });
  const explained = html("p", { class: "gl-note" });
  const remark = html("p", { class: "gl-remark" });
  const least = readout("least-norm", "least norm:", { hint: "on this orbit, found by the two-level solver" });
  const table = sweepTable(METHODS);
  const voice = announcer(life, () => inWords(compute(traitsOf(model)).runs[place()], model.get("p")));

  const key = (kind, words) => html("span", { class: "gl-entry" }, html("span", { class: `gl-key gl-key-${kind}` }), words);
  const root = html(
    "div", { class: "gl-widget gl-sweeps" },
    html(
      "p", { class: "gl-question" }, "Each sweep lets every hidden neuron balance what flows in against what flows out. ",
      html("strong", {}, "Which imbalance is the last to go?"),
    ),
    html("div", { class: "gl-row" }, method.root, [step, play, back].map((b) => b.root)),
    html("div", { class: "gl-said" }, heading, remark),
    html(
      "div", { class: "gl-main" },
      html(
        "div", { class: "gl-left" }, layers, explained,
        html("p", { class: "gl-legend" }, key("neuron", "a neuron"), key("layer", "its layer as a whole"), key("mode", "sin(πh/L), fitted")),
      ),
      html(
        "div", { class: "gl-right" }, gammas, norms,
        html("p", { class: "gl-legend" }, key("predicted", "predicted slope"), html("span", { class: "gl-entry" }, html("span", { class: "gl-key gl-key-least" }), least.root)),
      ),
    ),
    table.root,
    html("div", { class: "gl-settings" }, depth.root, spread.root),
    html("div", { class: "gl-row" }, power.root, other.root, reset.root),
    voice.root,
  );

  function draw() {
    const traits = traitsOf(model);
    const seen = compute(traits);
    const { states } = seen.runs[place()];
    const shown = states.at(-1);
    const drawn = seen.runs.filter(({ states: all }) => all.length > 1);
    const lines = drawn.length ? drawn : [seen.runs[place()]];
    const rates = Object.fromEntries(seen.runs.map(({ method: name, predicted }) => [name, predicted]));
    const title = traits.p === 1 ? "‖W‖₁" : "‖W‖₂²";

    const how = shown.gamma < BALANCED ? " (balanced)" : ended(states) ? " (it stops here)" : "";
    say(heading, `${NAMES[traits.method]}, after ${states.length - 1} ${states.length === 2 ? "sweep" : "sweeps"}${how}`);
    say(remark, `${percent(shown.layerShare)} of the imbalance is that of whole layers; before the first sweep it was ${percent(states[0].layerShare)}`);
    put(layers, (...size) => layersPicture(shown, traits.method, ...size), layersInWords(shown));
    const names = lines.map(({ method: name }) => NAMES[name]).join(", ");
    put(gammas, (...size) => gammaPlot(lines, rates, ...size), `The largest imbalance against sweeps, logarithmic: ${names}.`);
    put(norms, (...size) => normPlot(lines, seen.least, title, ...size), `The norm against sweeps, logarithmic: ${names}.`);
    say(explained, layersLegend(shown));
    table.set(seen.runs, traits.method, traits.p);
    least.set(number(seen.least));
    method.set(traits.method);
    power.set(traits.p);
    depth.input.disabled = traits.weights.length > 0;
    depth.set(seen.depth, `L = ${seen.depth}`);
    spread.set(traits.log_std, `σ = ${traits.log_std.toFixed(2)}`);
    voice.speak();
  }

  return mount(life, { el, root, name: "Balance sweep by sweep", model, traits: TRAITS, draw, redraw });
}

export default { render };
