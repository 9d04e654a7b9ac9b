// What the pages say to answers: a list of [exercise, answers] in, their verdicts out, as JSON.
const { verdict, formatted } = require("../../book/site/answers.js");
const { parse, evaluate } = require("../../book/site/formula.js");

const value = ([text, scope]) => {
  try {
    const found = evaluate(parse(text, Object.keys(scope)), scope);
    return Number.isFinite(Number(found)) ? found : String(found);
  } catch (problem) {
    return { message: problem.message, at: problem.at };
  }
};
const { asked = [], values = [], numbers = [] } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify({
  asked: asked.map(([exercise, answers]) => verdict(exercise, answers)),
  values: values.map(value),
  numbers: numbers.map(([number, specification]) => formatted(number, specification)),
}));
