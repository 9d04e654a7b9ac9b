// SharpnessAlongOrbit: one dial for each hidden unit leads along the orbit of a small ReLU network. f stands still, and so does
// its loss; the Hessian's spectrum is seen to move, at a minimum and away from one, without weight decay and with it.
//
// The derivatives are in curvature.js, the pictures in plots.js. Upper half: pure functions. Lower half: the view.

import { announcer, button, choice, readout, slider } from "../shared/controls.js";
import { change, html, lifetime, mount, put, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { grid } from "../shared/numbers.js";
import { STEP, difference, outputs, randomGauge, rescaled } from "../shared/one_layer.js";
import { formula, readings } from "../shared/readings.js";
import { alongOrbit, alongTangent, balancing, spectrum } from "./curvature.js";
import { functionPlot, orbitPlot, spectrumPlot } from "./plots.js";

export const POINTS = 401; // of the grid on which f is plotted and compared
export const REACH = 3; // the dials run over log2 a from -REACH to REACH
const RANDOM = 2; // the reach of a random gauge
const AHEAD = grid(-0.95, 0.95, 39); // t on the line theta + t v_h
const TRAITS = ["w_in", "b_in", "w_out", "b_out", "inputs", "targets", "log2_scales", "point", "decay", "unit", "_minima"];
const PLACES = [["minimum", "at a minimum"], ["away", "away from it"]];
const short = (value) => String(Number(value.toPrecision(3)));

export const traitsOf = (model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));

/** The list w, b, v, c as a network. */
export function unflat(theta) {
  const units = (theta.length - 1) / 3;
  const part = (k) => theta.slice(k * units, (k + 1) * units);
  return { w: part(0), b: part(1), v: part(2), c: theta.at(-1) };
}

/** The point at which every a = 1: the network that is given, or the minimum of L_lambda. */
export function originOf({ w_in: w, b_in: b, w_out: v, b_out: c, point, decay, _minima: { decays, points } }) {
  return point === "away" ? { w, b, v, c } : unflat(points[decays.indexOf(decay)]);
}

/** Which losses the plot along the orbit has room for, whatever the dials say: what is near the point in every unit's plot. */
export function lossRange(origin, data, decay) {
  const around = origin.w.flatMap((_, h) => [
    ...alongTangent(origin, data, h, [0, 0.4, 0.7]),
    ...(decay > 0 ? alongOrbit(origin, data, decay, h, [-1.5, 0, 1.5]).penalised : []),
  ]);
  const [low, high] = [Math.min(...around), Math.max(...around)];
  const margin = Math.max(0.2 * (high - low), 0.1 * high, 1e-12);
  return [low - margin, high + margin];
}

/** Everything the widget shows, from its traits. */
export function measured(traits) {
  const { inputs: x, targets: y, log2_scales: dials, decay, unit } = traits;
  const data = { x, y };
  const origin = originOf(traits);
  const moved = rescaled(origin, dials.map((s) => 2 ** s));
  const reach = Math.max(REACH, ...dials.map(Math.abs));
  const margin = 0.06 * (Math.max(...x) - Math.min(...x));
  const xs = grid(Math.min(...x) - margin, Math.max(...x) + margin, POINTS);
  const [f, original] = [outputs(moved, xs), outputs(origin, xs)];
  const [here, start] = [moved, origin].map((net) => spectrum(net, data, decay));
  // No dial goes beyond these: an eigenvalue of D^-1 H D^-1 is at most |D^-1|^2 times one of H.
  const lowest = 4 ** reach * (start.values.at(-1) - decay);
  const bounds = { low: lowest > -1e-6 ? 0 : lowest, high: 4 ** reach * start.top };
  const at = dials[unit - 1];
  const steps = grid(-reach, reach, 61);
  const orbit = { ...alongOrbit(moved, data, decay, unit - 1, steps.map((s) => s - at)), steps, at };
  const line = alongTangent(moved, data, unit - 1, AHEAD);
  return {
    moved, xs, f, original, data, here, start, bounds, reach,
    difference: difference(f, original),
    orbit: { ...orbit, line, lineSteps: AHEAD.map((t) => at + t / Math.LN2), heights: decay > 0 ? [here.loss, here.penalised] : [here.loss] },
    level: Math.max(...orbit.loss.map((loss) => Math.abs(loss - here.loss))),
    range: lossRange(origin, data, decay),
  };
}

/** What the marked bars are, in a few words: as many as hidden units, or more, of which the symmetry sets so many. */
export function wordsOf({ modes, held }, decay) {
  const at = decay > 0 ? `at 2λ = ${short(2 * decay)}` : modes.length === 1 ? "zero" : "zeros";
  return modes.length > held.length ? `${modes.length} ${at}, ${held.length} by symmetry` : `${modes.length} ${at}`;
}

