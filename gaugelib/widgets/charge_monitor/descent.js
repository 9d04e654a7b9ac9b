// Training in steps, and what it does to the charges. Pure functions.
//
// Time is t = lr times the number of steps, for momentum too: its memory is a running mean, m <- beta m + (1 - beta) g, that
// begins with the first gradient (in torch: SGD with momentum = dampening = beta). As lr goes to 0 all of this becomes the flow
// theta' = -|theta|^(2-p) grad(L + decay R_p), under which each charge is charge(0) exp(-decay p t).

import { charges, collect, teacher } from "../shared/mlp.js";
import { drawUniform } from "../shared/numbers.js";

export const SAVED = 160; // moments that are kept for the plot, at most
const FAR = 1e4; // a charge that jumps so far, or a loss so many times the first one, belongs to a run that has run away

/** `count` of the data 0, ..., total - 1, drawn with replacement: [rows, next state]. */
export function drawRows(count, total, state) {
  const rows = [];
  for (let k = 0; k < count; k += 1) {
    const [u, next] = drawUniform(state);
    rows.push(Math.floor(u * total));
    state = next;
  }
  return [rows, state];
}

/** Charges after one step of plain descent: exact for p = 2 on whatever data the gradient was taken; to order lr^2 for p = 1. */
export function oneStep(net, theta, slope, before, { lr, decay, p }, sums) {
  const drift = collect(net, p === 2 ? (e) => slope[e] * slope[e] : (e) => 0.5 * Math.abs(theta[e]) * slope[e] * slope[e], sums);
  const keep = p === 2 ? (1 - lr * decay) ** 2 : Math.exp(-lr * decay);
  const gain = lr * lr * (p === 2 ? 1 : keep);
  for (let h = 0; h < drift.length; h += 1) drift[h] = keep * before[h] + gain * drift[h];
  return drift;
}

/** A rule is a function (theta, slope) that moves theta; it may remember. */
const RULES = {
  descent({ lr, momentum, decay, p }, size) {
    const memory = new Float64Array(size);
    let begun = false;
    return (theta, slope) => {
      for (let e = 0; e < size; e += 1) {
        const pull = p === 2 ? slope[e] + decay * theta[e] : Math.sign(theta[e]) * slope[e] + decay;
        memory[e] = begun ? momentum * memory[e] + (1 - momentum) * pull : pull;
        if (p === 2) theta[e] -= lr * memory[e];
        else theta[e] *= Math.exp(-lr * memory[e]);
      }
      begun = true;
    };
  },
  adam({ lr, decay }, size) {
    const [first, second] = [new Float64Array(size), new Float64Array(size)];
    let [k, one, two] = [0, 1, 1];
    return (theta, slope) => {
      k += 1;
      [one, two] = [0.9 ** k, 0.999 ** k];
      for (let e = 0; e < size; e += 1) {
        const g = slope[e] + decay * theta[e];
        first[e] = 0.9 * first[e] + 0.1 * g;
        second[e] = 0.999 * second[e] + 0.001 * g * g;
        theta[e] -= (lr * (first[e] / (1 - one))) / (Math.sqrt(second[e] / (1 - two)) + 1e-8);
      }
    };
  },
};

function largest(found, wanted) {
  let most = 0;
  for (let h = 0; h < found.length; h += 1) most = Math.max(most, Math.abs(found[h] - wanted[h]));
  return most;
}

/**
 * Trains from `start` until the time `until`: `settings` is { lr, until, momentum, decay, p, method, batch, seed }; a batch of 0
 * is all data. Returns the moments { times, charges } that are kept, and:
 *   steps, losses [first, last], complete (or it ran away);
 *   off: max_h |charge(T) - charge(0) exp(-decay p T)|;
 *   first: { measured, formula }, the drift of the first step, where it is largest;
 *   misfit: the largest |charge - oneStep| over all steps and units.
 */
export function train(net, start, data, settings) {
  const { lr, until, decay, p, method, batch, seed } = settings;
  const { gradient } = teacher(net, data);
  const rule = RULES[method](settings, net.size);
  const theta = Float64Array.from(start);
  const slope = new Float64Array(net.size);
  const count = Math.round(until / lr);
  const every = Math.max(1, Math.ceil(count / SAVED));
  const begun = charges(net, theta, p);
  const run = { times: [0], charges: [begun], steps: 0, losses: [gradient(theta, slope)], complete: true, misfit: 0, first: null };
  let now = Float64Array.from(begun);
  let after = new Float64Array(net.units);
  const formula = new Float64Array(net.units);
  let state = seed;
  for (let k = 1; k <= count; k += 1) {
    let rows;
    if (batch > 0) [rows, state] = drawRows(batch, data.inputs.length, state);
    const loss = gradient(theta, slope, rows);
    oneStep(net, theta, slope, now, settings, formula);
    rule(theta, slope);
    charges(net, theta, p, after);
    if (!(loss < FAR * (1 + run.losses[0]) && largest(after, now) < FAR)) {
      run.complete = false;
      break;
    }
    if (k === 1) {
      const drifts = after.map((charge, h) => charge - now[h]);
      const h = drifts.reduce((best, drift, unit) => (Math.abs(drift) > Math.abs(drifts[best]) ? unit : best), 0);
      run.first = { unit: h + 1, measured: drifts[h], formula: formula[h] - now[h] };
    }
    run.misfit = Math.max(run.misfit, largest(after, formula));
    [now, after] = [after, now];
    run.steps = k;
    if (k % every === 0 || k === count) {
      run.times.push(lr * k);
      run.charges.push(Float64Array.from(now));
    }
  }
  run.losses.push(gradient(theta, slope));
  run.off = largest(now, begun.map((charge) => charge * Math.exp(-decay * p * lr * run.steps)));
  return run;
}
