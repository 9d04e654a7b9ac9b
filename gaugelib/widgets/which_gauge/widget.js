// WhichGauge: one dial leads along the orbit of a network with one hidden layer. Norm, gradient and trace are bowls over it with bottoms
// at different places; the longest stable step and the quantiser’s error move too, and f stands still.
//
// The sums are in orbit.js, the quantiser in quantiser.js, the pictures in plots.js. Upper half: pure functions. Lower half: the view.

import { announcer, button, choice, readout, slider } from "../shared/controls.js";
import { change, html, lifetime, mount, put, svg } from "../shared/dom.js";
import { number, signed } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { grid } from "../shared/numbers.js";
import { difference, randomGauge } from "../shared/one_layer.js";
import { formula, readings } from "../shared/readings.js";
import { KINDS, along, gaugeOf, outputs, placeOf, prepared, sharpest, turned, turnedTo, value } from "./orbit.js";
import { answer, quantisedNetwork, relativeError, right } from "./quantiser.js";
import { bowlsPlot, curvePlot, gridsPlot, outputsPlot, stepPlot } from "./plots.js";

export const REACH = 4; // the dial runs over log2 a from -REACH to REACH
const STEP = 0.05;
const RANDOM = 2; // the reach of a random gauge
const PLACES = grid(-REACH, REACH, 81);
const POINTS = 201; // of the grid on which f is plotted where it is a curve
const SAME = 1e-9; // so near to its least value a sum is said to be there
const TRAITS = ["network", "log2_scales", "unit", "bits", "example", "_networks"];
const NETWORKS = { hat: "hat, 1–3–1", digits: "digits, 64–16–10", own: "my own" };
const NAMES = { norm: "norm²", gradient: "gradient²", trace: "trace" };
const LEAST = { norm: "Smallest norm", gradient: "Smallest gradient", trace: "Smallest trace" };

export const traitsOf = (model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));

/** What is known of a network before a dial is turned: with each gauge, and the longest stable step there. */
export function known(parts) {
  const fixed = prepared(parts);
  const gauges = Object.fromEntries(KINDS.map((kind) => [kind, gaugeOf(fixed.sums, kind)]));
  const given = Array(fixed.units).fill(0);
  const steps = Object.fromEntries(KINDS.map((kind) => [kind, 2 / sharpest(fixed, gauges[kind])]));
  const least = Object.fromEntries(KINDS.map((kind) => [kind, value(fixed.sums, kind, gauges[kind])]));
  const ends = fixed.f.flat();
  return { ...fixed, gauges, least, steps, given, step: 2 / sharpest(fixed, given), range: [Math.min(0, ...ends), Math.max(0, ...ends)] };
}

/** Everything the widget shows, from its traits and what is known of their network. */
export function measured({ log2_scales: dials, unit, bits, example, network }, fixed) {
  const { net, X, Y, sums, least, f: original } = fixed;
  const here = turned(net, dials);
  const f = outputs(here, X);
  const coarse = quantisedNetwork(here, bits, X);
  const bowls = Object.fromEntries(KINDS.map((kind) => {
    const found = along(sums, kind, dials, unit, PLACES);
    const total = value(sums, kind, dials);
    const floor = value(sums, kind, turnedTo(dials, unit, found.lowest)) / least[kind];
    return [kind, { values: found.values.map((each) => each / least[kind]), lowest: found.lowest, floor, total, here: total / least[kind] }];
  }));
  const curved = X[0].length === 1 && Y[0].length === 1;
  return {
    here, f, coarse, bowls, curved, at: placeOf(dials, unit), step: 2 / sharpest(fixed, dials),
    difference: difference(f.flat(), original.flat()), error: relativeError(coarse.f, f),
    shown: curved ? curvesOf(fixed, here, coarse.net) : outputsOf(fixed, f, coarse.f, example - 1, network),
    rights: Y[0].length > 1 ? [right(f, Y), right(coarse.f, Y)] : null,
    layers: [["into units", here.W], ["out of units", here.V]].map(([name, rows], k) => ({ ...coarse.layers[k], name, weights: rows.flat() })),
  };
}

function curvesOf({ net, X, Y }, here, coarse) {
  const xs = grid(Math.min(...X.flat()), Math.max(...X.flat()), POINTS);
  const [f, original, rough] = [here, net, coarse].map((each) => outputs(each, xs.map((x) => [x])).flat());
  return { xs, f, original, coarse: rough, data: { X, Y } };
}

const outputsOf = ({ f: original, range, X }, f, coarse, n, network) => ({ f: f[n], original: original[n], coarse: coarse[n], range, image: network === "digits" ? X[n] : null });

const percent = (share) => `${number(100 * share, 3)} %`;
const times = (bowl) => number(bowl.here, 3);

