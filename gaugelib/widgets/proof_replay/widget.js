// ProofReplay: a proof as steps, each one evaluated on a network; another network; a hypothesis dropped.
// All numbers come from gaugelib.proofs; what is said of them, and the lengths of bars, from replay.js.

import { announcer, button, choice, keepKeys } from "../shared/controls.js";
import { adjust, change, html, lifetime, mount, say, svg } from "../shared/dom.js";
import { bars, claim, firstBroken, runOf, shown, slackOf, spoken, summary, within } from "./replay.js";
import { networkSketch, sketchInWords } from "./sketch.js";

const SKETCH = { width: 360, height: 132 };
const MOVES = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, Home: -Infinity, End: Infinity };

const ASK = "Which step will fail?";
const mark = (holds) => (holds ? "✓" : "✗");
const verdictOf = (holds) => `${mark(holds)} ${holds ? "holds" : "fails"}`;

/** One side of a step: its name, its number, its bar. */
function sideBar(key) {
  const name = html("span", { class: "gl-side-name", "data-readout": `${key}-name` });
  const value = html("span", { class: "gl-value", "data-readout": key });
  const fill = html("div", { class: `gl-fill gl-fill-${key}` });
  const gap = html("div", { class: "gl-gap" });
  const root = html(
    "div", { class: "gl-side" }, name, value,
    html("div", { class: "gl-track", "aria-hidden": "true" }, gap, fill),
  );
  const span = (node, [from, to]) => {
    node.style.left = `${100 * from}%`;
    node.style.width = `${100 * (to - from)}%`;
  };
  function set(side, extent, between) {
    say(name, side.name);
    say(value, shown(side.value));
    span(fill, extent);
    span(gap, between);
  }
  return { root, set };
}

function hypothesesList() {
  const root = html("ul", { class: "gl-hypotheses" });
  function set(hypotheses, drop) {
    root.replaceChildren(...hypotheses.map(({ text, drops }) => (Object.hasOwn(drops, drop)
      ? html("li", {}, html("del", {}, text), " ", html("strong", { class: "gl-instead" }, `dropped: ${drops[drop]}`))
      : html("li", {}, text))));
  }
  return { root, set };
}

/** The steps as a list of buttons; `act(step)` chooses one. Verdicts are marked where they are `told`. */
function outline(life, act) {
  const root = html("ol", { class: "gl-steps" });
  let rows = [];
  const row = (position) => {
    const sign = html("span", { class: "gl-mark", "aria-hidden": "true" });
    const verdict = html("span", { class: "gl-spoken" });
    const text = html("span", { class: "gl-claim" });
    const number = html("span", { class: "gl-number" }, html("span", { class: "gl-spoken" }, "step "), String(position));
    const press = html("button", { type: "button", class: "gl-step" }, number, sign, verdict, text);
    keepKeys(press, life);
    life.listen(press, "click", () => act(position));
    return { sign, verdict, text, press, item: html("li", {}, press) };
  };
  function set(steps, current, told) {
    while (rows.length < steps.length) rows = [...rows, row(rows.length + 1)];
    const items = rows.slice(0, steps.length).map(({ item }) => item);
    if (root.childElementCount !== items.length) root.replaceChildren(...items);
    steps.forEach((step, k) => {
      const { sign, verdict, text, press } = rows[k];
      say(sign, told ? mark(step.holds) : "·");
      say(verdict, told ? (step.holds ? " holds: " : " fails: ") : ": ");
      say(text, claim(step));
      press.classList.toggle("gl-fails", told && !step.holds);
      if (k + 1 === current) adjust(press, { "aria-current": "step" });
      else press.removeAttribute("aria-current");
    });
  }
  return { root, set, focus: (position) => rows[position - 1]?.press.focus() };
}

