// The stored map of stable learning rates: for each strength and eta, which seeds trained stably. Pure functions.
//
// A table holds one string for each strength, and in it one character for each eta: a number in base 32, whose bit k is seed k.

const decoded = (table) => table.map((row) => [...row].map((code) => parseInt(code, 32)));

/** Which bits are set for one start: `stable` by the criterion, and `fragile`, both [strength][eta]. */
export const tablesOf = (map, start, criterion) => ({ stable: decoded(map[criterion][start]), fragile: decoded(map.fragile[start]) });

export const has = (code, seed) => ((code >> seed) & 1) === 1;

/** How many of the seeds are set. */
export const count = (code) => {
  let bits = 0;
  for (let rest = code; rest > 0; rest >>= 1) bits += rest & 1;
  return bits;
};

/** The largest eta up to which the seeds in `mask` are all stable, at one strength; 0 if they are at none. */
export function reach(codes, etas, mask) {
  const broken = codes.findIndex((code) => (code & mask) !== mask);
  const stable = broken < 0 ? codes.length : broken;
  return stable > 0 ? etas[stable - 1] : 0;
}

/** The place of the value that is nearest to `wanted`. */
export const nearest = (values, wanted) =>
  values.reduce((best, value, k) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? k : best), 0);