/** One to three sentences about what is shown; nothing of what a dial does before one is turned. */
export function comment({ bowls, step, error }, { log2_scales: dials, bits }, fixed) {
  if (dials.every((s) => s === 0)) return "The network as it is given. Turn the dial through each bowl’s bottom: which of them is the quantiser’s?";
  const at = KINDS.filter((kind) => bowls[kind].here - 1 < SAME);
  const others = KINDS.filter((kind) => !at.includes(kind)).map((kind) => `${NAMES[kind]} ${times(bowls[kind])}`).join(", ");
  const where = at.length ? `The ${at.map((kind) => NAMES[kind]).join(" and the ")} can be no smaller: ` : "";
  const rest = others ? `${others} times the least. ` : "all are at their least. ";
  return `${where}${where ? rest : rest[0].toUpperCase() + rest.slice(1)}` +
    `The longest step is ${number(step / fixed.step, 3)} times that of the network as given. f stands still; in ${bits} bits it moves by ${percent(error)}.`;
}

/** What is known of the networks, remembered as long as they stay the same. */
export function memory() {
  const found = new Map();
  return ({ network, _networks: all }) => {
    if (found.get(network)?.parts !== all[network]) found.set(network, { parts: all[network], fixed: known(all[network]) });
    return found.get(network).fixed;
  };
}

