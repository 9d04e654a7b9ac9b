// Statements about the functions of RescaleNeuron that need no fixture.

import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "../../../gaugelib/widgets/rescale_neuron/beam.js";
import { grid } from "../../../gaugelib/widgets/shared/numbers.js";
import * as gauge from "../../../gaugelib/widgets/rescale_neuron/gauge.js";
import * as layer from "../../../gaugelib/widgets/shared/one_layer.js";
import { stroke } from "../../../gaugelib/widgets/rescale_neuron/graph.js";
import * as rescale from "../../../gaugelib/widgets/rescale_neuron/widget.js";

const hat = () => ({ w: [1, 1, 1], b: [0, -1, -2], v: [1, -2, 1], c: 0 });
const xs = grid(-1, 3, 401);

test("the hat is a tent with its top at f(1) = 1", () => {
  assert.deepEqual([-1, 0, 0.5, 1, 1.5, 2, 3].map((x) => layer.output(hat(), x)), [0, 0, 0.5, 1, 0.5, 0, 0]);
});

test("powers of two leave the function bitwise the same", () => {
  const moved = layer.rescaled(hat(), [8, 0.25, 2]);
  assert.deepEqual(layer.outputs(moved, xs), layer.outputs(hat(), xs));
});

test("control: forgotten outgoing weights and tanh move the function", () => {
  const scales = [8, 0.25, 2];
  const forgotten = layer.rescaled(hat(), scales, { forget: true });
  assert.ok(layer.difference(layer.outputs(forgotten, xs), layer.outputs(hat(), xs)).relative > 0.1);
  const moved = layer.rescaled(hat(), scales);
  assert.ok(layer.difference(layer.outputs(moved, xs, Math.tanh), layer.outputs(hat(), xs, Math.tanh)).relative > 0.1);
});

test("no function changes its argument", () => {
  const net = hat();
  layer.rescaled(net, [2, 2, 2], { forget: true }).v[0] = 99;
  gauge.minimumNormScales(net);
  gauge.relativeImbalance(net, 2);
  assert.deepEqual(net, hat());
});

test("the least norm of the hat is 8, and sqrt 2 is its middle scale", () => {
  const scales = gauge.minimumNormScales(hat());
  assert.deepEqual(scales, [1, Math.SQRT2, 1]);
  assert.ok(Math.abs(gauge.normPower(layer.rescaled(hat(), scales), 2) - 8) < 1e-14);
  for (const t of gauge.relativeImbalance(layer.rescaled(hat(), scales), 2)) assert.ok(Math.abs(t) < 1e-15);
});

test("a dead unit has no minimum: it keeps its scale and has a beam that shows it", () => {
  const dead = { w: [2, 0, 0], b: [0, 1, 0], v: [0, 3, 0], c: 0 };
  assert.deepEqual(gauge.minimumNormScales(dead), [1, 1, 1]);
  assert.deepEqual(rescale.minimumNormGauge(dead, [1.5, -2, 0.25]), [1.5, -2, 0.25]);
  assert.deepEqual(gauge.relativeImbalance(dead, 2), [1, -1, 0]);
});

test("a function that is zero everywhere has no relative difference", () => {
  assert.deepEqual(layer.difference([0, 0], [0, 0]), { absolute: 0, relative: NaN });
});

test("random gauges: a reproducible sequence of slider steps within reach", () => {
  const first = layer.randomGauge(8, 1);
  assert.deepEqual(layer.randomGauge(8, 1), first);
  const second = layer.randomGauge(8, first.state);
  assert.notDeepEqual(second.log2Scales, first.log2Scales);
  const many = layer.randomGauge(4000, 7).log2Scales;
  for (const s of many) assert.ok(Math.abs(s) <= 3 && Number.isInteger(4 * s));
  assert.equal(new Set(many).size, 25);
  const mean = many.reduce((sum, s) => sum + s, 0) / many.length;
  assert.ok(Math.abs(mean) < 0.1, `mean ${mean}`);
});

test("strokes and loads grow with the weight, a zero weight has no stroke", () => {
  assert.equal(stroke(0, 1), 0);
  assert.ok(stroke(-2, 1) > stroke(1, 1) && stroke(1e-9, 1) > 0 && stroke(1e9, 1) <= 22);
  assert.ok(load(2, 1) > load(1, 1) && load(1e9, 1) <= 17);
});

test("the vertical range holds both functions, and stays while they coincide", () => {
  const f0 = layer.outputs(hat(), xs);
  const kept = rescale.verticalRange(f0, f0);
  assert.deepEqual(rescale.verticalRange(f0, f0.map((y) => y * 1.1)), kept);
  const [low, high] = rescale.verticalRange(f0, f0.map((y) => 30 * y));
  assert.ok(low === kept[0] && high >= 30);
});

test("reset returns to the start, or to scales of 1 after the network was exchanged", () => {
  const traits = { _start: { log2_scales: [2, -1.5, -1], p: 2 }, w_in: [1, 1, 1] };
  const model = { get: (name) => traits[name] };
  assert.deepEqual(rescale.startOf(model).log2_scales, [2, -1.5, -1]);
  traits.w_in = [1, 1];
  assert.deepEqual(rescale.startOf(model), { log2_scales: [0, 0], p: 2 });
});
