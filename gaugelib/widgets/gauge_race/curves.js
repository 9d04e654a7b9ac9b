// The stored training runs of GaugeRace, and what a moment of them says. Pure functions.
//
// `kept` holds mean curves over the epochs: curves[size][optimiser][depth][arm][loss | penalty | train_error | test_error],
// where the penalty is λR, and rules[optimiser] = { p, decay, lr }.

export const ARMS = ["never", "once", "every"];
export const QUANTITIES = ["loss", "penalty", "regularised", "norm", "train_error", "test_error"];

/** One curve: what is stored, the penalised loss (their sum), or the norm that belongs to the penalty λR = λ/p ‖θ‖ᵖ. */
export function curve(kept, { size, optimiser, depth }, arm, quantity) {
  const stored = kept.curves[size][optimiser][depth][arm];
  const { p, decay } = kept.rules[optimiser];
  if (quantity === "regularised") return stored.loss.map((loss, k) => loss + stored.penalty[k]);
  if (quantity === "norm") return stored.penalty.map((penalty) => ((p * penalty) / decay) ** (1 / p));
  return stored[quantity];
}

/** All quantities of all arms at an epoch: { arm: { quantity: number } }. */
export const moment = (kept, which, epoch) =>
  Object.fromEntries(ARMS.map((arm) => [arm, Object.fromEntries(QUANTITIES.map((each) => [each, curve(kept, which, arm, each)[epoch]]))]));

/** What "once" gains over "never" in penalised loss, what of it is loss, and which share of what "every" gains it has. */
export function gains({ never, once, every }) {
  const whole = never.regularised - once.regularised;
  return { whole, loss: (never.loss - once.loss) / whole, once: whole / (never.regularised - every.regularised) };
}

/** Near which arm "once" lies, if `share` of the gain of "every" is its own. */
export const place = (share) => (share < 1 / 3 ? "never" : share < 2 / 3 ? "middle" : "every");
