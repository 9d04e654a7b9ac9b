// RescaleNeuron: each hidden unit of a small ReLU network has a scale a. Its incoming weight and its bias are
// multiplied by a, its outgoing weight is divided by a: the arrows change, the function stays.
//
// Upper half: pure functions, tested in Node against gaugelib. Lower half: the view.

import { announcer, button, checkbox, choice, readout, slider } from "../shared/controls.js";
import { html, lifetime, mount, prefersStillness, put, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { grid } from "../shared/numbers.js";
import { STEP, difference, outputs, randomGauge, relu, rescaled } from "../shared/one_layer.js";
import { axes, linear, path } from "../shared/plane.js";
import { beam } from "./beam.js";
import { imbalance, incomingNorm, minimumNormScales, outgoingNorm, relativeImbalance, normPower } from "./gauge.js";
import { graphHeight, graphInWords, networkGraph } from "./graph.js";

export const POINTS = 401; // of the grid on which f is plotted and compared
export const REACH = 4; // the sliders run over log2 a from -REACH to REACH
const ROUNDING = 1e-12; // a relative difference below this is rounding, above it the function moved

/** Everything the widget shows, from its traits. */
export function measured({ net, log2Scales, p, forget, forgetBias, tanh, xRange }) {
  const act = tanh ? Math.tanh : relu;
  const scales = log2Scales.map((s) => 2 ** s);
  const moved = rescaled(net, scales, { forget, forgetBias });
  const xs = grid(xRange[0], xRange[1], POINTS);
  const [f, original] = [outputs(moved, xs, act), outputs(net, xs, act)];
  return {
    scales, moved, xs, f, original,
    difference: difference(f, original),
    norm: normPower(moved, p),
    startNorm: normPower(net, p),
    incoming: incomingNorm(moved),
    outgoing: outgoingNorm(moved),
    imbalance: imbalance(moved, p),
    tilt: relativeImbalance(moved, p),
  };
}

/** log2 of the minimum-norm scales; a dead unit stays where it is. */
export const minimumNormGauge = (net, log2Scales) =>
  minimumNormScales(net).map((a, i) => (net.w[i] === 0 || net.v[i] === 0 ? log2Scales[i] : Math.log2(a)));

/** A size of weights that no gauge changes: the strokes and the beams are drawn against it. */
export const referenceWeight = (net) =>
  Math.max(...net.w.map((w, i) => Math.sqrt(Math.abs(w * net.v[i])))) || 1;

/** The range of the plot's vertical axis: what f0 needs; a side is doubled as often as a broken f asks for. */
export function verticalRange(original, f) {
  const [low, high] = [Math.min(...original), Math.max(...original)];
  const middle = (low + high) / 2;
  const half = 0.7 * (high - low) || 1;
  const side = (reach) => half * (reach > half ? 2 ** Math.ceil(Math.log2(reach / half)) : 1);
  return [middle - side(middle - Math.min(...f)), middle + side(Math.max(...f) - middle)];
}

const TRAITS = ["w_in", "b_in", "w_out", "b_out", "log2_scales", "p", "forget_outgoing", "forget_bias", "tanh", "x_range"];

export const traitsOf = (model) => ({
  net: { w: model.get("w_in"), b: model.get("b_in"), v: model.get("w_out"), c: model.get("b_out") },
  log2Scales: model.get("log2_scales"),
  p: model.get("p"),
  forget: model.get("forget_outgoing"),
  forgetBias: model.get("forget_bias"),
  tanh: model.get("tanh"),
  xRange: model.get("x_range"),
});

/** The traits that "Reset" sets. If the network has been exchanged since, its scales are 1. */
export function startOf(model) {
  const start = model.get("_start");
  const units = model.get("w_in").length;
  return start.log2_scales.length === units ? start : { ...start, log2_scales: Array(units).fill(0) };
}

function change(model, traits) {
  for (const [name, value] of Object.entries(traits)) model.set(name, value);
  model.save_changes();
}

const legend = (key, caption) =>
  html("span", { class: "gl-entry" }, html("span", { class: `gl-key gl-key-${key}` }), caption);

function neuronCard(life, i, plain, act) {
  const scale = slider(life, {
    caption: `neuron ${i + 1}`, name: `neuron ${i + 1}: its scale a`,
    min: -REACH, max: REACH, step: STEP, act,
  });
  const balance = beam();
  const into = readout(`in-${i + 1}`, "in", { hint: "norm of the incoming weights" });
  const out = readout(`out-${i + 1}`, "out", { hint: "norm of the outgoing weights" });
  const root = html(
    "div", { class: "gl-card", role: "group", "aria-label": `neuron ${i + 1}` },
    scale.root, plain ? null : [balance.root, html("div", { class: "gl-ends" }, into.root, out.root)],
  );
  const set = (log2Scale, seen, reference) => {
    scale.set(log2Scale, `a = ${number(seen.scales[i])}`);
    into.set(number(seen.incoming[i]));
    out.set(number(seen.outgoing[i]));
    balance.set({ incoming: seen.incoming[i], outgoing: seen.outgoing[i], tilt: seen.tilt[i], reference });
  };
  return { root, set };
}

function functionPlot(seen, xRange, width, given) {
  const height = given ?? Math.max(width < 300 ? 200 : 236, Math.min(graphHeight(seen.scales.length), 0.75 * width));
  const box = { left: 38, right: width - 8, top: 26, bottom: height - 40 };
  const y = verticalRange(seen.original, seen.f);
  const toX = linear(xRange[0], xRange[1], box.left, box.right);
  const toY = linear(y[0], y[1], box.bottom, box.top);
  return {
    height,
    parts: [
      axes({ toX, toY, x: xRange, y, box, xLabel: "x", yLabel: "output" }),
      svg("path", { class: "gl-original", d: path(seen.xs, seen.original, toX, toY) }),
      svg("path", { class: "gl-function", d: path(seen.xs, seen.f, toX, toY) }),
    ],
  };
}

function render({ model, el }) {
  const life = lifetime();
  const plain = model.get("plain");
  let shown = model.get("log2_scales"); // lags behind the model while a button's change glides
  let glide = null;
  const redraw = life.perFrame(draw);

  const network = svg("svg", { class: "gl-network", role: "img" });
  const plot = svg("svg", { class: "gl-plot", role: "img" });
  const cards = html("div", { class: "gl-cards" });
  let neurons = [];

  const gap = readout("max-difference", "max |f − f₀| =", { hint: `measured on the ${POINTS} points that are plotted` });
  const relative = readout("relative-difference", "relative to max |f₀|:");
  const verdict = html("span", { class: "gl-verdict", "data-readout": "verdict" });
  const hint = "sum of |weight|ᵖ over all weights; biases are not counted";
  const norm = readout("norm", "", { hint });
  const startNorm = readout("start-norm", "with every a = 1:", { hint });
  const voice = announcer(life, () => [gap, relative, ...(plain ? [] : [norm, startNorm])].map((r) => r.root.textContent).join(", "));

  const power = choice(life, {
    caption: "norm with", options: [[1, "p = 1"], [2, "p = 2"]], act: (p) => change(model, { p }),
  });
  const forget = checkbox(life, {
    caption: "forget the outgoing weights", act: (on) => change(model, { forget_outgoing: on }),
  });
  const forgetBias = checkbox(life, { caption: "forget the bias", act: (on) => change(model, { forget_bias: on }) });
  const tanh = checkbox(life, { caption: "tanh instead of ReLU", act: (on) => change(model, { tanh: on }) });

  const glideTo = (traits) => {
    glide = { from: shown, since: performance.now() };
    change(model, traits);
    redraw();
  };
  const toOne = button(life, { caption: "Every a = 1", act: () => glideTo({ log2_scales: model.get("w_in").map(() => 0) }) });
  const buttons = plain ? [toOne] : [
    button(life, {
      caption: "Random gauge",
      act() {
        const drawn = randomGauge(model.get("w_in").length, model.get("random_state"));
        glideTo({ log2_scales: drawn.log2Scales, random_state: drawn.state });
      },
    }),
    button(life, {
      caption: "Minimum-norm gauge",
      act: () => glideTo({ log2_scales: minimumNormGauge(traitsOf(model).net, model.get("log2_scales")) }),
    }),
    toOne,
    button(life, { caption: "Reset", act: () => glideTo(startOf(model)) }),
  ];

  const pictures = html(
    "div", { class: "gl-pictures" },
    html("div", { class: "gl-picture" }, network,
      html("p", { class: "gl-legend" },
        legend("positive", "weight > 0"), legend("negative", "weight < 0"))),
    html("div", { class: "gl-picture" }, plot,
      html("p", { class: "gl-legend" },
        legend("original", "f₀, every a = 1"), legend("function", "f, rescaled"))),
  );
  const invariance = html("div", { class: "gl-readouts gl-invariance" }, gap.root, relative.root, verdict);
  const row = html("div", { class: "gl-row gl-buttons" }, buttons.map((b) => b.root));
  const root = html(
    "div", { class: `gl-widget gl-rescale${plain ? " gl-plain" : ""}` },
    html(
      "p", { class: "gl-question" },
      "A neuron’s scale ", html("i", {}, "a"), " multiplies its incoming weight and its bias, and divides its outgoing weight. ",
      html("strong", {}, plain ? "Turn a dial: what changes, and what stays?" : "The arrows change. Why does the function stay?"),
    ),
    plain ? [cards, pictures, invariance, row] : [
      pictures, invariance, cards,
      html("div", { class: "gl-readouts" }, norm.root, startNorm.root, power.root),
      row,
      html("div", { class: "gl-row gl-breakers", role: "group", "aria-label": "break it on purpose" },
        html("span", { class: "gl-caption" }, "Break it:"), forgetBias.root, forget.root, tanh.root),
    ],
    voice.root,
  );

  function glided(target) {
    if (!glide || prefersStillness() || glide.from.length !== target.length) return target;
    const t = Math.min(1, (performance.now() - glide.since) / 450);
    if (t === 1) return target;
    const eased = t * t * (3 - 2 * t);
    return target.map((to, i) => glide.from[i] + eased * (to - glide.from[i]));
  }

  function draw() {
    const traits = traitsOf(model);
    const target = traits.log2Scales;
    shown = glided(target);
    if (shown === target) glide = null;
    const seen = measured({ ...traits, log2Scales: shown });
    const reference = referenceWeight(traits.net);
    if (neurons.length !== target.length) {
      neurons = target.map((_, i) => neuronCard(life, i, plain, (value) => {
        glide = null;
        change(model, { log2_scales: model.get("log2_scales").map((s, k) => (k === i ? value : s)) });
      }));
      cards.replaceChildren(...neurons.map((neuron) => neuron.root));
    }
    neurons.forEach((neuron, i) => neuron.set(shown[i], seen, reference));

    put(network, (width, height = graphHeight(target.length)) => (
      { height, parts: networkGraph({ net: seen.moved, width, height, reference }) }), graphInWords(seen.moved));
    const stays = seen.difference.relative <= ROUNDING;
    const words = `f and f₀ for x from ${traits.xRange[0]} to ${traits.xRange[1]}: ${stays ? "one curve" : "two curves"}.`;
    put(plot, (...size) => functionPlot(seen, traits.xRange, ...size), words);
    gap.set(number(seen.difference.absolute));
    relative.set(number(seen.difference.relative));
    say(verdict, stays ? "✓ the same function" : "✗ another function");
    root.classList.toggle("gl-broken", !stays);
    say(norm.root.firstChild, traits.p === 1 ? "‖W‖₁ =" : "‖W‖₂² =");
    norm.set(number(seen.norm));
    startNorm.set(number(seen.startNorm));
    power.set(traits.p);
    forget.set(traits.forget);
    forgetBias.set(traits.forgetBias);
    tanh.set(traits.tanh);
    voice.speak();
    if (glide) redraw();
  }

  return mount(life, { el, root, name: "Rescale a neuron", model, traits: TRAITS, draw, redraw });
}

export default { render };
