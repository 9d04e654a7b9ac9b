// Numbers to begin from: evenly spaced, or drawn.

/** `count` points from `low` to `high`, both included. */
export const grid = (low, high, count) =>
  Array.from({ length: count }, (_, k) => low + ((high - low) * k) / (count - 1));

/** One step of the mulberry32 generator: [a number in [0, 1), the next state]. */
export function drawUniform(state) {
  const next = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(next ^ (next >>> 15), next | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return [((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296, next];
}
