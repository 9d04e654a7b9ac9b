// PhasePlane, mode "orbit": slide along w v = const and see what stands still and what does not.

import { announcer, button, checkbox, choice, slider } from "../shared/controls.js";
import { adjust, change, html, say, svg } from "../shared/dom.js";
import { number, signed } from "../shared/format.js";
import { legend } from "../shared/legend.js";
import { functionPanel } from "./function.js";
import { marks } from "./marks.js";
import { moves, STEP } from "./moves.js";
import { dots } from "./series.js";
import { stage } from "./stage.js";
import { phaseTable } from "./table.js";
import { frame, measures, product, silent, smallest } from "./two_weights.js";

const STILL = [
  ["f", () => "f(1) = v relu(w)"],
  ["loss", () => "loss L"],
  ["difference", () => "max |f − f₀|"],
  ["tangent", () => "⟨∇L, tangent⟩"],
];
const NEAR = 0.01; // a function this near to f₀, relatively, counts as found
const charge = (p) => (p === 2 ? "w² − v²" : "|w| − |v|");
const MOVING = [
  ["w", () => "w"],
  ["v", () => "v"],
  ["size", (p) => (p === 2 ? "‖θ‖² = w² + v²" : "‖θ‖₁ = |w| + |v|")],
  ["gradient", () => "‖∇L‖"],
  ["curvature", () => "curvature"],
  ["imbalance", charge],
];

