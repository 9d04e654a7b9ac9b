// Reads one JSON object per line, {tex, display}; writes {html} or {error} for each.
// Strict: what KaTeX merely tolerates, MathJax in Colab may show differently, so it is an error here.
const katex = require("./vendor/katex/katex.min.js");

const answer = ({ tex, display }) => {
  try {
    return { html: katex.renderToString(tex, {
      displayMode: display, output: "htmlAndMathml", throwOnError: true, strict: "error", trust: false,
    }) };
  } catch (problem) {
    return { error: problem.message };
  }
};

require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
});
