// PhasePlane: the network x -> w -> ReLU -> v -> y in the plane of its two weights.
// Its mathematics is in two_weights.js, the plane itself in stage.js.
//
// A mode is a function (life, model) -> { root, draw, follows }: the element to show, the function that draws the
// model's state into it, and the traits after whose change it must be called. One that does not follow the target is made
// anew when it changes. A chapter that needs another mode adds it to this table, and its name to MODES in __init__.py.

import { html, lifetime, mount } from "../shared/dom.js";
import { edge } from "./edge.js";
import { flowMode } from "./flow.js";
import { orbit } from "./orbit.js";
import { pairing } from "./pairing.js";
import { soft } from "./soft.js";

export const MODES = { orbit, flow: flowMode, pairing, soft, edge };

function modeOf(model) {
  const name = model.get("mode");
  if (!Object.hasOwn(MODES, name)) throw new Error(`PhasePlane has no mode “${name}”; it has: ${Object.keys(MODES).join(", ")}`);
  return MODES[name];
}

function render({ model, el }) {
  const root = html("div", { class: "gl-widget gl-phase" });
  const outer = lifetime();
  let inner = lifetime();
  let follows = [];
  function show() {
    inner.end();
    inner = lifetime();
    const mode = modeOf(model)(inner, model);
    root.dataset.mode = model.get("mode");
    root.replaceChildren(mode.root);
    ({ follows } = mode);
    inner.follow(model, follows, inner.perFrame(mode.draw));
    mode.draw();
  }
  outer.keep(() => inner.end());
  outer.follow(model, ["target"], () => follows.includes("target") || show());
  return mount(outer, {
    el, root, name: "Plane of two weights", model, traits: ["mode", "_start"], draw: show, redraw: show, resized: () => {},
  });
}

export default { render };