/** The mode's element, the function that draws the model's state, and the traits that call for it. */
export function orbit(life, model) {
  const start = model.get("_start");
  const target = model.get("target");
  const square = frame(start, target);
  const move = moves(model, start, square);

  const keep = checkbox(life, { caption: "dragging stays on the orbit", act: () => {} });
  const view = stage(life, {
    square, target, label: "the network (w, v)",
    moved: (pointer) => move.lead(pointer, keep.input.checked),
    stepped: (direction) => move.step(direction, keep.input.checked),
  });
  const drawn = marks(view, { start, square, target });
  const found = []; // the places with the function of the start that the reader came upon before the orbits were shown
  const hits = svg("path", { class: "gl-hits" });
  view.below.append(hits);
  const panel = functionPanel({ start, target });
  const table = phaseTable([["stands still along the orbit", STILL], ["changes along the orbit", MOVING]]);
  const along = slider(life, {
    caption: "along: a", name: "scale a, along the orbit: (w, v) becomes (a w, v / a)",
    min: -4, max: 1, step: STEP, act: (value) => move.slide(2 ** value),
  });
  const crosswise = slider(life, {
    caption: "across: w·v", name: "w times v, across the orbits", min: -1, max: 4, step: STEP, act: move.cross,
  });
  setRange(crosswise.input, productRange(start, target, square));
  const norm = choice(life, { caption: "norm", options: [[2, "p = 2"], [1, "p = 1"]], act: move.setPower });
  const orbits = checkbox(life, { caption: "show the orbits", act: (on) => change(model, { revealed: on }) });
  const best = checkbox(life, { caption: "show the smallest norm", act: (on) => change(model, { smallest: on }) });
  const least = button(life, { caption: "Minimum-norm point", act: move.toSmallest });
  const reset = button(life, { caption: "Reset", act: move.reset });
  const remark = html("p", { class: "gl-remark" });
  const voice = announcer(life, () => {
    const now = measures(move.here(), start, target, model.get("p"));
    return `${inWords(move.here())}. f(1) ${number(now.f)}, moved by ${number(now.difference)}. ` +
      `${model.get("p") === 2 ? "Squared norm" : "Norm"} ${number(now.size)}, gradient ${number(now.gradient)}, curvature ${number(now.curvature)}. ${remark.textContent}`;
  });

  let drawnWith = null;
  function draw() {
    const [point, p, a] = [move.here(), model.get("p"), move.scale()];
    view.set(point, inWords(point));
    const cut = drawn.set(point, p);
    panel.set(point);
    const [revealed, showsBest] = [model.get("revealed"), model.get("smallest")];
    table.set(measures(point, start, target, p), showsBest ? measures(smallest(point), start, target, p) : null, p);
    if (revealed !== drawnWith) keep.set(revealed); // an orbit that is not shown cannot be kept to
    drawnWith = revealed;
    root.classList.toggle("gl-orbits-hidden", !revealed);
    root.classList.toggle("gl-smallest-hidden", !showsBest);
    orbits.set(revealed);
    best.set(showsBest);
    if (!revealed && Math.abs(product(point) - product(start)) <= NEAR * Math.abs(product(start)) && !silent(point)) found.push(point);
    adjust(hits, { d: dots(found.map((each) => each.w), found.map((each) => each.v), view.toX, view.toY) });
    norm.set(p);
    along.input.disabled = a === 0;
    if (a > 0) setRange(along.input, move.scales().map(Math.log2));
    along.set(a > 0 ? Math.log2(a) : 0, `a = ${number(a, 3)}`);
    crosswise.input.disabled = silent(point);
    crosswise.set(product(point), signed(product(point)));
    say(remark, comment(point, p, cut, revealed));
    voice.speak();
  }

  const asks = !start.revealed || !start.smallest;
  const lines = [
    ["gl-orbit", "this orbit"], ["gl-solutions", `solutions, w·v = ${number(target, 2)}`], ["gl-ball", "norm here"],
    ["gl-touching", "smallest norm"], ["gl-arrow", "−∇L"], ...(asks ? [["gl-hits", "found: f = f₀", "M14 6h0"]] : []),
  ];
  const curves = [["gl-original", "f₀, at the start"], ["gl-function", "f, now"]];
  const root = html(
    "div", { class: "gl-main" },
    html(
      "p", { class: "gl-question" },
      asks
        ? ["Every point is a network. ", html("strong", {}, "Move it to others that compute the same function: where do they lie? And where among them is the norm smallest, and where the gradient?")]
        : ["Every point of one orbit is the same function. ", html("strong", {}, "Where on it is the norm smallest, and where the gradient? Is it the same place?")],
    ),
    html(
      "div", { class: "gl-left" }, view.root, legend(lines), along.root, crosswise.root,
      html("div", { class: "gl-row" }, keep.root, norm.root),
    ),
    html(
      "div", { class: "gl-right" }, panel.root, legend(curves), table.root,
      html("div", { class: "gl-row" }, least.root, reset.root),
    ),
    asks ? html("div", { class: "gl-row gl-reveals" }, orbits.root, best.root) : null,
    remark, voice.root,
  );
  return { root, draw, follows: ["w", "v", "p", "revealed", "smallest"] };
}

const inWords = ({ w, v }) => `w ${number(w, 3)}, v ${number(v, 3)}`;

function comment(point, p, cut, revealed) {
  if (silent(point)) return "Here w ≤ 0: the neuron is silent on x = 1, f(1) = 0 whatever v is, and the gradient vanishes.";
  if (!revealed) return "Where f is f₀ again, to a hundredth of it, a dot stays behind.";
  const rule = `Each slider keeps one number still: “along” keeps w·v, “across” keeps ${charge(p)}.`;
  return cut ? `${rule} The dashed arrow is cut: the gradient is longer.` : rule;
}

/** The ends of the slider across the orbits: fixed, so that it stands still while the point slides along. */
function productRange(start, target, square) {
  const top = Math.max(square.high, 1.5 * Math.abs(target), 1.5 * Math.abs(product(start)));
  return [Math.min(product(start), target) < 0 ? -top : -0.25 * top, top];
}

/** The ends of a slider, on the grid of its steps. */
function setRange(input, [low, high]) {
  adjust(input, { min: (Math.ceil(low / STEP) * STEP).toFixed(2), max: (Math.floor(high / STEP) * STEP).toFixed(2) });
}
