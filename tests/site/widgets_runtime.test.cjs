// The widget runtime's model, in Node: what anywidget promises to a widget holds here too.
const test = require("node:test");
const assert = require("node:assert/strict");
const { Model, seenBy, same, withBuffers } = require("../../book/site/widgets.js");

const view = (model) => seenBy({}, model, null);

test("set announces change:name with the new value, then change once", () => {
  const model = view(new Model({ a: 1, b: 2 })), heard = [];
  model.on("change:a", (_, value) => heard.push(["a", value, model.get("b")]));
  model.on("change:b", (_, value) => heard.push(["b", value]));
  model.on("change", () => heard.push(["any"]));
  model.set({ a: 3, b: 4 });
  assert.deepEqual(heard, [["a", 3, 4], ["b", 4], ["any"]]);
});

test("an equal value is no change, even in a new array", () => {
  const model = view(new Model({ list: [1, { x: 2 }], n: NaN }));
  model.on("change", () => assert.fail("nothing changed"));
  model.set("list", [1, { x: 2 }]);
  model.set("n", NaN);
  let heard = 0;
  model.off("change");
  model.on("change:list", () => { heard += 1; });
  model.set("list", [1, { x: 3 }]);
  assert.equal(heard, 1);
});

test("several names in one on and one off", () => {
  const model = view(new Model({ a: 0, b: 0, c: 0 }));
  let heard = 0;
  model.on("change:a change:b  change:c", () => { heard += 1; });
  model.set("a", 1); model.set("b", 1); model.set("c", 1);
  assert.equal(heard, 3);
  model.off("change:a change:b");
  model.set("a", 2); model.set("b", 2); model.set("c", 2);
  assert.equal(heard, 4);
});

test("off removes one listener, one name, or all of the view's own", () => {
  const shared = new Model({ a: 0 }), mine = view(shared), other = view(shared), heard = [];
  const first = () => heard.push("first"), second = () => heard.push("second");
  mine.on("change:a", first); mine.on("change:a", second); other.on("change:a", () => heard.push("other"));
  mine.off("change:a", first); mine.set("a", 1);
  assert.deepEqual(heard.splice(0), ["second", "other"]);
  mine.off("change:a"); mine.set("a", 2);
  assert.deepEqual(heard.splice(0), ["other"]);
  mine.on("change:a", first); mine.on("change", second); mine.off(); mine.set("a", 3);
  assert.deepEqual(heard, ["other"]);
});

test("two views share one model", () => {
  const shared = new Model({ a: 0 }), one = view(shared), two = view(shared);
  let heard;
  two.on("change:a", (_, value) => { heard = value; });
  one.set("a", 5); one.save_changes();
  assert.equal(heard, 5);
  assert.equal(two.get("a"), 5);
});

test("a change made by a listener is announced too, and ends", () => {
  const model = view(new Model({ a: 0, double: 0 })), heard = [];
  model.on("change:a", (_, value) => model.set("double", 2 * value));
  model.on("change:double", (_, value) => heard.push(value));
  model.on("change", () => heard.push("any"));
  model.set("a", 4);
  assert.deepEqual(heard, [8, "any"]);
  model.set("a", 5);
  assert.deepEqual(heard, [8, "any", 10, "any"]);
});

test("a listener that throws does not leave the model deaf", () => {
  const model = view(new Model({ a: 0 }));
  const fail = () => { throw new Error("oh"); };
  model.on("change:a", fail);
  assert.throws(() => model.set("a", 1), /oh/);
  model.off("change:a", fail);
  let heard = 0;
  model.on("change", () => { heard += 1; });
  model.set("a", 2);
  assert.equal(heard, 1);
});

test("listeners may come and go while they are called", () => {
  const model = view(new Model({ a: 0 }));
  let heard = 0;
  const once = () => { heard += 1; model.off("change:a", once); model.on("change:a", once); };
  model.on("change:a", once);
  model.set("a", 1);
  assert.equal(heard, 1);
});

test("without a kernel, messages are refused aloud and saving is harmless", () => {
  const model = view(new Model({})), said = [];
  const { warn } = console;
  console.warn = (text) => said.push(text);
  model.send({});
  console.warn = warn;
  assert.equal(said.length, 1);
  assert.equal(model.save_changes(), undefined);
});

test("binary traits come back as DataViews at their place", () => {
  const data = Buffer.from(new Float64Array([1.5, -2]).buffer).toString("base64");
  const state = withBuffers({ state: { x: { y: null }, z: 1 }, buffers: [{ path: ["x", "y"], encoding: "base64", data }] });
  assert.equal(state.x.y.getFloat64(8, true), -2);
  assert.equal(state.z, 1);
});

test("same compares by value and kind", () => {
  assert.ok(same({ a: [1, null] }, { a: [1, null] }));
  assert.ok(!same([1], { 0: 1 }));
  assert.ok(!same({ a: undefined }, { b: undefined }));
  assert.ok(!same([1, 2], [1]));
  assert.ok(!same(0, -0)); // as Backbone: the sign of zero is a difference
  assert.ok(!same(null, {}));
});
