// AttentionHead: one causal head, five tokens, four channels. A dial multiplies a channel of the queries, and the channel of the keys
// answers with the reciprocal: the attention stands still. The same for values and the output matrix, and for pairs where positions turn.
//
// The sums are in head.js, the pictures in plots.js.

import { announcer, button, checkbox, readout, slider } from "../shared/controls.js";
import { change, html, lifetime, mount, put, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { CHANNELS, dialsOf, groups, lightest, measured } from "./head.js";
import { headPlot, matricesPlot } from "./plots.js";

export const REACH = 4; // the dials run over log2 a from -REACH to REACH
const STEP = 0.25;
const LEVEL = 1e-9; // so near to the least a norm is said to be the least
const TRAITS = ["part", "log2_scales", "answers", "rotary", "tied", "_head"];
const WORDS = {
  qk: {
    name: "Queries against keys", names: [["queries", "Q"], ["keys", "K"]], letters: ["q", "k"], answers: "the key answers",
    asks: "A dial multiplies a channel of the queries by a. Its channel of the keys answers with 1/a. ",
  },
  vo: {
    name: "Values against outputs", names: [["values", "V"], ["output", "O"]], letters: ["v", "o"], answers: "the output answers",
    asks: "A dial multiplies a channel of the values by a. Its column of the output matrix answers with 1/a. ",
  },
};

export const traitsOf = (model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));

/** One to three sentences about what is shown; nothing of what a dial does before one is turned. */
export function comment({ dials, same, changes, norm, least }, { part, answers }) {
  if (dials.every((s) => s === 0)) return "The head as it is given: every a is 1. Turn a dial: what moves, and what stands still?";
  if (!answers && part === "qk") return "The keys do not answer. A score is a sum over channels, and each channel now counts a times: the attention moves, and the output with it.";
  if (!answers) return "The output matrix does not answer. No value enters the attention, so it stands still; but the output moves.";
  if (!same.pattern) return "Positions turn the two channels of a pair into each other, so that each query channel meets both keys of its pair. Scaled apart they move the attention, though every key answers.";
  const what = part === "qk" ? "Query times key" : "Value times output";
  const powers = dials.every(Number.isInteger) ? "every a is a power of two, and " : "";
  const moved = changes.pattern === 0 && changes.output === 0 ? `${powers}not a bit moves` : "what moves is rounding";
  const weight = norm / least - 1 < LEVEL ? "No writing of this head is lighter: each beam is level." : `The two matrices have ${number(norm / least, 3)} times the squares of the lightest.`;
  return `${what} is in each channel what it was: ${moved}. ${weight}`;
}

function dialOf(life, { channels, letters, act }) {
  const names = channels.map((c) => c + 1);
  const caption = names.length > 1 ? `pair ${names.join(", ")}` : `channel ${names[0]}`;
  const scale = slider(life, { caption, name: `${caption}: log₂ a`, min: -REACH, max: REACH, step: STEP, act });
  const key = names.join("");
  const sizes = letters.map((letter) => readout(`${letter}-${key}`, `|${letter}|²`, { hint: "sum of the squared weights" }));
  const charge = readout(`charge-${key}`, "charge", { hint: `|${letters[0]}|² − |${letters[1]}|²` });
  const root = html("div", { class: "gl-dial", role: "group", "aria-label": caption }, scale.root, html("div", { class: "gl-sizes" }, sizes.map((each) => each.root), charge.root));
  function set(at, values) {
    scale.set(at, `a = ${number(2 ** at, 3)}`);
    values.forEach((value, k) => sizes[k].set(number(value, 3)));
    charge.set(number(values[0] - values[1], 3));
  }
  return { root, set };
}

