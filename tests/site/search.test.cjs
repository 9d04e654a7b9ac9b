// What the search finds, in which order, and what it shows of it: on a book of a few places.
const test = require("node:test");
const assert = require("node:assert/strict");
const { placesOf, find, excerpt, summary } = require("../../book/site/search.js");

const INDEX = [
  ["one.html", "1", ["The symmetry"], [
    ["page", "", "The symmetry", "", "A minimum of the norm is found. The norm has a minimum."],
    ["section", "biases", "What biases do", "", "Each bias counts.\nMöbius’ strip has no bias."],
    ["section", "named", "In code", "", "`weighted norm` is not weight_norm, which is a function."],
  ]],
  ["two.html", "2", ["The minimum-norm gauge"], [
    ["page", "", "The minimum-norm gauge", "", "How to find it."],
    ["statement", "thm-unique", "Theorem 2.1 (The canonical form)", "One only", "There is exactly one."],
    ["statement", "thm-other", "Theorem 2.10 (Another)", "One only", "It follows from Theorem 2.1."],
  ]],
  ["fast.html", "", ["How fast the minimum norm is found"], [
    ["page", "", "How fast the minimum norm is found", "", "The minimum norm, the minimum norm, the minimum norm."],
  ]],
  ["far.html", "3", ["Elsewhere"], [["section", "s", "Weights", "", "The weighted norm. ".repeat(3)]]],
];
const PLACES = placesOf(INDEX);
const addresses = (question) => find(PLACES, question).found.map((place) => place.address);

test("the chapter whose title it is comes first, then the appendix, then where the words stand", () => {
  assert.deepEqual(addresses("minimum norm"), ["two.html", "fast.html", "one.html"]);
  assert.equal(addresses("Minimum-Norm")[0], "two.html");
});

test("a name in code is one word: its parts elsewhere are not it", () => {
  assert.deepEqual(addresses("weight_norm"), ["one.html#named"]);
  assert.ok(addresses("weight norm").includes("far.html#s")); // the control: as two words they are found
});

test("who asks for a function by its name in code finds its entry first, with words the chapter", () => {
  const entry = ["ref.html", "", ["Reference"], [
    ["function", "gaugelib.minimum_norm", "minimum_norm", "The lightest", "The point of smallest norm."],
    ["function", "gaugelib.minimum_norm_", "minimum_norm_", "The lightest", "The same in place: minimum_norm."],
  ]];
  const first = (question) => find(placesOf([...INDEX, entry]), question).found[0].address;
  for (const question of ["minimum_norm", "gl.minimum_norm", "gaugelib.minimum_norm(params)"]) {
    assert.equal(first(question), "ref.html#gaugelib.minimum_norm");
  }
  assert.equal(first("minimum_norm_"), "ref.html#gaugelib.minimum_norm_");
  assert.equal(first("minimum norm"), "two.html"); // the control
});

test("a statement is found by its number, and no other by the beginning of it", () => {
  assert.deepEqual(addresses("theorem 2.1"), ["two.html#thm-unique", "two.html#thm-other"]);
  assert.deepEqual(addresses("theorem 2.10"), ["two.html#thm-other"]);
});

test("a statement is found by the word that it is labelled with", () => {
  assert.equal(addresses("uniqueness")[0], "two.html#thm-unique");
});

test("plural, case and accents make no difference, and a word is found by its beginning", () => {
  for (const question of ["bias", "biases", "BIAS", "bia"]) assert.equal(addresses(question)[0], "one.html#biases");
  assert.deepEqual(addresses("mobius"), ["one.html#biases"]);
});

test("where no place has all words, those with some of them are shown, and it is said", () => {
  const result = find(PLACES, "canonical zzqx");
  assert.deepEqual(result.found.map((place) => place.address), ["two.html#thm-unique"]);
  assert.match(summary(result, "canonical zzqx"), /^No place has all of “canonical zzqx”; 1 place with/);
});

test("nothing is found for nonsense, for signs or for nothing", () => {
  for (const question of ["zzqx", "***", ""]) assert.deepEqual(addresses(question), []);
  assert.match(summary(find(PLACES, "zzqx"), "zzqx"), /Nothing in this book/);
});

test("the excerpt begins with the sentence that answers, and marks what was asked for", () => {
  const text = "Of something else. Here the heavy balls roll. The end.";
  assert.deepEqual(excerpt(text, "heavy ball"), [
    ["Here the ", false], ["heavy", true], [" ", false], ["balls", true], [" roll. The end.", false],
  ]);
});

test("the excerpt of a row of a table is that row", () => {
  const text = "θ · all parameters\na · the gauge · scales\nB · a matrix";
  assert.equal(excerpt(text, "gauge").map(([piece]) => piece).join(""), "a · the gauge · scales");
});

test("the excerpt is short, also of one long sentence, and holds the word", () => {
  const text = `${"and so on ".repeat(100)}needle ${"and so on ".repeat(100)}`;
  const pieces = excerpt(text, "needle");
  assert.ok(pieces.some(([piece, asked]) => asked && piece === "needle"));
  assert.ok(pieces.map(([piece]) => piece).join("").length < 240);
});

test("a place says where it is", () => {
  const [place] = find(PLACES, "canonical form").found;
  assert.deepEqual([place.chapter, ...place.context], ["Chapter 2", "The minimum-norm gauge", "One only"]);
});
