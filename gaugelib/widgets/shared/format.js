// Numbers as text, the same everywhere. tests/widgets/node.py writes the same format in Python.

/**
 * `digits` significant digits; two digits and an exponent outside [0.001, 100000).
 * 0 is written "0": an exact zero is news.
 */
export function number(value, digits = 4) {
  if (!Number.isFinite(value)) return "undefined";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e5) return value.toExponential(1);
  const fixed = value.toPrecision(digits);
  return fixed.includes("e") ? value.toFixed(0) : fixed;
}

/** A number with a sign and a fixed count of decimals, for positions on a slider. */
export const signed = (value, decimals = 2) =>
  `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(decimals)}`;