/** One or two sentences about what is shown; nothing of what a dial does before one is turned. */
export function comment({ here, start }, { point, decay, log2_scales: dials }) {
  const [units, count] = [dials.length, here.modes.length];
  const turned = dials.some((s) => s !== 0);
  const moved = turned ? ` f stands still; λ_max is ${number(here.top / start.top, 3)} times what it was.` : "";
  const each = count === units ? "one for each hidden unit" : `${units} of them by the symmetry`;
  if (here.held.length === units) {
    const critical = decay > 0
      ? `At the minimum of L_λ ${count} eigenvalues stand at 2λ = ${short(2 * decay)}, ${each}.`
      : `∇L = 0: ${count} of the ${here.values.length} eigenvalues are 0, ${each}${turned ? ", in this gauge too" : ""}.`;
    return critical + (moved || " Which bars will a dial move?");
  }
  if (point === "minimum") {
    const held = here.held.map((h) => `unit ${h + 1}`).join(", ");
    const left = held ? "still at 2λ: " + held : "none is left at 2λ";
    return `The dials have left the minimum of L_λ: same L, larger R₂; ${left}.${moved}`;
  }
  return `Not critical, |∇${decay > 0 ? "L_λ" : "L"}| = ${number(here.slope, 3)}: no eigenvalue is set to ${decay > 0 ? "2λ" : "0"}. ` +
    `L is level on the orbit, yet its curvature v_hᵀHv_h is not 0.${moved}`;
}

