// Exercises that are answered on the page: a field below the checker's answer to the empty stub.
//
// The page holds each exercise as data, the cases that gaugelib's own checker asks (`gaugelib.check.cases`): arguments, the right answer,
// and the answers of known mistakes with their hints. `verdict` judges as the checker does, in the same order and the same words.
(() => {
  "use strict";
  const { parse, evaluate, Problem, known } = typeof module === "object" ? require("./formula.js") : window.bookFormulas;
  const ULP = 2 ** -52;

  class Hint extends Error {}

  // Whether two answers agree, part by part: `close` and `counts` of gaugelib.check.verdict.
  const close = (found, expected, tolerance, size) => {
    const pairs = [found].flat().map((f, k) => [f, [expected].flat()[k]]);
    if (pairs.some(([f, e]) => f === null || e === null)) return pairs.every(([f, e]) => f === e);
    size ??= Math.max(...pairs.map(([, e]) => Math.abs(e)), ULP);
    return pairs.every(([f, e]) => Math.abs(f - e) <= tolerance * size);
  };
  const agrees = (found, expected, { tolerance, size, counted, unordered, many }) => {
    if (many) return found.every((part, k) => close(part, expected[k], tolerance));
    if (unordered) [found, expected] = [found, expected].map((all) => [...all].sort((a, b) => a - b));
    const all = counted && expected >= 10 ? [expected, Math.ceil(expected), Math.floor(expected)] : [expected];
    return all.some((one) => close(found, one, tolerance, size));
  };

  // A number as Python's format writes it with the specification g or .Ng.
  const formatted = (value, specification) => {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    if (Object.is(value, -0)) return "-0";
    const digits = Number(/^\.(\d+)g$/.exec(specification)?.[1] ?? 6);
    const [mantissa, exponent] = rounded(value, digits).split("e").map(Number);
    if (exponent >= -4 && exponent < digits) return String(Number(`${mantissa}e${exponent}`));
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  };
  const rounded = (value, digits) => {
    const up = value.toExponential(digits - 1);
    const exact = value.toExponential(Math.min(digits + 60, 100));
    const [, kept, rest] = new RegExp(`^(-?\\d\\.?\\d{${digits - 1}})(\\d*)`).exec(exact);
    const tie = /^50*$/.test(rest) && "13579".includes(up.split("e")[0].at(-1));
    return tie ? `${kept}e${exact.split("e")[1]}` : up; // half way Python takes the even digit
  };
  const filled = (hint, scope) =>
    hint.replace(/\{([^{}:]+):([^{}]+)\}/g, (_, formula, specification) =>
      formatted(Number(evaluate(parse(formula, Object.keys(scope)), scope)), specification));

  // Answers are read as by gaugelib.check.forms.
  const described = (value) =>
    Array.isArray(value) ? `a list of ${value.length}` : typeof value === "boolean" ? "True or False" : "one number";
  const single = (value) => (Array.isArray(value) && value.length === 1 ? value[0] : value);
  const finite = (value) => {
    if (Number.isNaN(value)) {
      throw new Hint("your answer is not a number (NaN): look for 0/0, or for the root or the logarithm of something negative.");
    }
    if (Math.abs(value) === Infinity) throw new Hint("your answer is infinite: look for a division by zero or an overflow.");
    return value;
  };
  const asNumber = (value) => {
    if (Array.isArray(single(value)) || typeof single(value) === "boolean") throw described(value);
    return Number(single(value));
  };
  const asTruth = (value) => {
    const one = single(value);
    if (Array.isArray(one) || ![0, 1].includes(Number(one))) throw described(value);
    return Boolean(one);
  };
  const readAs = {
    number: (values) => finite(asNumber(values[0])),
    truth: (values) => asTruth(values[0]),
    parts: (values) => values.map((value, k) => {
      try {
        return asNumber(value);
      } catch (misfit) {
        throw typeof misfit === "string" ? `a list whose part ${k + 1} is ${misfit}` : misfit;
      }
    }).map(finite),
    numbers: (values) => {
      const shapes = new Set(values.map((value) => (Array.isArray(value) ? value.length : 0)));
      if (shapes.size > 1) throw "a list of parts of different shapes";
      if (![...shapes].every((length) => length < 2)) throw `a list of ${values.length}`;
      return values.map((value) => Number(single(value))).map(finite);
    },
    ticked: ([ticked, ...values]) => [ticked, ...readAs.parts([0, ...values]).slice(1)],
    named: (values) => values.map((value) => finite(asNumber(value))),
  };
  const read = (values, { form, ask }) => {
    try {
      return readAs[form](values);
    } catch (misfit) {
      throw typeof misfit === "string" ? new Hint(`${ask}; yours is ${misfit}.`) : misfit;
    }
  };

  // A fault met in the formula of field k says so.
  const inField = (k, compute) => {
    try {
      return compute();
    } catch (problem) {
      const fault = problem instanceof RangeError ? new Problem("this formula is too long") : problem; // too deep for the stack
      throw Object.assign(fault, { field: k });
    }
  };

  // The answer to one case: a number, a list of them, or what was chosen.
  const answered = (exercise, one, trees, chosen) => {
    const { names, rows, form } = exercise;
    const ask = (given) => {
      const own = form === "ticked" ? given.slice(1) : given;
      const scope = Object.fromEntries(names.map((name, k) => [name, own[k]]));
      if (form === "ticked" && !chosen[rows.indexOf(given[0])]) return [false, 0];
      const values = trees.map((tree, k) => inField(k + (rows ?? []).length, () => evaluate(tree, scope)));
      return read(form === "ticked" ? [true, ...values] : values, exercise);
    };
    if (chosen && form !== "ticked") return chosen;
    const found = one.many ? one.given.map(ask) : ask(one.given);
    if (one.part === undefined) return found;
    return one.many ? found.map((answer) => answer[one.part]) : found[one.part];
  };
  const judged = (exercise, one, found) => {
    const how = { tolerance: exercise.tolerance, ...one };
    if (one.right !== undefined && agrees(found, one.right, how)) return;
    for (const [hint, wrong] of one.wrong ?? []) if (agrees(found, wrong, how)) throw new Hint(exercise.hints[hint]);
    const scope = named(exercise, found);
    for (const [condition, hint] of one.rules ?? []) {
      if (evaluate(parse(condition, Object.keys(scope)), scope)) throw new Hint(filled(hint, scope));
    }
    if (Array.isArray(one.otherwise)) {
      throw new Hint(one.otherwise.find((_, k) => !close(found[k], one.right[k], how.tolerance)));
    }
    if (one.otherwise) throw new Hint(filled(one.otherwise, scope));
  };
  const named = (exercise, found) => ({
    answer: found,
    ...(exercise.form === "named" ? Object.fromEntries(exercise.parts.map((name, k) => [name, found[k]])) : {}),
  });

  // What the checker says to an answer: formulas, one for each field, or choices, one for each row.
  // `unread` is the field whose formula has no meaning; then the message says why, and `at` at which letter.
  const verdict = (exercise, answers) => {
    const rows = exercise.rows ?? [];
    const chosen = exercise.rows ? answers.slice(0, rows.length) : null;
    const missing = rows.filter((_, k) => answers[k] === undefined);
    if (missing.length) return { passed: false, message: `say something about ${missing.join(", ")} too.` };
    const trees = [];
    let found;
    try {
      for (let k = rows.length; k < answers.length; k += 1) trees.push(inField(k, () => parse(answers[k], exercise.names)));
      for (const one of exercise.cases) {
        found = answered(exercise, one, trees, chosen);
        judged(exercise, one, found);
      }
    } catch (hint) {
      if (hint instanceof Problem) return { passed: false, unread: hint.field ?? rows.length, at: hint.at, message: `${hint.message}.` };
      if (!(hint instanceof Hint)) throw hint;
      return { passed: false, message: hint.message };
    }
    return { passed: true, message: filled(exercise.praise, named(exercise, found)) };
  };

  if (typeof module === "object") {
    module.exports = { verdict, formatted, known };
    return;
  }

  const make = (tag, properties, ...children) => {
    const { aria = {}, ...rest } = properties;
    const element = Object.assign(document.createElement(tag), rest);
    for (const [key, value] of Object.entries(aria)) element.setAttribute(key === "role" ? key : `aria-${key}`, value);
    element.append(...children);
    return element;
  };
  const kept = {
    read: (name) => {
      try {
        return JSON.parse(localStorage.getItem(`answer:${name}`)) ?? [];
      } catch {
        return [];
      }
    },
    write: (name, answers) => {
      try {
        localStorage.setItem(`answer:${name}`, JSON.stringify(answers));
      } catch {
        // a page that may not remember works, too
      }
    },
  };
  const field = (exercise, part, k, before) => {
    const input = make("input", {
      type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: false, maxLength: 1000,
      value: typeof before[k] === "string" ? before[k] : "",
      aria: { describedby: `answer-said-${exercise.name}` },
    });
    const value = () => input.value;
    return { element: make("label", {}, make("code", {}, `${part} =`), input), input, value };
  };
  const row = (exercise, label, k, before) => {
    if (typeof exercise.choices[0] === "boolean") {
      const input = make("input", { type: "checkbox", checked: before[k] === true });
      return { element: make("label", {}, input, ` ${label}`), input, value: () => input.checked };
    }
    const options = ["choose", ...exercise.choices.map((choice) => (choice === null ? "None" : String(choice)))];
    const input = make("select", {}, ...options.map((text, n) => make("option", { value: n }, text)));
    // kept is the place, as text: in JSON both None and what is not chosen are null
    const place = typeof before[k] === "string" ? Number(before[k]) : 0;
    input.selectedIndex = input.options[place] ? place : 0;
    const keep = () => (input.selectedIndex ? String(input.selectedIndex) : "");
    const value = () => (input.selectedIndex ? exercise.choices[input.selectedIndex - 1] : undefined);
    return { element: make("label", {}, make("code", {}, label), input), input, value, keep };
  };

  const lead = ({ name, names, parts, rows, choices }, call) => {
    if (rows && typeof choices[0] !== "boolean") return "Your answer:";
    if (rows) return `Tick where ${name} says True` + (parts.length ? `, and give a formula in ${names.join(", ")} for these:` : ":");
    if (!parts.length) return "Your answer, a formula:";
    return names.length ? `${call}, a formula for each:` : "Your numbers:";
  };
  const mount = (holder) => {
    const exercise = JSON.parse(holder.textContent);
    const { name, names, parts, rows } = exercise;
    const before = kept.read(name);
    const call = `${name}(${names.join(", ")})`;
    const choices = (rows ?? []).map((label, k) => row(exercise, label, k, before));
    const written = parts.length ? parts : rows ? [] : [call];
    const fields = [...choices, ...written.map((part, k) => field(exercise, part, k + choices.length, before))];
    const said = make("p", { id: `answer-said-${name}`, className: "answer-said", aria: { role: "status" } });
    const form = make(
      "form", { className: rows ? "answer answer-rows" : "answer", noValidate: true },
      make("fieldset", {}, make("legend", {}, lead(exercise, call)), ...fields.map(({ element }) => element)),
      make("button", { type: "submit" }, "Check"), said,
    );
    if (written.length) form.append(make("details", {}, make("summary", {}, "What a formula may hold"), make("p", {}, allowed(names))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const answers = fields.map(({ value }) => value());
      kept.write(name, fields.map(({ value, keep = value }) => keep()));
      show(said, fields, verdict(exercise, answers));
    });
    form.addEventListener("input", () => unsay(said, fields)); // a verdict is on what was asked, not on what is being written
    holder.replaceWith(form);
  };
  const allowed = (names) =>
    (names.length ? `The names ${names.join(", ")}; numbers` : "Numbers") +
    " with a decimal point; + - * / // % and ** for powers; round brackets; == != < <= > >= and, or, not; yes if condition else no; pi; " +
    `of lists an entry w[0] or a part w[1:-1]; and the functions ${known.join(", ")}, with math., np. or torch. in front if you like. ` +
    "It reads like Python; in the notebook write math. before a function, and names in full.";
  const unsay = (said, fields) => {
    said.replaceChildren();
    said.classList.remove("passed");
    for (const { input } of fields) input.removeAttribute("aria-invalid");
  };
  const show = (said, fields, { passed, message, unread, at }) => {
    const word = passed ? "Correct" : unread === undefined ? "Not yet" : "Cannot be read";
    said.replaceChildren(make("strong", {}, `${word}:`), ` ${message}`);
    said.classList.toggle("passed", passed);
    fields.forEach(({ input }, k) => {
      if (k !== unread) return input.removeAttribute("aria-invalid");
      input.setAttribute("aria-invalid", "true");
      input.focus();
      input.setSelectionRange(at, Math.max(at + 1, at));
    });
  };
  for (const holder of document.querySelectorAll("script.answer-cases")) mount(holder);
})();