function render({ model, el }) {
  const life = lifetime();
  const redraw = life.perFrame(draw);
  const remember = memory();
  const fixed = () => remember(traitsOf(model));
  let built = -1; // units that the choice of the dial has

  const [bowls, bar, grids, picture] = [0, 1, 2, 3].map(() => svg("svg", { class: "gl-plot", role: "img" }));
  const network = html("div", {});
  const dialled = html("div", {});
  let [networks, dials] = [null, null];

  const dial = slider(life, {
    caption: "dial", name: "dial: log₂ a", min: -REACH, max: REACH, step: STEP,
    act: (place) => change(model, { log2_scales: turnedTo(model.get("log2_scales"), model.get("unit"), place) }),
  });
  const gauges = KINDS.map((kind) => button(life, { caption: LEAST[kind], act: () => change(model, { log2_scales: fixed().gauges[kind] }) }));
  const random = button(life, {
    caption: "Random", act() {
      const found = randomGauge(fixed().units, model.get("random_state"), RANDOM);
      change(model, { log2_scales: found.log2Scales, random_state: found.state });
    },
  });
  const reset = button(life, {
    caption: "Reset", act() {
      const start = model.get("_start"); // of another network, if it was exchanged since
      const fits = model.get("_networks")[start.network]?.weights[0].length === start.log2_scales.length;
      change(model, fits ? start : { log2_scales: fixed().given, unit: 0, example: 1 });
    },
  });
  const bits = choice(life, { caption: "weights in", options: [[3, "3 bits"], [4, "4 bits"], [8, "8 bits"]], act: (count) => change(model, { bits: count }) });
  const example = slider(life, { caption: "image", name: "which example", min: 1, max: 1, step: 1, act: (n) => change(model, { example: n }) });

  const drawn = [["gl-original", "f₀, every a = 1"], ["gl-function", "f"]];
  const keys = html("div", {}, legend([...drawn, ["gl-coarse", "f quantised"], ["gl-datum", "data", CIRCLE]]), legend([...drawn, ["gl-diamond", "f quantised", DIAMOND]]));
  const chosen = html("div", {});
  const table = readings({ columns: ["here", "ratio", "bottom"], rows: KINDS.map((kind) => [kind, NAMES[kind]]) });
  const step = readout("step", "longest stable step 2/λ_max =", { hint: "of Gauss–Newton’s matrix" });
  formula(step.root.firstChild, "longest stable step 2/λ_max =");
  const gap = readout("gap", "max |f − f₀| =", { hint: "over all examples" });
  const error = readout("error", "move f by", { hint: "the size of the difference over that of f, all examples" });
  const rights = readout("rights", "right:");
  const remark = html("p", { class: "gl-remark" });
  const voice = announcer(life, () => {
    const seen = measured(traitsOf(model), fixed());
    const told = KINDS.map((kind) => `${NAMES[kind]} ${times(seen.bowls[kind])}`).join(", ");
    return `Times the least: ${told}. Longest step ${number(seen.step)}, quantising moves f by ${percent(seen.error)}. ${remark.textContent}`;
  });

  const root = html(
    "div", { class: "gl-widget gl-which" },
    html(
      "p", { class: "gl-question" }, "A dial multiplies what enters a hidden unit by a and divides what leaves it by a. ",
      html("strong", {}, "Which bowl’s bottom is the right place, and for what?"),
    ),
    html(
      "div", { class: "gl-parts" },
      html(
        "div", { class: "gl-left" },
        html("div", { class: "gl-row" }, network, dialled), dial.root, bowls,
        legend([
          ["gl-bowl gl-norm", "norm²"], ["gl-bowl gl-gradient", "gradient², mean of examples"], ["gl-bowl gl-trace", "trace of Gauss–Newton"],
          ["gl-bottom gl-norm", "bottom", CIRCLE], ["gl-now gl-norm", "here", CIRCLE],
        ]),
        html("div", { class: "gl-row gl-gauges" }, gauges.map((each) => each.root), random.root, reset.root),
        table.root,
      ),
      html(
        "div", { class: "gl-right" },
        html("div", { class: "gl-function-of-x" }, chosen, picture, keys, html("div", { class: "gl-readouts" }, gap.root, rights.root)),
        html(
          "div", { class: "gl-grids" }, html("div", { class: "gl-row" }, bits.root, error.root), grids,
          legend([["gl-weights", "weights", COMB], ["gl-levels", "grid", COMB], ["gl-nothing", "becomes 0", BLOCK]]),
        ),
        html("div", { class: "gl-steps" }, step.root, bar),
      ),
      remark,
    ),
    voice.root,
  );

  function build(names, units) {
    networks = choice(life, {
      caption: "network", options: names.map((name) => [name, NETWORKS[name]]),
      act: (name) => change(model, { network: name, log2_scales: Array(model.get("_networks")[name].weights[0].length).fill(0), unit: name === "hat" ? 3 : 0, example: 1 }),
    });
    const all = Array.from({ length: units }, (_, h) => [h + 1, `unit ${h + 1}`]);
    dials = choice(life, { caption: "dial of", options: [...all, [0, "all units"]], act: (unit) => change(model, { unit }) });
    if (names.length > 1) network.replaceChildren(networks.root);
    else network.replaceChildren();
    dialled.replaceChildren(dials.root);
    built = `${names} ${units}`;
  }

  function draw() {
    const traits = traitsOf(model);
    const names = Object.keys(traits._networks);
    const before = fixed();
    if (traits.log2_scales.length !== before.units) return; // another network is on its way, trait by trait
    if (built !== `${names} ${before.units}`) build(names, before.units);
    const seen = measured(traits, before);
    const which = traits.unit ? `unit ${traits.unit}` : "all units";
    networks.set(traits.network);
    dials.set(traits.unit);
    dial.set(seen.at, `a = ${number(2 ** seen.at, 3)}`);
    bits.set(traits.bits);
    [...keys.children].forEach((each, k) => each.toggleAttribute("hidden", seen.curved === (k === 1)));
    if (seen.curved) chosen.replaceChildren();
    else if (!example.root.isConnected) chosen.append(example.root);
    example.input.max = String(before.X.length);
    example.set(traits.example, `${traits.example} of ${before.X.length}`);

    const told = KINDS.map((kind) => `${NAMES[kind]} ${times(seen.bowls[kind])} times its least, lowest on this dial at log₂ a = ${signed(seen.bowls[kind].lowest)}`).join("; ");
    put(bowls, (...size) => bowlsPlot({ places: PLACES, bowls: seen.bowls, at: seen.at, dial: `log₂ a of ${which}${traits.unit ? "" : ", mean"}` }, ...size), `Three bowls over the dial of ${which}: ${told}.`);
    const ends = KINDS.map((kind) => `smallest ${NAMES[kind]} ${number(before.steps[kind], 3)}`).join(", ");
    put(bar, (...size) => stepPlot(seen.step, before.steps, ...size), `The longest stable step is ${number(seen.step, 3)}; in the gauges of ${ends}.`);
    const zeros = seen.layers.map((layer) => `${layer.name} ${number(100 * layer.nothing, 2)} % of the weights become 0`).join(", ");
    put(grids, (...size) => gridsPlot(seen.layers, traits.bits, ...size), `The weights over the grid of ${traits.bits} bits: ${zeros}.`);
    const makes = seen.curved ? curvePlot : outputsPlot;
    put(picture, (...size) => makes(seen.shown, ...size), seen.curved ? `f, f₀ and f in ${traits.bits} bits over the data.` : `The outputs for example ${traits.example}: f is largest at ${answer(seen.shown.f)}, in ${traits.bits} bits at ${answer(seen.shown.coarse)}.`);

    const read = (key) => Object.fromEntries(KINDS.map((kind) => [kind, key(seen.bowls[kind])]));
    table.set(
      { here: read((bowl) => bowl.total), ratio: read((bowl) => bowl.here), bottom: read((bowl) => signed(bowl.lowest)) },
      { title: which, columns: ["here", "÷ least", "bottom"] },
    );
    step.set(number(seen.step));
    gap.set(number(seen.difference.absolute));
    error.set(percent(seen.error));
    rights.root.toggleAttribute("hidden", !seen.rights);
    if (seen.rights) rights.set(`${seen.rights[0]} of ${before.X.length}, quantised ${seen.rights[1]}`);
    formula(remark, comment(seen, traits, before));
    voice.speak();
  }

  return mount(life, { el, root, name: "Which gauge?", model, traits: TRAITS, draw, redraw });
}

const BLOCK = "M3 1H25V11H3Z";
const COMB = "M6 1V11M11 1V11M14 1V11M22 1V11";
const DIAMOND = "M14 1l5 5l-5 5l-5 -5z";
const CIRCLE = "M9 6a5 5 0 1 0 10 0a5 5 0 1 0 -10 0";

export default { render };
