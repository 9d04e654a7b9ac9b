// The open page of SixPages: the loss over delta and the mean of W, the spine in its middle, the descent on it, and a start that
// pointer, touch and arrow keys move.

import { keepKeys } from "../shared/controls.js";
import { adjust, sizeOf, svg } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { axes, linear } from "../shared/plane.js";
import { GRAIN } from "./landscape.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
export const STAR = "M0-9 2.6-2.8 9-2.8 3.8 1.4 5.8 8 0 4-5.8 8-3.8 1.4-9-2.8-2.6-2.8Z";
export const DIAMOND = "M0-7 7 0 0 7-7 0Z";
const MARGIN = { left: 40, right: 6, top: 26, bottom: 38 };

export const px = (value) => value.toFixed(1);
export const chain = (points) => points.map(([x, y], k) => `${k ? "L" : "M"}${px(x)} ${px(y)}`).join("");

/** A half page's bands and lines, and its edge, in a group that a transform puts in place. */
export function halfPage({ bands, lines }, { far, low, high }) {
  const [top, bottom] = [low, high].map((s) => Math.round((s / far) * GRAIN));
  const edge = `M0 ${top}H${GRAIN}V${bottom}H0Z`;
  return svg(
    "g", { class: "gl-half" },
    svg("g", { class: "gl-bands" }, svg("path", { class: "gl-band-all", d: edge }), ...bands.map((d, k) => svg("path", { class: `gl-band-${k}`, d })).reverse()),
    svg("path", { class: "gl-lines", d: lines }),
    svg("path", { class: "gl-edge", d: edge }),
  );
}

/** Where everything lies on a page `width` pixels wide, or in a frame of a given height: one scale for both directions. */
export function frameOf({ far, low, high, delta, mean }, width, given) {
  const [wide, tall] = [width - MARGIN.left - MARGIN.right, given ? given - MARGIN.top - MARGIN.bottom : Infinity];
  const scale = Math.min(wide / (2 * far), tall / (high - low));
  const left = MARGIN.left + (wide - 2 * far * scale) / 2;
  const box = { left, right: left + 2 * far * scale, top: MARGIN.top, bottom: MARGIN.top + (high - low) * scale };
  return {
    box, scale, height: given ?? box.bottom + MARGIN.bottom,
    toX: linear(-delta, delta, box.left, box.right), toY: linear(...mean, box.bottom, box.top),
  };
}

/** The marks of the least loss on either side: a star where it is 0, else a diamond. */
export const markOf = ({ least }, levels, at) => svg("path", {
  class: least.loss < 1e-6 * levels.at(-1) ? "gl-solved" : "gl-least", d: least.loss < 1e-6 * levels.at(-1) ? STAR : DIAMOND, transform: `translate(${px(at[0])} ${px(at[1])})`,
});

/**
 * The page as an element: `moved([delta, mean])` is told where the reader drags the start, `stepped([dx, dy])` the way of an arrow key.
 * `set({ key, land, start, parts, here, text })` draws it: `parts` are lists of places [delta, mean], `here` is the one that is looked at.
 */
export function openPage(life, { moved, stepped }) {
  const back = svg("g", { "aria-hidden": "true" });
  const [before, way] = ["gl-way gl-elsewhere", "gl-way"].map((kind) => svg("path", { class: kind }));
  const halo = svg("path", { class: "gl-way-halo" });
  const here = svg("circle", { class: "gl-here", r: 6 });
  const handle = svg(
    "g", { class: "gl-handle", tabindex: 0, role: "slider", "aria-label": "start on the page, δ and mean of W", "aria-roledescription": "point of a page" },
    svg("circle", { class: "gl-reach", r: 22 }), svg("circle", { class: "gl-ring", r: 12 }), svg("rect", { class: "gl-start", x: -6, y: -6, width: 12, height: 12 }),
  );
  const root = svg("svg", { class: "gl-page" }, back, halo, before, way, here, handle);
  let frame = null;
  let at = [0, 0];
  let grip = null; // from the pointer to the start, so that taking hold does not move it
  const placeOf = (event) => {
    const [seen, [width]] = [root.getBoundingClientRect(), sizeOf(root)];
    const pixel = width / seen.width; // a canvas is magnified
    return [frame.toX.back((event.clientX - seen.left) * pixel), frame.toY.back((event.clientY - seen.top) * pixel)];
  };

  keepKeys(handle, life);
  life.listen(handle, "keydown", (event) => {
    const direction = STEPS[event.key];
    if (!direction || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    stepped(direction);
  });
  life.listen(handle, "touchstart", (event) => event.preventDefault(), { passive: false });
  life.listen(handle, "pointerdown", (event) => {
    if (event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    const place = placeOf(event);
    grip = [at[0] - place[0], at[1] - place[1]];
  });
  life.listen(handle, "pointermove", (event) => {
    if (!grip) return;
    const place = placeOf(event);
    moved([place[0] + grip[0], place[1] + grip[1]]);
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
    life.listen(root, type, () => {
      grip = null;
    });
  }

  let drawn = null;
  function set({ key, land, start, parts, here: seen, text }) {
    const size = sizeOf(root);
    frame = frameOf(land.size, ...size);
    const { box, toX, toY } = frame;
    at = start;
    if (drawn !== `${key} ${size}`) {
      drawn = `${key} ${size}`;
      adjust(root, { viewBox: `0 0 ${size[0]} ${px(frame.height)}` });
      back.replaceChildren(...ground(land, frame));
    }
    const within = ([x, y]) => [Math.min(Math.max(toX(x), box.left), box.right), Math.min(Math.max(toY(y), box.top), box.bottom)];
    const trails = parts.map((places) => chain(places.map(within)));
    adjust(halo, { d: trails.join("") });
    adjust(before, { d: trails.slice(0, -1).join("") }); // on another page
    adjust(way, { d: trails.at(-1) });
    const [cx, cy] = within(seen).map(px);
    adjust(here, { cx, cy });
    adjust(handle, {
      transform: `translate(${within(start).map(px).join(" ")})`, "aria-valuenow": start[0].toFixed(2),
      "aria-valuemin": (-land.size.delta).toFixed(2), "aria-valuemax": land.size.delta.toFixed(2), "aria-valuetext": text,
    });
  }
  return { root, handle, set };
}

/** What does not move: the bands of either side, the axes, the spine, the least loss of either side. */
function ground({ halves, levels, size }, { box, toX, toY, scale }) {
  const grain = (scale * size.far) / GRAIN;
  const sides = halves.map((half) => {
    const group = halfPage(half, size);
    adjust(group, { transform: `matrix(${(half.side * grain).toFixed(5)} 0 0 ${(-grain).toFixed(5)} ${px(toX(0))} ${px(toY(0))})` });
    return group;
  });
  return [
    ...sides,
    axes({ toX, toY, x: [-size.delta, size.delta], y: size.mean, box, xLabel: "δ = a − b", yLabel: "mean of W", lift: 10 }),
    svg("line", { class: "gl-spine", x1: px(toX(0)), x2: px(toX(0)), y1: px(box.top), y2: px(box.bottom) }),
    svg("text", { class: "gl-spine-name", x: px(toX(0)), y: px(box.top - 6), "text-anchor": "middle" }, "spine"),
    ...halves.flatMap((half) => {
      const at = [toX(half.least.delta), toY(half.least.mean)];
      const told = svg("text", { class: "gl-height", x: px(at[0]), y: px(at[1] - 13), "text-anchor": "middle" }, half.least.loss < 1e-9 ? "0" : number(half.least.loss, 2));
      return [markOf(half, levels, at), told];
    }),
  ];
}
