// SoftGauge: which learning rates a soft penalty on imbalance makes stable, and the run at one cell of that map.
//
// The stored map is read in stable.js and drawn in cells.js; the run is computed in run.js
// and drawn in plots.js.

import { announcer, button, checkbox, choice, readout, slider } from "../shared/controls.js";
import { change, html, lifetime, mount, put, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { flattened, layout } from "../shared/mlp.js";
import { formula, readings } from "../shared/readings.js";
import { cells } from "./cells.js";
import { imbalancePlot, lossPlot } from "./plots.js";
import { softRun } from "./run.js";
import { count, has, nearest, reach, tablesOf } from "./stable.js";

const TRAITS = ["start", "seed", "criterion", "strength", "lr", "revealed"];
const UNEVEN = "the balanced network in a random gauge, whose logarithms have standard deviation";
const STARTS = {
  balanced: "the minimum-norm gauge of He’s network", he: "He’s random weights", "uneven 0.5": `${UNEVEN} 0.5`, "uneven 1": `${UNEVEN} 1`,
};
const MEANING = {
  strict: "Strict: the loss never rises more than 1 % above its lowest value so far.",
  tolerant: "Tolerant: the loss never exceeds twice the first and ends below it, and the network has not died.",
};

const short = (value) => String(Number(value.toPrecision(3)));
export const traitsOf = (model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));

/** Runs of the map’s networks, remembered for a few cells. */
export function runner(map) {
  const net = layout(map.widths, false);
  const data = { inputs: map.inputs, targets: map.targets.map((target) => [target]) };
  const known = new Map();
  return ({ start, seed }, strength, lr) => {
    const key = JSON.stringify([start, seed, strength, lr]);
    if (!known.has(key)) known.set(key, softRun(net, flattened(map.starts[start][seed], []), data, { strength, lr, steps: map.steps }));
    if (known.size > 16) known.delete(known.keys().next().value);
    return known.get(key);
  };
}

/** Everything that is shown: the cell, the tables of its start, both runs and the reaches at this strength and at none. */
export function stateOf(map, compute, traits) {
  const { start, seed, criterion } = traits;
  const [i, j] = [nearest(map.strengths, traits.strength), nearest(map.etas, traits.lr)];
  const [strength, lr] = [map.strengths[i], map.etas[j]];
  const [run, free] = [compute(traits, strength, lr), compute(traits, 0, lr)];
  const tables = tablesOf(map, start, criterion);
  const seeds = map.starts[start].length;
  const reaches = [i, 0].map((k) => [(1 << seeds) - 1, 1 << seed].map((mask) => reach(tables.stable[k], map.etas, mask)));
  const stored = Object.fromEntries(["strict", "tolerant"].map((name) => [name, has(tablesOf(map, start, name).stable[i][j], seed)]));
  return {
    revealed: traits.revealed ?? true, cell: [i, j], strength, lr, run, free, tables, seeds, seed, criterion, stored, reaches,
    share: count(tables.stable[i][j]), fragile: has(tables.fragile[i][j], seed), stiff: lr * strength * run.stiffest,
  };
}

/** The step from which a run is not stable by the criterion, or null. */
const brokenAt = (run, criterion) => (criterion === "strict" ? run.rose ?? run.ranAway : run.ranAway);

/** Why a run is not stable. */
export function why(run, criterion) {
  if (criterion === "strict" && run.rose !== null && run.rose !== run.ranAway) return `the loss rises by more than 1 % at step ${run.rose}`;
  if (run.ranAway !== null) return `the loss exceeds twice the first at step ${run.ranAway}`;
  return run.died ? "the network has died: it gives 0 everywhere" : "the loss ends no lower than it began";
}

/** One sentence: up to which learning rates all are stable, with this penalty and without one. */
export function reachLine({ reaches: [[all, one], [allFree, oneFree]], seeds, seed, strength }) {
  const to = (eta) => (eta > 0 ? `at every η up to ${short(eta)}` : "not even at the least η");
  const without = (eta) => (strength === 0 ? "" : ` (no penalty: ${eta > 0 ? short(eta) : "none"})`);
  return `κ = ${short(strength)}: stable for all ${seeds} seeds ${to(all)}${without(allFree)}, for seed ${seed} ${to(one)}${without(oneFree)}.`;
}