function render({ model, el }) {
  const life = lifetime();
  const replay = () => model.get("_replay");
  const current = () => {
    const run = runOf(replay(), model.get("drop"), model.get("network"));
    return { run, position: within(model.get("step"), run.steps) };
  };
  const go = (step) => change(model, { step: within(step, current().run.steps) });
  const move = (by) => go(current().position + by);
  // The whole proof hides nothing; of a dropped hypothesis the reader is asked before being told.
  const told = () => ["", model.get("revealed")].includes(model.get("drop"));
  function reveal() {
    const first = firstBroken(current().run.steps);
    change(model, { revealed: model.get("drop"), step: first ?? current().position });
  }

  const title = html("p", { class: "gl-title" });
  const statement = html("p", { class: "gl-statement" });
  const assumed = hypothesesList();
  const drop = choice(life, {
    caption: "drop a hypothesis:",
    options: [["", "nothing dropped"], ...replay().hypotheses.flatMap(({ drops }) => Object.entries(drops))],
    act: (key) => change(model, { drop: key }),
  });
  const another = button(life, {
    caption: "Another network",
    act: () => change(model, { network: (model.get("network") % replay().networks.length) + 1 }),
  });
  const network = html("span", { class: "gl-network", "data-readout": "network" });

  const position = html("span", { class: "gl-position", "data-readout": "step" });
  const verdict = html("span", { class: "gl-verdict", "data-readout": "verdict" });
  const formula = html("p", { class: "gl-formula", "data-readout": "claim" });
  const reason = html("p", { class: "gl-reason" });
  const sides = { left: sideBar("left"), right: sideBar("right") };
  const slackName = html("span", { class: "gl-caption" });
  const slack = html("span", { class: "gl-value", "data-readout": "slack" });
  const where = html("p", { class: "gl-where", "data-readout": "place" });
  const picture = svg("svg", { class: "gl-sketch", role: "img", viewBox: `0 0 ${SKETCH.width} ${SKETCH.height}` });
  const back = button(life, { caption: "Back", act: () => move(-1) });
  const next = button(life, { caption: "Next", act: () => move(1) });
  const reset = button(life, { caption: "Reset", act: () => change(model, model.get("_start")) });
  const list = outline(life, go);
  const total = html("strong", { "data-readout": "summary" });
  const answer = button(life, { caption: "", act: () => (told() ? change(model, { revealed: "" }) : reveal()) });
  const voice = announcer(life, () => {
    const { run, position: at } = current();
    const [step, known] = [run.steps[at - 1], told()];
    const whole = known ? `On the whole, ${summary(run.steps)}.` : ASK;
    return `${spoken(step, at, run.steps.length, known)} ${step.text} ${whole}`;
  });

  const stage = html(
    "div", { class: "gl-stage", role: "group", "aria-label": "the current step" },
    html("div", { class: "gl-walk" }, back.root, position, next.root),
    html("div", { class: "gl-heading" }, formula, verdict), reason, sides.left.root, sides.right.root,
    html("div", { class: "gl-found" }, html("p", { class: "gl-slack" }, slackName, " ", slack), where), picture,
  );
  const all = html(
    "div", { class: "gl-all", role: "group", "aria-label": "all steps" },
    html("p", { class: "gl-summary" }, total), list.root,
  );
  const root = html(
    "div", { class: "gl-widget gl-replay" },
    html("div", { class: "gl-head" }, title, statement, html("p", { class: "gl-caption" }, "It assumes:"), assumed.root),
    html("div", { class: "gl-ask" }, drop.root, answer.root),
    html("div", { class: "gl-row" }, another.root, reset.root, network),
    html("div", { class: "gl-main" }, stage, all), voice.root,
  );
  for (const part of [stage, all]) {
    // On the way down: on the way up the buttons keep their keys from the notebook around them.
    life.listen(part, "keydown", (event) => {
      const by = event.ctrlKey || event.metaKey || event.altKey ? undefined : MOVES[event.key];
      if (by === undefined) return;
      event.preventDefault();
      move(by);
      if (part === all) list.focus(current().position);
    }, { capture: true });
  }

  function draw() {
    const { run, position: at } = current();
    const step = run.steps[at - 1];
    const { title: name, statement: what, hypotheses, networks } = replay();
    const lengths = bars(step);
    const [slackCaption, slackSize] = slackOf(step);
    const known = told();
    const broken = known && run.steps.some(({ holds }) => !holds);
    say(title, name);
    say(statement, what);
    assumed.set(hypotheses, model.get("drop"));
    drop.set(model.get("drop"));
    say(network, `${model.get("network")} of ${networks.length}: ${networks[model.get("network") - 1]}; ${run.network}`);
    say(total, known ? `${mark(!broken)} ${summary(run.steps)}` : ASK);
    total.className = broken ? "gl-fails" : known ? "gl-holds" : "gl-asked";
    answer.root.classList.toggle("gl-unasked", model.get("drop") === "");
    say(answer.root, known ? "Hide the marks" : "Show which steps fail");
    say(position, `Step ${at} of ${run.steps.length}`);
    say(verdict, known ? verdictOf(step.holds) : "holds or fails?");
    root.classList.toggle("gl-broken", known && !step.holds);
    root.classList.toggle("gl-untold", !known);
    say(formula, claim(step));
    say(reason, step.text);
    sides.left.set(step.left, lengths.left, lengths.gap);
    sides.right.set(step.right, lengths.right, lengths.gap);
    say(slackName, `${slackCaption} =`);
    say(slack, shown(slackSize));
    say(where, step.place.words);
    picture.classList.toggle("gl-absent", run.columns.length === 0);
    adjust(picture, { "aria-label": sketchInWords({ columns: run.columns, lit: step.place, place: step.place.words }) });
    picture.replaceChildren(...(run.columns.length > 0 ? networkSketch({ ...run, lit: step.place, ...SKETCH }) : []));
    adjust(back.root, { "aria-disabled": at === 1 });
    adjust(next.root, { "aria-disabled": at === run.steps.length });
    list.set(run.steps, at, known);
    voice.speak();
  }

  return mount(life, {
    el, root, name: "Replay a proof", model, traits: ["drop", "network", "step", "revealed", "_replay"], draw,
  });
}

export default { render };
