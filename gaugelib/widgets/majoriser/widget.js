// Majoriser: why a step of the paper cannot go up. Over a chain of three weights stands the convex function F of its
// two log-scales; the auxiliary function G touches it from above where the reader stands, and the step leads to G's minimum.
//
// The mathematics is in chain.js; the pictures are in map.js and cut.js.

import { announcer, button, choice, readout, slider } from "../shared/controls.js";
import { change, html, lifetime, mount, put, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { atMost, cut, halted, measuredStep, rescaledChain } from "./chain.js";
import { majoriserCut } from "./cut.js";
import { majoriserMap } from "./map.js";

const TRAITS = ["weights", "log_scales", "path", "p", "exponent", "cut"];
const LONGEST = 200; // steps that are kept
const minus = (text) => text.replace("-", "−");

export const stateOf = (model) => ({
  weights: model.get("weights"), p: model.get("p"), exponent: model.get("exponent"),
  logs: model.get("log_scales"), path: model.get("path"), start: model.get("path")[0] ?? model.get("log_scales"),
});

/** The readouts before a step, as text: [key, text]. */
export function told(state) {
  const step = measuredStep(state);
  const verdict = { arrived: "balanced: no step is left", "run away": "it has run away: stopped" }[halted(step)];
  const below = atMost(step.after, step.bound);
  const falls = atMost(step.bound, step.here);
  return {
    steps: String(state.path.length),
    weights: `(${rescaledChain(state.weights, state.logs).map((w) => minus(number(w))).join(", ")})`,
    gamma: number(step.gamma),
    here: number(step.here), bound: number(step.bound), after: number(step.after), least: number(step.least),
    below: below ? "≤" : ">", falls: falls ? "≤" : ">",
    verdict: verdict ?? (below && falls ? "✓ it cannot go up" : `✗ the bound is lost: here it goes ${step.after > step.here ? "up" : "down"}`),
  };
}

function render({ model, el }) {
  const life = lifetime();
  const redraw = life.perFrame(draw);

  function advance() {
    const state = stateOf(model);
    const step = measuredStep(state);
    if (halted(step) || state.path.length >= LONGEST) return;
    change(model, { path: [...state.path, state.logs], log_scales: step.next });
  }
  function retreat() {
    const path = model.get("path");
    if (path.length > 0) change(model, { log_scales: path.at(-1), path: path.slice(0, -1) });
  }
  const exponent = choice(life, {
    caption: "exponent", act: (value) => change(model, { exponent: value }), options: [
      [1, "1/(4p): to G’s minimum"], [2, "1/(2p): G is as before"], [3, "3/(4p): too far"],
    ],
  });
  const buttons = [
    button(life, { caption: "Step", hint: "both neurons at once", act: advance }),
    button(life, { caption: "Back", act: retreat }),
    button(life, { caption: "Reset", act: () => change(model, model.get("_start")) }),
  ];
  const line = choice(life, {
    caption: "cut along", act: (value) => change(model, { cut: value }),
    options: [["step", "the step"], ["neuron 1", "log a₁ alone"], ["neuron 2", "log a₂ alone"]],
  });
  const power = choice(life, {
    caption: "norm with", act: (p) => change(model, { p }), options: [[2, "p = 2"], [1, "p = 1"], [0.5, "p = ½"], [3, "p = 3"]],
  });
  const places = [0, 1].map((h) => slider(life, {
    caption: `log a${h === 0 ? "₁" : "₂"}`, name: `stand at another log-scale of neuron ${h + 1}`, min: -3, max: 3, step: 0.05,
    act: (value) => change(model, { log_scales: model.get("log_scales").map((log, k) => (k === h ? value : log)), path: [] }),
  }));

  const map = svg("svg", { class: "gl-map", role: "img" });
  const picture = svg("svg", { class: "gl-proof", role: "img" });
  const [after, bound, here] = [
    readout("after", "pF after ="), readout("bound", "pG after ="), readout("here", "pF here ="),
  ];
  const [below, falls] = ["below", "falls"].map((key) => html("span", { class: "gl-sign", "data-readout": key }));
  const verdict = html("span", { class: "gl-verdict", "data-readout": "verdict" });
  const others = {
    steps: readout("steps", "steps:"), weights: readout("weights", "weights:"),
    gamma: readout("gamma", "imbalance γ ="), least: readout("least", "least pF ="),
  };
  const voice = announcer(life, () => {
    const now = told(stateOf(model));
    return `Step ${now.steps}: pF after ${now.after} ${now.below} pG after ${now.bound} ${now.falls} pF here ${now.here}. ${now.verdict}`;
  });

  const key = (kind, words) => html("span", { class: "gl-entry" }, html("span", { class: `gl-key gl-key-${kind}` }), words);
  const root = html(
    "div", { class: "gl-widget gl-majoriser" },
    html(
      "p", { class: "gl-question" }, "G lies above F everywhere and touches it where we stand; its minimum is known in closed form. ",
      html("strong", {}, "Why can the step to G’s minimum never lead up, and how far beyond it may we go?"),
    ),
    html("div", { class: "gl-row" }, exponent.root, buttons.map((b) => b.root)),
    html("div", { class: "gl-readouts gl-proven" }, after.root, below, bound.root, falls, here.root, verdict),
    html(
      "div", { class: "gl-main" },
      html("div", { class: "gl-left" }, picture,
        html("p", { class: "gl-legend" }, key("f", "pF = ‖W‖ₚᵖ"), key("g", "pG"), key("here", "here"), key("next", "after the step")),
        html("div", { class: "gl-row" }, line.root, power.root)),
      html("div", { class: "gl-right" }, map,
        html("p", { class: "gl-legend" }, key("f", "pF as here"), key("g", "pG as here"), key("least", "balanced")),
        ...places.map((place) => place.root)),
    ),
    html("div", { class: "gl-readouts" }, Object.values(others).map((each) => each.root)),
    voice.root,
  );

  function draw() {
    const state = stateOf(model);
    const step = measuredStep(state);
    const now = told(state);
    const drawn = cut(state, model.get("cut"));
    const words = `after the step pF is ${now.after} and pG is ${now.bound}; here both are ${now.here}`;
    put(picture, (...size) => majoriserCut(state, model.get("cut"), drawn, step, ...size), `F and G along a line: ${words}.`);
    put(map, (...size) => majoriserMap(state, step, drawn, ...size), `Level lines over log a₁ and log a₂, and the ${now.steps} steps so far.`);
    for (const [each, name] of [[after, "after"], [bound, "bound"], [here, "here"], ...Object.entries(others).map(([name, each]) => [each, name])]) each.set(now[name]);
    say(below, now.below);
    say(falls, now.falls);
    say(verdict, now.verdict);
    root.classList.toggle("gl-broken", now.verdict.startsWith("✗") || now.verdict.includes("run away"));
    exponent.set(state.exponent);
    line.set(model.get("cut"));
    power.set(state.p);
    places.forEach((place, h) => place.set(state.logs[h], minus(state.logs[h].toFixed(3))));
    voice.speak();
  }

  return mount(life, { el, root, name: "A bound that touches from above", model, traits: TRAITS, draw, redraw });
}

export default { render };