/** Two or three sentences about the run at the cell. */
export function comment(state) {
  const { criterion, strength, lr, run, free, stiff, stored, fragile } = state;
  const [here, without] = [run[criterion], free[criterion]];
  const said = [];
  if (strength === 0) said.push(here ? "Stable without any penalty: at this η none is needed." : `Unstable without a penalty: ${why(run, criterion)}. Would one help?`);
  else if (here && without) said.push("Stable with the penalty and without it: at this η it is not needed.");
  else if (here) said.push(`The penalty makes this run stable. Without it, ${why(free, criterion)}.`);
  else if (without) said.push(`It is the penalty that spoils this run: ${why(run, criterion)}. Without it the run is stable.`);
  else said.push(`Unstable: ${why(run, criterion)}. Without the penalty it is unstable too.`);
  if (stiff > 1) said.push(here ? "Its own step is too long at first, ηκμ_max > 1, but that passes." : "Its own step is too long at the start: ηκμ_max > 1.");
  if (fragile) said.push("The cell is fragile: a start 10⁻⁹ away was judged otherwise, so rounding may decide.");
  else if (state.revealed && here !== stored[criterion]) said.push("Here and on the map rounding has decided otherwise: such long steps are chaotic.");
  if (strength > 0 && run.mode) said.push(...ofMode(run.mode, lr));
  return said.join(" ");
}

/** Why the slowest mode does not decay as e^(-predicted t), if it does not. */
function ofMode({ predicted, measured }, lr) {
  const differ = (rate) => measured === null || Math.abs(measured - rate) > 0.1 * rate;
  if (!differ(predicted)) return [];
  if (differ(-Math.log(Math.abs(1 - lr * predicted)) / lr)) return ["The slowest mode is not left alone: each step of the loss adds imbalance of order η²."];
  return ["The step is long for the slowest mode too: it keeps 1 − 2ηκμ_min in each, not e^(−2ηκμ_min)."];
}

const verdict = (stable) => (stable ? "✓\u00a0stable" : "✗\u00a0unstable");

/** What the table says of this run, of the map and of the run without a penalty. */
export function tableOf({ run, free, stored, fragile }) {
  const told = (each) => ({
    strict: verdict(each.strict), tolerant: verdict(each.tolerant),
    loss: each.ranAway === null ? each.losses.at(-1) : "ran away", largest: each.ranAway === null ? Math.max(...each.imbalances.at(-1).map(Math.abs)) : undefined,
  });
  const mark = fragile ? " ◇" : "";
  return { live: told(run), map: { strict: verdict(stored.strict) + mark, tolerant: verdict(stored.tolerant) + mark }, free: told(free) };
}

