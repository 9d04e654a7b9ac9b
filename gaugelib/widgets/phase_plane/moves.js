// How the point of PhasePlane moves: along its orbit, across the orbits, or freely, and never out of the square.

import { change } from "../shared/dom.js";
import { across, acrossRange, alongRange, product, rescaled, scaleTowards, smallest } from "./two_weights.js";

const PER_UNIT = 20;
export const STEP = 1 / PER_UNIT; // of sliders and arrow keys: in log2 a, in w v, in w and v

const held = (value, [low, high]) => Math.min(Math.max(value, low), high);

/** The moves of one view; `start` is where the scale a is 1 and where "reset" leads: { w, v, p }. */
export function moves(model, start, square) {
  const here = () => ({ w: model.get("w"), v: model.get("v") });
  const scale = () => Math.abs(here().w / start.w);
  const scales = () => alongRange(here(), square).map((w) => w / Math.abs(start.w));

  // A slide is counted from where the point came onto its orbit: many small steps add no rounding.
  let anchor = here();
  let slid = anchor;
  /** To the scale a on the orbit of here. */
  function slide(a) {
    const { w, v } = here();
    if (w !== slid.w || v !== slid.v) anchor = { w, v };
    slid = rescaled(anchor, (a * Math.abs(start.w)) / Math.abs(anchor.w));
    change(model, slid);
  }

  /** To another product; where w would have to pass 0, the point stops before. */
  function cross(value) {
    const p = model.get("p");
    const [least, most] = acrossRange(here(), square, p);
    change(model, across(here(), held(value, [least || STEP, most || -STEP]), p));
  }

  /** To where a pointer is, or to the orbit's point nearest to it. */
  function lead(pointer, onOrbit) {
    const ends = [square.low, square.high];
    const place = { w: held(pointer.w, ends), v: held(pointer.v, ends) };
    if (onOrbit && here().w !== 0) slide(held(scale() * scaleTowards(here(), place), scales()));
    else change(model, place);
  }

  /** One step in the direction of an arrow key, [1, 0] for right. */
  function step([right, up], onOrbit) {
    const { w, v } = here();
    if (onOrbit && w !== 0) {
      const outwards = right * Math.sign(w) - up * (Math.sign(v) || 1);
      slide(held(scale() * 2 ** (STEP * outwards), scales()));
    } else {
      const grid = (value) => Math.round(value * PER_UNIT) / PER_UNIT;
      lead({ w: right ? grid(w + STEP * right) : w, v: up ? grid(v + STEP * up) : v }, false);
    }
  }

  return {
    here, scale, scales, slide, cross, lead, step,
    product: () => product(here()),
    toSmallest: () => change(model, smallest(here())),
    setPower: (p) => change(model, { p }),
    reset: () => change(model, start),
  };
}

/** Moves that keep nothing: w and v go where they are led, w not below `least`, where the neuron would die. */
export function freeMoves(model, { low, high }, { least, lowest = low, besides = {} }) {
  const here = () => ({ w: model.get("w"), v: model.get("v") });
  function lead({ w, v }) {
    change(model, { w: held(w, [least, high]), v: held(v, [lowest, high]), ...besides });
  }
  const grid = (value) => Math.round(value * PER_UNIT) / PER_UNIT;
  function step([right, up]) {
    const { w, v } = here();
    lead({ w: right ? grid(w + STEP * right) : w, v: up ? grid(v + STEP * up) : v });
  }
  return { here, lead, step };
}
