// SixPages: the equivariant matrices W as a book. A page is { P (delta I + b J) }, the spine is delta = 0, and descent on a page does not
// cross it. Without the constraint, and with a little noise, the path leaves the page and goes round the spine to another.
//
// The loss and descent are in descent.js, the geometry in book.js, the pictures in page.js, spread.js and matrices.js. Upper half:
// pure functions. Lower half: the view.

import { announcer, button, choice, slider } from "../shared/controls.js";
import { change, html, lifetime, mount, put, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { formula, readings } from "../shared/readings.js";
import { runner } from "../shared/runner.js";
import { angleOf, nearest, round } from "./book.js";
import { FRAMES, MOST, NOISE, descendFree, descendOn, noisy, spaced } from "./descent.js";
import { landscapeOf } from "./landscape.js";
import { matricesPlot } from "./matrices.js";
import { openPage } from "./page.js";
import { book } from "./spread.js";

const TRAITS = ["units", "teacher", "delta", "mean", "relaxed", "shown", "turn", "random_state"];
const TEACHERS = [["-0.5 1", "(−½, 1)"], ["1 0", "(1, 0)"], ["1 0.4", "(1, 0.4)"], ["1 -0.5", "(1, −½)"], ["free", "my own"]];
const [DELTAS, MEANS] = [20, 40]; // steps of the start in a unit of delta, and of the mean
const LEAST = 0.1; // of the teacher's larger entry
const NEAR = 0.01; // so close a matrix is said to lie on a page
const SOLVED = 1e-6; // relative to the loss of the network 0
const SWAP = { name: "(1 2)", to: [1, 0] };
const [ON, FREE] = FRAMES;

export const traitsOf = (model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));

/** Landscapes and paths, remembered for a few teachers and starts. */
export function memory() {
  const known = new Map();
  return (key, make) => {
    if (!known.has(key)) known.set(key, make());
    if (known.size > 24) known.delete(known.keys().next().value);
    return known.get(key);
  };
}

/** The path of descent: `places` are [W, step, loss], evenly spaced by length; first on the page, then, if it was dropped, without the constraint. */
export function pathOf({ n, loss }, { delta, mean, relaxed, random_state: state }, remember = (_, make) => make()) {
  const taken = ({ points, losses }, count, before = 0) => ({
    steps: points.length - 1, ended: points.length <= MOST, places: spaced(points, count).map((k) => ({ W: points[k], step: before + k, loss: losses[k] })),
  });
  const first = remember(`on ${n} ${loss.size} ${delta} ${mean}`, () => taken(descendOn(loss, delta, mean), ON));
  if (!relaxed) return { first, places: first.places };
  const second = remember(`off ${n} ${loss.size} ${delta} ${mean} ${state}`, () => taken(descendFree(loss, noisy(first.places.at(-1).W, state)), FREE, first.steps));
  return { first, second, places: [...first.places, ...second.places.slice(1)] };
}

/** What can be read of one place on the path. */
export function readOf(land, { W, step, loss }) {
  const { page, delta, mean, distance } = nearest(land.n, W);
  const at = round(land.n, W);
  const side = delta === 0 ? 0 : Math.sign(delta);
  const least = (side === 0 ? land.halves : land.halves.filter((half) => half.side === side)).reduce((low, half) => Math.min(low, half.least.loss), Infinity);
  return {
    W, step, loss, page, delta, mean, distance, least, at, angle: angleOf(at), solved: loss < SOLVED * land.levels.at(-1),
    right: land.delta === 0 || delta * land.delta > 0, near: distance < NEAR,
  };
}

/** The permutation that takes the teacher's rows to those of W: for two units the other side is that of the exchanged rows. */
export const matchOf = (n, { page, right, near }) => (n === 2 && !right ? { page: SWAP, right: true, near } : { page, right, near });

