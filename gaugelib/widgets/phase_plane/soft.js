// PhasePlane, mode "soft": penalties that pull a network towards its balanced gauge, and what each does to the function.

import { announcer, button, choice, slider } from "../shared/controls.js";
import { adjust, change, html, say, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { path } from "../shared/plane.js";
import { readings } from "../shared/readings.js";
import { freeMoves, STEP } from "./moves.js";
import { growth, logRatio, PENALTIES, relax } from "./penalties.js";
import { roundRange, series } from "./series.js";
import { ballPath, orbitPath, stage } from "./stage.js";
import { frame, imbalance, product, size } from "./two_weights.js";

export const UNTIL = 10;
const NAMES = Object.keys(PENALTIES);
const CAPTIONS = {
  imbalance: "imbalance, κ/4 (w² − v²)²", "log-ratio": "log-ratio, κ/2 u²", gauge: "log-ratio, scale only", decay: "weight decay, κ/2 (w² + v²)",
};
const SHORT = { imbalance: "imbalance", "log-ratio": "log-ratio", gauge: "scale only", decay: "decay" };

const measure = (point, start) => ({
  u: logRatio(point), charge: imbalance(point, 2), product: product(point), factor: product(point) / product(start),
});

/** The relaxation under one penalty: the whole path, the point at `time`, and what is known of it in closed form. */
export function measuresOfSoft(start, { penalty, strength, time }) {
  const before = relax(start, { penalty, strength, until: time });
  const now = { w: before.w.at(-1), v: before.v.at(-1) };
  const after = relax(now, { penalty, strength, until: UNTIL - time });
  const line = {
    times: [...before.times, ...after.times.slice(1).map((later) => time + later)],
    w: [...before.w, ...after.w.slice(1)], v: [...before.v, ...after.v.slice(1)],
  };
  const points = line.w.map((w, k) => ({ w, v: line.v[k] }));
  const { exact } = PENALTIES[penalty];
  return {
    now, line, points, measured: measure(now, start),
    exact: exact ? measure(exact(start, strength, time), start) : onCircle(start, logRatio(now)),
  };
}

/** Of the flow on the circle, u has no closed form in time, but everything else has one in u. */
function onCircle(start, u) {
  const factor = growth(logRatio(start), u);
  return { charge: size(start, 2) * Math.tanh(u), product: product(start) * factor, factor };
}

/** The mode's element, the function that draws the model's state, and the traits that call for it. */
export function soft(life, model) {
  const begin = model.get("_start");
  const square = frame(begin, 0);
  const move = freeMoves(model, square, { least: 3 * STEP, lowest: 3 * STEP });

  const view = stage(life, { square, label: "the start (w, v)", moved: move.lead, stepped: move.step });
  const { toX, toY } = view;
  const orbit = svg("path", { class: "gl-charge" });
  const circle = svg("path", { class: "gl-circle" });
  const lines = NAMES.map(() => svg("path"));
  const points = NAMES.map(() => svg("circle"));
  view.below.append(orbit, circle, ...lines, ...points);
  const kinds = ["gl-chosen", ...NAMES.map((name) => `gl-by-${name}`), "gl-moment"];
  const ratios = series({
    label: "the log-ratio u against time", x: [0, UNTIL], xLabel: "time t", yLabel: "u = log w/v", kinds, height: 168,
  });
  const factors = series({
    label: "how many times the function is what it was, against time", x: [0, UNTIL], xLabel: "time t", yLabel: "f / f₀", kinds, height: 168,
  });
  const all = readings({ columns: NAMES, rows: [["factor", "f / f₀"], ["u", "u"]] });
  const one = readings({ columns: ["start", "now", "exact"], rows: [["u", "u"], ["charge", "w² − v²"], ["product", "w·v"]] });

  const penalty = choice(life, {
    caption: "penalty", options: NAMES.map((name) => [name, CAPTIONS[name]]), act: (name) => change(model, { penalty: name }),
  });
  const strength = slider(life, {
    caption: "strength κ", name: "strength κ", min: 0.05, max: 1, step: 0.05, act: (value) => change(model, { strength: value }),
  });
  const clock = slider(life, {
    caption: "time t", name: "time t", min: 0, max: UNTIL, step: 0.1, act: (time) => change(model, { time }),
  });
  const reset = button(life, { caption: "Reset", act: () => change(model, begin) });
  const remark = html("p", { class: "gl-remark" });
  const measured = (name) => measuresOfSoft(move.here(), { penalty: name, strength: model.get("strength"), time: model.get("time") });
  const voice = announcer(life, () => {
    const name = model.get("penalty");
    const { u, factor } = measured(name).measured;
    return `${CAPTIONS[name]}: at time ${number(model.get("time"), 3)} u is ${number(u)}, ` +
      `the function ${number(factor)} times what it was. ${remark.textContent}`;
  });

  function draw() {
    const [start, chosen, time] = [move.here(), model.get("penalty"), model.get("time")];
    const seen = NAMES.map(measured);
    const here = seen[NAMES.indexOf(chosen)];
    view.set(start, `w ${number(start.w, 3)}, v ${number(start.v, 3)}`);
    adjust(orbit, { d: orbitPath(product(start), 1, square, toX, toY) });
    adjust(circle, { d: ballPath(size(start, 2), 2, toX, toY) });
    NAMES.forEach((name, k) => {
      const { line, now } = seen[k];
      const past = line.times.findLastIndex((each) => each <= time) + 1;
      adjust(lines[k], { d: path(line.w.slice(0, past), line.v.slice(0, past), toX, toY), class: `gl-by-${name}${name === chosen ? " gl-strong" : ""}` });
      adjust(points[k], {
        cx: toX(now.w).toFixed(2), cy: toY(now.v).toFixed(2), r: name === chosen ? 6 : 4, class: `gl-at-${name}`,
      });
    });
    const [u0, top] = [logRatio(start), Math.cosh(logRatio(start))];
    plot(ratios, roundRange([u0]), (point) => logRatio(point));
    plot(factors, roundRange([1.2, top]), (point) => product(point) / product(start));
    function plot(panel, range, value) {
      const curves = seen.map(({ line, points: states }) => {
        const past = line.times.findLastIndex((each) => each <= time) + 1; // what is to come is not drawn
        return [line.times.slice(0, past), states.slice(0, past).map(value)];
      });
      panel.set(range, {
        ...Object.fromEntries(NAMES.map((name, k) => [`gl-by-${name}`, curves[k]])),
        "gl-chosen": curves[NAMES.indexOf(chosen)], "gl-moment": [[time, time], range],
      });
    }
    all.set(
      Object.fromEntries(NAMES.map((name, k) => [name, seen[k].measured])),
      { title: `t = ${number(time, 2)}`, columns: NAMES.map((name) => SHORT[name]) },
    );
    one.set(
      { start: measure(start, start), now: here.measured, exact: here.exact },
      { title: SHORT[chosen], columns: ["start", "now", "closed form"] },
    );
    penalty.set(chosen);
    strength.set(model.get("strength"), number(model.get("strength"), 2));
    clock.set(time, number(time, 2));
    say(remark, time > 0 ? comment(chosen, u0, top) : "Nothing has moved yet: let the time run on.");
    voice.speak();
  }

  const root = html(
    "div", { class: "gl-main" },
    html(
      "p", { class: "gl-question" }, "Four ways to treat an imbalance, each by itself, without a loss. ",
      html("strong", {}, "Which of them leave the function alone? Which of them balance?"),
    ),
    html(
      "div", { class: "gl-left" }, view.root,
      legend([
        ["gl-charge", "same function"], ["gl-circle", "same norm"], ...NAMES.map((name) => [`gl-by-${name}`, SHORT[name]]),
      ]),
      penalty.root, strength.root, clock.root, html("div", { class: "gl-row" }, reset.root),
    ),
    html("div", { class: "gl-right" }, ratios.root, factors.root, all.root, one.root),
    remark, voice.root,
  );
  return { root, draw, follows: ["w", "v", "penalty", "strength", "time"] };
}

function comment(penalty, u0, top) {
  switch (penalty) {
    case "imbalance":
      return "It slides along the hyperbola, tanh(u/2) = tanh(u₀/2) e^(−4κρt) with ρ = w·v: the function never moves.";
    case "log-ratio":
      return `It slides along the circle w² + v² = const: in the end the function is cosh u₀ = ${number(top)} times what it was.`;
    case "gauge":
      return `The same penalty, applied to the scale alone, is back on the hyperbola: u = u₀ e^(−κt), from u₀ = ${number(u0, 3)}.`;
    default:
      return "Weight decay alone balances nothing: u stays where it is, and the function shrinks as e^(−2κt).";
  }
}
