// ProofReplay's data: traces as replay.py packs them, and what is said of them.
// Pure functions: no argument is changed.

import { number } from "../shared/format.js";

/** The run that is shown: what was dropped ("" for nothing), on which network (from 1). */
export function runOf(replay, drop, network) {
  const runs = Object.hasOwn(replay.runs, drop) ? replay.runs[drop] : replay.runs[""];
  const { network: words, picture, steps } = runs[Math.min(Math.max(network, 1), runs.length) - 1];
  return {
    network: replay.words[words], ...replay.pictures[picture],
    steps: steps.map((step) => unpacked(replay.steps[step], replay.words)),
  };
}

const VALUES = { "∞": Infinity, "−∞": -Infinity };
const value = (packed) => (packed === null ? NaN : VALUES[packed] ?? packed);

function unpacked([text, leftName, left, relation, rightName, right, slack, holds, size, place, edges, units], words) {
  return {
    text: words[text], relation, holds,
    left: { name: words[leftName], value: value(left) },
    right: { name: words[rightName], value: value(right) },
    slack: value(slack), size: value(size),
    place: { words: words[place], edges, units },
  };
}

/** The step that is shown, from 1: proofs differ in length. */
export const within = (step, steps) => Math.min(Math.max(step, 1), steps.length);

export const claim = ({ left, relation, right }) => `${left.name} ${relation} ${right.name}`;

/** A number as text; "none" where there is no such number. */
export function shown(x) {
  if (Number.isNaN(x)) return "none";
  return (Number.isFinite(x) ? number(x) : x > 0 ? "∞" : "−∞").replaceAll("-", "−");
}

/** What the slack is called, and its value: an equality has a difference. */
export function slackOf({ relation, slack }) {
  return relation === "=" ? ["difference", Math.abs(slack)] : ["slack", slack];
}

/** The number of the first step that fails; undefined if none does. */
export const firstBroken = (steps) => steps.flatMap(({ holds }, k) => (holds ? [] : [k + 1]))[0];

/** Which steps fail, in words. */
export function summary(steps) {
  const broken = steps.flatMap((step, k) => (step.holds ? [] : [k + 1]));
  if (broken.length === 0) return "every step holds";
  const numbers = broken.length === 1 ? broken[0] : `${broken.slice(0, -1).join(", ")} and ${broken.at(-1)}`;
  return `step${broken.length > 1 ? "s" : ""} ${numbers} fail${broken.length > 1 ? "" : "s"}`;
}

/** A step as a sentence, for readers who listen; without its verdict where that is not `told`. */
export function spoken(step, position, count, told = true) {
  const [name, size] = slackOf(step);
  const verdict = told ? (step.holds ? " holds" : " fails") : "";
  return `Step ${position} of ${count}${verdict}: ${claim(step)}. ` +
    `${shown(step.left.value)} ${step.relation} ${shown(step.right.value)}, ${name} ${shown(size)}.`;
}

/**
 * The two sides as bars on one scale, and the gap between their ends: [from, to] in shares of the width.
 * The scale holds 0, both sides and the size that rounding is measured against; an infinite side fills it.
 */
export function bars({ left, right, size }) {
  const ends = [left.value, right.value];
  const finite = [0, ...ends.filter(Number.isFinite), Number.isFinite(size) ? size : 0];
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const clip = (x) => (Number.isFinite(x) ? (high > low ? (x - low) / (high - low) : 0) : x > 0 ? 1 : 0);
  const zero = clip(0);
  const bar = (x) => (Number.isNaN(x) ? [zero, zero] : [Math.min(zero, clip(x)), Math.max(zero, clip(x))]);
  const gap = ends.some(Number.isNaN) ? [0, 0] : [Math.min(...ends.map(clip)), Math.max(...ends.map(clip))];
  return { left: bar(left.value), right: bar(right.value), gap, zero };
}