/** Everything the widget shows, from its traits. */
export function stateOf(traits, remember = memory()) {
  const { units, teacher, relaxed } = traits;
  const key = `${units} ${teacher}`;
  const land = remember(`land ${key}`, () => landscapeOf(units, teacher));
  const path = pathOf(land, traits, (name, make) => remember(`${key} ${name}`, make));
  const last = relaxed ? ON + FREE : ON;
  const shown = Math.min(traits.shown, last);
  return { key, land, path, last, shown, relaxed, start: readOf(land, path.places[0]), here: readOf(land, path.places[shown]), stuck: readOf(land, path.places[ON]) };
}

const plain = (value, decimals) => value.toFixed(decimals).replace("-", "−");
export const small = (value) => (value < 1e-9 ? "< 1e-9" : number(value));

/** Parts of the trail up to here, cut where another page becomes the nearest: places [delta, mean] on that page. */
export function trailOf({ land, path, shown }) {
  const places = path.places.slice(0, shown + 1).map(({ W }) => nearest(land.n, W));
  const parts = [[]];
  places.forEach(({ page, delta, mean }, k) => {
    if (k > 0 && page !== places[k - 1].page) parts.push([]);
    parts.at(-1).push([delta, mean]);
  });
  return parts;
}

const turned = (from, to) => Math.round(Math.abs(((to - from + 540) % 360) - 180));

/** One to three sentences about what is shown. */
export function comment({ land, path, shown, last, relaxed, start, here, stuck }) {
  const { first, second } = path;
  if (shown < last) {
    const where = shown <= ON ? "on the page" : "without the constraint";
    return `Step ${here.step}, ${where}: L = ${small(here.loss)}.`;
  }
  const sides = start.delta === 0 ? "on the spine, where it began" : `on the side of the spine where it began, δ ${start.delta > 0 ? ">" : "<"} 0`;
  if (!relaxed) {
    const rest = first.ended ? `Descent is at rest after ${first.steps} steps, ${sides}.` : `Descent still creeps after ${first.steps} steps, ${sides}.`;
    if (!here.solved) return `${rest} L = ${small(here.loss)}${start.delta === 0 ? "" : ", the least on this side,"} is not 0. What would a push off the page do?`;
    return `${rest} L ${small(here.loss)}: ${here.right ? "it has found the teacher." : "another W that computes what the teacher does."}`;
  }
  const begun = `Free, with noise of ${NOISE} on each weight, ${second.steps} steps more: L ${here.loss < 1e-9 ? "" : "= "}${small(here.loss)}.`;
  const lies = `W lies ${here.near ? "on" : "nearest to"} the page of ${here.page.name}`;
  if (here.page === stuck.page && here.delta * stuck.delta > 0) return `${begun} ${lies}, as before: the noise has not turned the page.`;
  const way = here.angle !== null && stuck.angle !== null ? `, ${turned(stuck.angle, here.angle)}° round the spine` : "";
  const matched = here.near && here.right && land.n === 3 ? " Compare the rows of W with the teacher’s." : "";
  return `${begun} ${lies}${way}${here.right ? ", on the side with the teacher’s sign." : "."}${matched}`;
}