function render({ model, el }) {
  const life = lifetime();
  const map = model.get("_map");
  const compute = runner(map);
  const redraw = life.perFrame(draw);
  const seeds = map.starts[model.get("start")].length;
  const cellNow = () => [nearest(map.strengths, model.get("strength")), nearest(map.etas, model.get("lr"))];
  const within = (k, list) => Math.min(Math.max(k, 0), list.length - 1);

  function go([i, j]) {
    const [strength, lr] = [map.strengths[within(i, map.strengths)], map.etas[within(j, map.etas)]];
    if (strength !== model.get("strength") || lr !== model.get("lr")) change(model, { strength, lr });
  }
  const chart = cells(life, map, { moved: go, stepped: ([dx, dy]) => go([cellNow()[0] + dx, cellNow()[1] + dy]) });
  const strong = slider(life, {
    caption: "strength κ", min: 0, max: map.strengths.length - 1, step: 1, act: (k) => go([k, cellNow()[1]]),
  });
  const rate = slider(life, {
    caption: "learning rate η", min: 0, max: map.etas.length - 1, step: 1, act: (k) => go([cellNow()[0], k]),
  });
  const start = choice(life, { caption: "start", options: Object.keys(STARTS).map((name) => [name, name]), act: (name) => change(model, { start: name }) });
  const criterion = choice(life, {
    caption: "stable", options: [["strict", "strictly"], ["tolerant", "tolerantly"]], act: (name) => change(model, { criterion: name }),
  });
  const seed = choice(life, {
    caption: "seed", options: Array.from({ length: seeds }, (_, k) => [k, String(k)]), act: (k) => change(model, { seed: k }),
  });
  const reveal = checkbox(life, { caption: "show the map", act: (on) => change(model, { revealed: on }) });
  const reset = button(life, { caption: "Reset", act: () => change(model, model.get("_start")) });

  const sub = (word) => html("sub", {}, word);
  const [losses, imbalances] = [0, 1].map(() => svg("svg", { class: "gl-plot", role: "img" }));
  const keys = legend([
    ["gl-bars", "share of seeds that train stably", BAR], ["gl-limit", html("span", {}, "ηκμ", sub("max"), " = 1 at the start")],
    ["gl-fragile", "fragile: rounding may decide", DIAMOND],
  ]);
  const runKeys = legend([["gl-run", "this run"], ["gl-free", "no penalty"], ["gl-broken", "unstable from here", CROSS]]);
  const unitKeys = legend([
    ["gl-unit-line gl-first", "first hidden layer"], ["gl-unit-line gl-second", "second"], ["gl-mode", "slowest mode"], ["gl-predicted", "as predicted"],
  ]);
  const [reaches, meaning, remark] = ["gl-reaches", "gl-meaning", "gl-remark"].map((kind) => html("p", { class: kind }));
  const table = readings({
    columns: ["live", "map", "free"],
    rows: [["strict", "strict"], ["tolerant", "tolerant"], ["loss", "last loss"], ["largest", "max |Δ| at the end"]],
  });
  const rates = [
    readout("stiff", html("span", {}, "ηκμ", sub("max"), " at the start")),
    readout("predicted", html("span", {}, "slowest mode near the end: rate 2κμ", sub("min"))),
    readout("measured", "measured"),
  ];
  const voice = announcer(life, () => {
    const state = stateOf(map, compute, traitsOf(model));
    const onTheMap = model.get("revealed") ? ", on the map: " + verdict(state.stored[state.criterion]) : "";
    return `${cellText(state)}. Seed ${state.seed} in this run: ${verdict(state.run[state.criterion])}${onTheMap}. ${remark.textContent}`;
  });
  const cellText = ({ strength, lr, share, seeds: all }) => {
    const stable = model.get("revealed") ? ": " + share + " of " + all + " seeds stable" : "";
    return `κ ${short(strength)}, η ${short(lr)}${stable}`;
  };

  const root = html(
    "div", { class: "gl-widget gl-soft-gauge" },
    html(
      "p", { class: "gl-question" }, "The penalty κ/4 Σ Δ² pulls eight hidden units towards balance while they learn. ",
      html("strong", {}, "Does it allow longer steps? And where does more of it stop helping?"),
    ),
    html(
      "div", { class: "gl-main" },
      html(
        "div", { class: "gl-left" }, chart.root, keys, strong.root, rate.root,
        html("div", { class: "gl-row" }, start.root, seed.root, criterion.root, reset.root),
        model.get("_start").revealed ? null : html("div", { class: "gl-row" }, reveal.root),
        reaches, meaning,
      ),
      html(
        "div", { class: "gl-right" }, losses, runKeys, imbalances, unitKeys, table.root,
        html("div", { class: "gl-readouts" }, rates.map((each) => each.root)), remark,
      ),
    ),
    voice.root,
  );

  function draw() {
    const traits = traitsOf(model);
    const state = stateOf(map, compute, traits);
    const { run, free, strength, lr } = state;
    chart.set({
      key: JSON.stringify([traits.start, traits.criterion, traits.seed, traits.revealed]), revealed: traits.revealed, tables: state.tables, seeds: state.seeds,
      stiffest: run.stiffest, cell: state.cell, text: cellText(state),
    });
    put(
      losses, (...size) => lossPlot(run, free, brokenAt(run, traits.criterion), map.steps, ...size),
      `Loss against steps at κ ${short(strength)} and η ${short(lr)}: ${verdict(run[traits.criterion])}; with no penalty ${verdict(free[traits.criterion])}.`,
    );
    put(
      imbalances, (...size) => imbalancePlot(run, { first: map.widths[1], last: map.steps, lr }, ...size),
      "Imbalance of each hidden unit against steps, on a logarithmic axis, with the slowest mode and its predicted decay.",
    );
    keys.lastChild.hidden = !state.tables.fragile.flat().some((code) => code > 0);
    const told = tableOf(state);
    reveal.set(traits.revealed);
    root.classList.toggle("gl-map-hidden", !traits.revealed);
    table.set(traits.revealed ? told : { ...told, map: {} }, { title: `seed ${state.seed}`, columns: ["this run", "the map", "no penalty"] });
    rates[0].set(number(state.stiff, 3));
    rates[1].set(run.mode ? number(run.mode.predicted, 3) : "–");
    rates[2].set(run.mode && run.mode.measured !== null ? number(run.mode.measured, 3) : "–");
    strong.set(state.cell[0], short(strength));
    rate.set(state.cell[1], short(lr));
    start.set(traits.start);
    criterion.set(traits.criterion);
    seed.set(traits.seed);
    say(reaches, traits.revealed ? reachLine(state) : "The map is empty still: try a few cells, and guess where the stable ones end.");
    say(meaning, `${MEANING[traits.criterion]} Start: ${STARTS[traits.start]}.`);
    formula(remark, comment(state));
    voice.speak();
  }

  return mount(life, { el, root, name: "Learning rate and penalty", model, traits: TRAITS, draw, redraw });
}

const BAR = "M1 2H19V10H1Z";
const DIAMOND = "M14 2l4 4l-4 4l-4-4z";
const CROSS = "M9 1l10 10m0-10l-10 10";

export default { render };