function render({ model, el }) {
  const life = lifetime();
  const redraw = life.perFrame(draw);
  const units = () => model.get("w_in").length;
  const ones = () => Array(units()).fill(0);

  const [bars, curve, losses] = [0, 1, 2].map(() => svg("svg", { class: "gl-plot", role: "img" }));
  const [dialled, curved] = ["gl-dials", "gl-units"].map((kind) => html("div", { class: kind }));
  const followed = html("div", { class: "gl-followed" });
  let [dials, curvatures, orbits] = [[], null, null];

  // Another point has another orbit: the dials begin anew.
  const point = choice(life, { caption: "point", options: PLACES, act: (value) => change(model, { point: value, log2_scales: ones() }) });
  const decay = slider(life, {
    caption: "weight decay λ", name: "weight decay λ, in steps", min: 0, max: model.get("_minima").decays.length - 1, step: 1,
    act: (k) => change(model, { decay: model.get("_minima").decays[k], log2_scales: ones() }),
  });
  const buttons = [
    button(life, {
      caption: "Random gauge", act() {
        const drawn = randomGauge(units(), model.get("random_state"), RANDOM);
        change(model, { log2_scales: drawn.log2Scales, random_state: drawn.state });
      },
    }),
    button(life, { caption: "Minimum-norm gauge", act: () => change(model, { log2_scales: balancing(originOf(traitsOf(model))) }) }),
    button(life, {
      caption: "Reset", act() {
        const start = model.get("_start"); // of another network, if it was exchanged since
        const fits = start.log2_scales.length === units() && model.get("_minima").decays.includes(start.decay);
        change(model, fits ? start : { log2_scales: ones(), point: "minimum", decay: 0, unit: 1 });
      },
    }),
  ];

  const gap = readout("gap", "max |f − f₀| =", { hint: `measured on the ${POINTS} points that are plotted` });
  const level = readout("level", "L on the orbit moves by", { hint: "the largest difference on the points that are plotted" });
  const heading = html("span", {});
  const table = readings({
    columns: ["here", "start"],
    rows: [["trace", "trace of H"], ["top", "λ_max"], ["edge", "2/λ_max"], ["loss", "L"], ["penalised", "L_λ"]],
  });
  const remark = html("p", { class: "gl-remark" });
  const voice = announcer(life, () => {
    const { here, difference: { absolute } } = measured(traitsOf(model));
    return `Largest eigenvalue ${number(here.top)}, two over it ${number(2 / here.top)}, trace ${number(here.trace)}; max |f − f₀| ${number(absolute)}. ${remark.textContent}`;
  });
  const straight = html("span", {});
  formula(straight, "L on the line θ + t v_h");

  const root = html(
    "div", { class: "gl-widget gl-sharpness" },
    html(
      "p", { class: "gl-question" }, "A dial multiplies what enters a hidden unit by a, and divides what leaves it by a: along this orbit f stands still. ",
      html("strong", {}, "Which eigenvalues of the Hessian H of the loss stand still too?"),
    ),
    html(
      "div", { class: "gl-parts" },
      html(
        "div", { class: "gl-by-hand" }, dialled,
        html("div", { class: "gl-settings" }, point.root, decay.root, html("div", { class: "gl-row" }, buttons.map((each) => each.root))),
        table.root, curved,
      ),
      html(
        "div", { class: "gl-spectrum" }, html("p", { class: "gl-heading" }, heading), bars,
        legend([["gl-bar", "above 0", BLOCK], ["gl-bar gl-below", "below 0", BLOCK], ["gl-diamond", "set by the symmetry", DIAMOND], ["gl-before", "at every a = 1"]]),
      ),
      html(
        "div", { class: "gl-by-eye" },
        html(
          "div", { class: "gl-function-of-x" }, curve,
          legend([["gl-original", "f₀, every a = 1"], ["gl-function", "f"], ["gl-datum", "data", DOT]]),
          html("div", { class: "gl-readouts" }, gap.root),
        ),
        html(
          "div", { class: "gl-orbit" }, followed, losses,
          legend([["gl-level", "L on the orbit"], ["gl-bowl", "L + λR₂ on the orbit"], ["gl-tangent", straight]]),
          html("div", { class: "gl-readouts" }, level.root),
        ),
      ),
      remark,
    ),
    voice.root,
  );

  /** What there is one of for each hidden unit. */
  function build(count) {
    const all = Array.from({ length: count }, (_, h) => h + 1);
    dials = all.map((unit) => slider(life, {
      caption: `unit ${unit}`, name: `unit ${unit}: its scale a`, min: -REACH, max: REACH, step: STEP,
      act: (value) => change(model, { log2_scales: model.get("log2_scales").map((s, k) => (k === unit - 1 ? value : s)), unit }),
    }));
    dialled.replaceChildren(...dials.map((dial) => dial.root));
    orbits = choice(life, { caption: "the orbit of", options: all.map((unit) => [unit, `unit ${unit}`]), act: (unit) => change(model, { unit }) });
    followed.replaceChildren(orbits.root);
    curvatures = readings({ columns: ["curvature", "formula"], rows: all.map((unit) => [unit, `unit ${unit}`]) });
    curved.replaceChildren(curvatures.root);
  }

  function draw() {
    const traits = traitsOf(model);
    const { log2_scales: turned, unit, decay: lambda, _minima: { decays } } = traits;
    if (dials.length !== turned.length) build(turned.length);
    const seen = measured(traits);
    const { here, start } = seen;
    dials.forEach((dial, h) => dial.set(turned[h], `a = ${number(2 ** turned[h], 3)}`));
    point.set(traits.point);
    decay.input.max = String(decays.length - 1);
    decay.set(decays.indexOf(lambda), short(lambda));
    orbits.set(unit);

    const words = wordsOf(here, lambda);
    formula(heading, `the ${here.values.length} eigenvalues of H, of ${lambda > 0 ? "L_λ" : "L"}`);
    const told = here.modes.length ? `, ${words}` : "";
    put(bars, (...size) => spectrumPlot(here, start.values, { ...seen.bounds, words }, ...size), `Eigenvalues of the Hessian from ${number(here.values.at(-1), 3)} to ${number(here.top, 3)}${told}.`);
    put(curve, (...size) => functionPlot(seen, seen.data, ...size), `f and f₀ over the data: they differ by ${number(seen.difference.absolute)} at most.`);
    put(
      losses, (...size) => orbitPlot(seen.orbit, { reach: seen.reach, range: seen.range, unit, decay: lambda }, ...size),
      `Loss along the orbit of unit ${unit}: L moves by ${number(seen.level)}, on the line that touches the orbit its second derivative is ${number(here.curvature[unit - 1], 3)}.`,
    );
    gap.set(number(seen.difference.absolute));
    level.set(number(seen.level));
    const read = (at) => ({ trace: at.trace, top: at.top, edge: 2 / at.top, loss: at.loss, penalised: lambda > 0 ? at.penalised : undefined });
    table.set({ here: read(here), start: read(start) }, { title: `λ = ${short(lambda)}`, columns: ["here", "every a = 1"] });
    const perUnit = (values) => Object.fromEntries(values.map((value, h) => [h + 1, value]));
    curvatures.set({ curvature: perUnit(here.curvature), formula: perUnit(here.formula) }, { title: "of L", columns: ["v_hᵀHv_h", "−2⟨g_in, w_in⟩"] });
    formula(remark, comment(seen, traits));
    voice.speak();
  }

  return mount(life, { el, root, name: "Sharpness along the orbit", model, traits: TRAITS, draw, redraw });
}

const BLOCK = "M3 1H25V11H3Z";
const DIAMOND = "M14 0.5l5.5 5.5l-5.5 5.5l-5.5-5.5z";
const DOT = "M10 6a4 4 0 1 0 8 0a4 4 0 1 0 -8 0";

export default { render };