function render({ model, el }) {
  const life = lifetime();
  const redraw = life.perFrame(draw);
  const remember = memory();
  const now = () => stateOf(traitsOf(model), remember);

  /** Another start is a new descent, on the page. */
  function begin(delta, mean, others = {}) {
    const units = others.units ?? model.get("units");
    const { size } = remember(`land ${units} ${others.teacher ?? model.get("teacher")}`, () => landscapeOf(units, others.teacher ?? model.get("teacher")));
    const kept = (value, steps, low, high) => Math.min(Math.max(Math.round(value * steps), Math.ceil(low * steps)), Math.floor(high * steps)) / steps;
    const place = [kept(delta, DELTAS, -size.delta, size.delta), kept(mean, MEANS, ...size.mean)];
    if (place[0] === 0 && place[1] === 0) place[1] = 1 / MEANS; // the network 0 has no rows to turn
    run.stop();
    change(model, { delta: place[0], mean: place[1], relaxed: false, shown: ON, ...others });
  }
  /** One number of the teacher: it steps over what would make the teacher nearly 0. */
  function learn(k, value) {
    const old = model.get("teacher");
    const fits = Math.max(Math.abs(value), Math.abs(old[1 - k])) >= LEAST;
    begin(model.get("delta"), model.get("mean"), { teacher: old.map((x, j) => (j !== k ? x : fits ? value : -Math.sign(x) * LEAST)) });
  }

  const page = openPage(life, {
    moved: ([delta, mean]) => begin(delta, mean),
    stepped: ([dx, dy]) => begin(model.get("delta") + dx / DELTAS, model.get("mean") + dy / MEANS),
  });
  const solid = book();
  const matrices = svg("svg", { class: "gl-plot", role: "img" });

  const units = choice(life, { caption: "inputs and units n", options: [[3, "3"], [2, "2"]], act: (value) => begin(model.get("delta"), model.get("mean"), { units: value }) });
  const teacher = choice(life, {
    caption: "teacher (a, b)", options: TEACHERS,
    act(name) {
      if (name === "free") return;
      const [a, b] = name.split(" ").map(Number);
      begin(-0.8 * (a - b), 0, { teacher: [a, b] }); // on the side without the teacher
    },
  });
  const weights = ["a", "b"].map((letter, k) => slider(life, {
    caption: `teacher’s ${letter}`, min: -1.5, max: 1.5, step: 0.05,
    act: (value) => learn(k, value),
  }));
  const [delta, mean] = [
    slider(life, { caption: "start: δ", name: "start: δ", min: -1, max: 1, step: 1 / DELTAS, act: (value) => begin(value, model.get("mean")) }),
    slider(life, { caption: "start: mean", name: "start: mean of W", min: -1, max: 1, step: 1 / MEANS, act: (value) => begin(model.get("delta"), value) }),
  ];
  const along = slider(life, {
    caption: "path", name: "along the path", min: 0, max: ON, step: 1,
    act(value) {
      run.stop();
      change(model, { shown: value });
    },
  });
  const turn = slider(life, { caption: "turn", name: "turn the book", min: 0, max: 355, step: 5, act: (value) => change(model, { turn: value }) });
  const run = runner(life, { pace: 40, last: () => now().last, at: () => now().shown, go: (place) => change(model, { shown: place }) });
  const drop = button(life, {
    caption: "Drop constraint, 1 % noise", hint: `W may leave its page; noise of standard deviation ${NOISE} is added to each weight`,
    act() {
      const again = model.get("relaxed");
      run.stop();
      change(model, { relaxed: true, shown: ON, random_state: again ? (model.get("random_state") + 1) % 2 ** 32 : model.get("random_state") });
      run.start();
    },
  });
  const reset = button(life, {
    caption: "Reset", act() {
      run.stop();
      change(model, model.get("_start"));
    },
  });

  const heading = html("span", {});
  const table = readings({
    columns: ["start", "here"],
    rows: [
      ["loss", "loss L"], ["least", "least L on this side"], ["page", "nearest page"], ["distance", "distance from it"], ["delta", "δ on it"],
      ["angle", "angle round the spine"], ["outside", "outside this book"],
    ],
  });
  const remark = html("p", { class: "gl-remark" });
  const voice = announcer(life, () => {
    const { here } = now();
    return `Loss ${small(here.loss)}, nearest page ${here.page.name}, distance ${small(here.distance)}, δ ${number(here.delta)}. ${remark.textContent}`;
  });
  const note = html("p", { class: "gl-note" });

  const root = html(
    "div", { class: "gl-widget gl-six-pages" },
    html(
      "p", { class: "gl-question" }, "Each point of a page is an equivariant W = (a − b)I + bJ, or the same with its rows permuted. ",
      html("strong", {}, "Where does descent stop, and where does it go once nothing holds it on its page?"),
    ),
    html(
      "div", { class: "gl-parts" },
      html(
        "div", { class: "gl-left" }, html("p", { class: "gl-heading" }, heading), page.root, delta.root, mean.root,
        html("div", { class: "gl-row" }, drop.root, run.root, reset.root), along.root,
      ),
      html("div", { class: "gl-middle" }, html("p", { class: "gl-heading" }, "the book"), solid.root, turn.root, note),
      legend([
        ["gl-key-start", "start", "M9 1H19V11H9Z"], ["gl-way", "descent"], ["gl-here", "W now", "M9 6a5 5 0 1 0 10 0a5 5 0 1 0 -10 0"],
        ["gl-solved", "L = 0", "M14 0 15.6 4.2 20 4.2 16.4 7 17.8 11.4 14 8.8 10.2 11.4 11.6 7 8 4.2 12.4 4.2Z"],
        ["gl-least", "least L of a side", "M14 0.5l5.5 5.5l-5.5 5.5l-5.5-5.5z"], ["gl-deep", "the stronger, the smaller L", "M1 1H27V11H1Z"],
      ]),
      html("div", { class: "gl-hand" }, html("div", { class: "gl-row" }, teacher.root, units.root), weights.map((each) => each.root)),
      html("div", { class: "gl-weights" }, matrices),
      table.root,
      remark,
    ),
    voice.root,
  );

  function draw() {
    const traits = traitsOf(model);
    const state = stateOf(traits, remember);
    const { key, land, path, last, shown, start, here } = state;
    const places = path.places.slice(0, shown + 1).map(({ W }) => round(land.n, W)).map(({ x, y, mean: m }) => [x, y, m]);
    formula(heading, land.n === 3 ? `open at the page of ${here.page.name}` : "the page of n = 2");
    page.set({ key, land, start: [traits.delta, traits.mean], parts: trailOf(state), here: [here.delta, here.mean], text: `δ ${number(traits.delta, 3)}, mean ${number(traits.mean, 3)}, loss ${small(start.loss)}` });
    solid.set({
      key, land, turn: traits.turn, path: places, here: places.at(-1), current: { name: here.page.name, sign: Math.sign(here.delta) },
      words: `The book: half pages round the spine. W is nearest to the page of ${here.page.name}, δ ${here.delta < 0 ? "below" : "above"} 0 on it.`,
    });
    put(matrices, (...size) => matricesPlot({ n: land.n, W: here.W, teacher: land.teacher, ...matchOf(land.n, here) }, ...size), `W beside the teacher’s matrix: ${here.page.to.map((_, i) => here.W.slice(i * land.n, (i + 1) * land.n).map((x) => plain(x, 2)).join(", ")).join("; ")}. The nearest page is that of ${here.page.name}.`);

    units.set(traits.units);
    const [a, b] = traits.teacher;
    teacher.set(TEACHERS.some(([name]) => name === `${a} ${b}`) ? `${a} ${b}` : "free");
    weights.forEach((each, k) => each.set(traits.teacher[k], plain(traits.teacher[k], 2)));
    for (const [each, steps, low, high] of [[delta, DELTAS, -land.size.delta, land.size.delta], [mean, MEANS, ...land.size.mean]]) {
      each.input.min = String(Math.ceil(low * steps) / steps);
      each.input.max = String(Math.floor(high * steps) / steps);
    }
    delta.set(traits.delta, plain(traits.delta, 2));
    mean.set(traits.mean, plain(traits.mean, 3));
    along.input.max = String(last);
    along.set(shown, `step ${here.step}`);
    turn.set(traits.turn, `${traits.turn}°`);
    say(drop.root, traits.relaxed ? "Other noise" : "Drop constraint, 1 % noise");
    run.set();

    const read = (at) => ({
      loss: small(at.loss), least: small(at.least), page: at.page.name, distance: small(at.distance), delta: at.delta,
      angle: at.angle === null ? undefined : `${at.angle.toFixed(1)}°`, outside: small(at.at.outside),
    });
    table.set({ start: read(start), here: read(here) }, { title: `teacher: δ* = ${number(land.delta, 3)}`, columns: ["start", "now"] });
    say(note, land.n === 3 ? "+ and − are the sign of δ. The pages of (1 2), (1 3), (2 3) make a second such book, at right angles to this one." : "Exchanging the two units turns this page over: half page onto half page.");
    formula(remark, comment(state));
    voice.speak();
  }

  return mount(life, { el, root, name: "The book of six pages", model, traits: TRAITS, draw, redraw });
}

export default { render };
