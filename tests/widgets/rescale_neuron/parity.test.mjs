// The pure half of RescaleNeuron against numbers that gaugelib produced in float64.
// FIXTURES names a JSON file of cases, MODULE the module under test (its source, or what the linker made of it).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const { measured, minimumNormGauge } = await import(pathToFileURL(process.env.MODULE));
const cases = JSON.parse(readFileSync(process.env.FIXTURES, "utf8"));
const TOLERANCE = 1e-10;

/** The largest difference of two lists, relative to the largest number that gaugelib found. */
function relativeError(found, wanted) {
  const [f, w] = [[found].flat(), [wanted].flat()];
  assert.equal(f.length, w.length);
  const size = Math.max(...w.map(Math.abs));
  const error = Math.max(...w.map((x, i) => Math.abs(f[i] - x)));
  return size > 0 ? error / size : error;
}

for (const { name, traits, wanted, minimum } of cases) {
  test(name, () => {
    const seen = measured(traits);
    const found = {
      ...seen, w: seen.moved.w, b: seen.moved.b, v: seen.moved.v,
      absolute: seen.difference.absolute, relative: seen.difference.relative,
    };
    for (const [what, numbers] of Object.entries(wanted)) {
      const error = relativeError(found[what], numbers);
      assert.ok(error <= TOLERANCE, `${what}: relative error ${error}`);
    }
    if (minimum) {
      const log2Scales = minimumNormGauge(traits.net, traits.log2Scales);
      const error = relativeError(log2Scales.map((s) => 2 ** s), minimum.scales);
      assert.ok(error <= TOLERANCE, `minimum-norm scales: relative error ${error}`);
      const least = measured({ ...traits, log2Scales }).norm;
      assert.ok(relativeError(least, minimum.norm) <= TOLERANCE, "least norm");
    }
  });
}
