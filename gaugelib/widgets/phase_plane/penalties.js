// Soft gauge fixing in the plane of two weights: what a penalty does to the imbalance, and to the function, by itself.
// u = log(|w| / |v|) measures the imbalance along the orbit, the product |w v| names the orbit, which is the function.

import { integrate } from "./ode.js";

/** u = log(|w| / |v|). */
export const logRatio = ({ w, v }) => Math.log(Math.abs(w / v));

/** The point with log-ratio u on the orbit of the product `value`, on the side of w > 0. */
const onOrbit = (value, u) => {
  const side = Math.sqrt(Math.abs(value));
  return { w: side * Math.exp(u / 2), v: Math.sign(value) * side * Math.exp(-u / 2) };
};

/**
 * The flows, by the name of the penalty. `field(w, v, strength)` is minus the gradient of
 *   imbalance: (strength / 4) (w^2 - v^2)^2;   log-ratio: (strength / 2) u^2;   decay: (strength / 2) (w^2 + v^2),
 * and for `gauge` the penalty of log-ratio moves only the scale: u' = -strength u along the orbit.
 * `exact(start, strength, time)` is the solution in closed form, where there is one.
 */
export const PENALTIES = {
  imbalance: {
    field: (w, v, strength) => {
      const push = strength * (w - v) * (w + v);
      return [-push * w, push * v];
    },
    exact: ({ w, v }, strength, time) => {
      const product = w * v;
      const u = 2 * Math.atanh(Math.tanh(logRatio({ w, v }) / 2) * Math.exp(-4 * strength * Math.abs(product) * time));
      return onOrbit(product, u);
    },
  },
  "log-ratio": {
    field: (w, v, strength) => {
      const push = strength * logRatio({ w, v });
      return [-push / w, push / v];
    },
    exact: null,
  },
  gauge: {
    field: (w, v, strength) => {
      const push = 0.5 * strength * logRatio({ w, v });
      return [-push * w, push * v];
    },
    exact: ({ w, v }, strength, time) => onOrbit(w * v, logRatio({ w, v }) * Math.exp(-strength * time)),
  },
  decay: {
    field: (w, v, strength) => [-strength * w, -strength * v],
    exact: ({ w, v }, strength, time) => ({ w: w * Math.exp(-strength * time), v: v * Math.exp(-strength * time) }),
  },
};

/** The relaxation from a point with w > 0 and v not 0; returns what `integrate` returns. */
export function relax(start, { penalty, strength, until, tolerance }) {
  const { field } = PENALTIES[penalty];
  return integrate((w, v) => field(w, v, strength), start, { until, tolerance, inside: (w, v) => w > 0 && v * start.v > 0 });
}

/** How much larger the function is than at first if the squared norm is kept and the log-ratio goes from u0 to u. */
export const growth = (u0, u) => Math.cosh(u0) / Math.cosh(u);