function render({ model, el }) {
  const life = lifetime();
  const { part } = traitsOf(model);
  const words = WORDS[part];
  const dialled = html("div", { class: "gl-dials" });
  let dials = [];
  let built = null; // whether the pairs have one dial

  const switches = html("div", { class: "gl-row" });
  const here = () => dialsOf(traitsOf(model));
  const answers = checkbox(life, { caption: words.answers, act: (on) => change(model, { answers: on }) });
  const rotary = checkbox(life, { caption: "rotary positions", act: (on) => change(model, { log2_scales: here(), rotary: on }) });
  const tied = checkbox(life, { caption: "one dial for a pair", act: (on) => change(model, { log2_scales: here(), tied: on }) });
  const least = button(life, {
    caption: "Lightest", hint: "the dials at which both sides weigh the same",
    act: () => change(model, { log2_scales: lightest(model.get("_head"), part, model.get("rotary")).dials, answers: true }),
  });
  const given = button(life, { caption: "Every a = 1", act: () => change(model, { log2_scales: Array(CHANNELS).fill(0) }) });
  const reset = button(life, { caption: "Reset", act: () => change(model, model.get("_start")) });

  const [matrices, head] = [0, 1].map(() => svg("svg", { class: "gl-plot", role: "img" }));
  const pattern = readout("pattern", "max |A − A₀| =", { hint: "over all pairs of tokens" });
  const output = readout("output", "max |y − y₀| =", { hint: "over all tokens and entries" });
  const verdict = html("div", { class: "gl-verdict", "data-readout": "verdict" });
  const norm = readout("norm", "");
  norm.root.firstChild.append("‖W", html("sub", {}, words.names[0][1]), "‖² + ‖W", html("sub", {}, words.names[1][1]), "‖² =");
  const floor = readout("least", "of the lightest:", { hint: "the least with the same head" });
  const remark = html("p", { class: "gl-remark" });
  const voice = announcer(life, () => [verdict.textContent, ...[pattern, output, norm, floor].map((each) => each.root.textContent)].join(", ").concat(". ", remark.textContent));

  switches.append(answers.root, ...(part === "qk" ? [rotary.root] : []));
  const root = html(
    "div", { class: `gl-widget gl-attention gl-${part}` },
    html("p", { class: "gl-question" }, words.asks, html("strong", {}, part === "qk" ? "What does the attention do?" : "What does the output do?")),
    switches,
    html(
      "div", { class: "gl-parts" },
      html("div", { class: "gl-left" }, matrices, dialled, html("div", { class: "gl-row" }, least.root, given.root, reset.root)),
      html(
        "div", { class: "gl-right" }, head,
        legend([["gl-original", "as given", BLOCK], ["gl-now", "now", OUTLINE]]),
        html("div", { class: "gl-readouts" }, pattern.root, output.root, verdict),
        html("div", { class: "gl-readouts gl-norms" }, norm.root, floor.root),
      ),
    ),
    remark, voice.root,
  );

  function build(pairs) {
    built = pairs;
    dials = groups(part, pairs).map((channels) => dialOf(life, {
      channels, letters: words.letters, act: (at) => change(model, { log2_scales: here().map((s, c) => (channels.includes(c) ? at : s)) }),
    }));
    dialled.replaceChildren(...dials.map((each) => each.root));
  }

  function draw() {
    const traits = traitsOf(model);
    const pairs = traits.rotary && traits.tied;
    if (built !== pairs) build(pairs);
    if (traits.rotary && part === "qk") switches.append(tied.root);
    else tied.root.remove();
    const seen = measured(traits);
    for (const [box, on] of [[answers, traits.answers], [rotary, traits.rotary], [tied, traits.tied]]) box.set(on);
    seen.dialled.forEach(({ channels, sizes }, k) => dials[k].set(seen.dials[channels[0]], sizes));

    const sizes = seen.dialled.map(({ channels, sizes: both }) => `channel ${channels.map((c) => c + 1).join(" and ")} ${both.map((each) => number(each, 3)).join(" and ")}`).join("; ");
    put(matrices, (...size) => matricesPlot(seen, words.names, ...size), `The matrices of the ${words.names.map(([name]) => name).join(" and the ")}, channels as rows. Squares of both sides: ${sizes}.`);
    const rows = seen.patterns[1].map((row, t) => `token ${t + 1}: ${row.slice(0, t + 1).map((share) => share.toFixed(2)).join(", ")}`).join("; ");
    put(head, (...size) => headPlot(seen, ...size), `Attention, ${rows}. It ${seen.same.pattern ? "is that of the head as given" : "has moved"}; the output ${seen.same.output ? "too" : "has moved"}.`);

    pattern.set(number(seen.changes.pattern));
    output.set(number(seen.changes.output));
    const same = seen.same.pattern && seen.same.output;
    say(verdict, same ? "✓ the same head" : "✗ another head");
    root.classList.toggle("gl-broken", !same);
    norm.set(number(seen.norm));
    floor.set(number(seen.least));
    say(remark, comment(seen, traits));
    voice.speak();
  }

  return mount(life, { el, root, name: words.name, model, traits: TRAITS, draw });
}

const BLOCK = "M4 1H24V11H4Z";
const OUTLINE = "M4 12V1H24V12";

export default { render };
