// Formulas that a reader writes, in a part of Python; Greek letters, raised digits and functions without `math.` are for the page alone.
//
// `parse` makes a tree of a formula, or throws a Problem that says what cannot be read, and at which letter.
// `evaluate` computes it as numpy would: what has no value is NaN or infinite, and only what has no meaning throws.
(() => {
  "use strict";

  class Problem extends Error {
    constructor(message, at = 0) {
      super(message);
      this.at = at;
    }
  }

  const SIGNS = { "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=" };
  const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const LOWERED = "₀₁₂₃₄₅₆₇₈₉";
  const GREEK = {
    __proto__: null, α: "alpha", β: "beta", γ: "gamma", δ: "delta", η: "lr eta", θ: "theta", κ: "kappa", λ: "decay lam", π: "pi", ρ: "rho",
    σ: "sigma", τ: "tau", φ: "phi",
  };
  const REFUSED = {
    "^": "a power is written **, as in w ** 2", "√": "a root is written sqrt(…)", "∞": "infinity is no number here",
    "|": "a size is written abs(…); or is written or", "⁻": "a negative power is written ** (-1)",
    "!": "write not, or != for unequal", "&": "write and", "{": "round brackets, please",
    "}": "round brackets, please", ";": "one formula, please, without a semicolon", '"': "no text, please", "'": "no text, please",
    "=": "write the formula alone, without a name and =; to compare, write ==",
    ".": "write functions around what they take, as in sum(abs(w) ** p)",
  };
  const MODULES = new Set(["math", "np", "numpy", "torch"]);
  const WORDS = new Set(["and", "or", "not", "if", "else", "True", "False"]);
  const PYTHON = new Set(["is", "in", "lambda", "for", "while", "def", "import", "from", "with", "as", "yield"]);
  const BROKEN = /^(?:_|\.|[eE](?!\w))/; // what follows no number: 1_000, 1.2.3 or 1e
  const TOKEN = /\s+|(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_\u0370-\u03ff][\w\u0370-\u03ff₀-₉]*(?:\.[A-Za-z_]\w*)*)|([⁰¹²³⁴-⁹]+)|(\*\*|\/\/|<=|>=|==|!=|[-+*/%<>()[\]:,−–×·⋅÷≤≥≠])/y;
  const digits = (text, from) => [...text].map((c) => (from.includes(c) ? from.indexOf(c) : c)).join("");

  // Tokens: kind (number, name, sign, end), what it is, where it stands, and how the reader wrote it.
  const read = (text) => {
    const found = [];
    TOKEN.lastIndex = 0;
    for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
      TOKEN.lastIndex = at;
      const token = TOKEN.exec(text);
      if (!token) throw new Problem(REFUSED[text[at]] ?? `“${String.fromCodePoint(text.codePointAt(at))}” means nothing here`, at);
      const [said, number, name, raised, sign] = token;
      if (number && BROKEN.test(text.slice(TOKEN.lastIndex))) throw new Problem("this number cannot be read", at);
      if (PYTHON.has(name)) throw new Problem(`“${name}” is not known here`, at);
      if (number) found.push({ kind: "number", is: Number(number), at, said });
      else if (name) found.push({ kind: WORDS.has(name) ? "sign" : "name", is: digits(name, LOWERED), at, said });
      else if (raised) {
        found.push({ kind: "sign", is: "**", at, said });
        found.push({ kind: "number", is: Number(digits(raised, RAISED)), at, said });
      } else if (sign) found.push({ kind: "sign", is: SIGNS[sign] ?? sign, at, said });
    }
    found.push({ kind: "end", is: "the end", at: text.length, said: "" });
    return found;
  };

  const listed = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);

  // A formula in these names as a tree: each node is a list of its kind and its parts.
  const parse = (text, names = []) => {
    const lead = /^\s*return\b/.exec(text)?.[0] ?? "";
    const tokens = read(" ".repeat(lead.length) + text.slice(lead.length));
    let k = 0;
    const next = () => tokens[k];
    const is = (...signs) => next().kind === "sign" && signs.includes(next().is);
    const take = () => tokens[k++];
    const expect = (sign) => {
      if (!is(sign)) throw new Problem(next().kind === "end" ? `“${sign}” is missing at the end` : unexpected(next()), next().at);
      k += 1;
    };
    const unexpected = (token) => {
      const before = tokens[k - 1];
      if (token.kind === "end") return before ? `after “${before.said}” something is missing` : "write a formula first";
      if (token.is === ",") return "a comma ends no number: write 1.5 with a dot, and one number in each field";
      if (before && (token.kind !== "sign" || is("(", "[", "not")) && (before.kind !== "sign" || [")", "]"].includes(before.is))) {
        const example = before.kind === "sign" || is("not") ? "" : `: write ${before.said} * ${token.said}`;
        return `between “${before.said}” and “${token.said}” a sign is missing${example}`;
      }
      return `“${token.said}” cannot stand here`;
    };
    const chain = (below, ...signs) => () => {
      let left = below();
      while (is(...signs)) left = [take().is, left, below()];
      return left;
    };

    const choice = () => {
      const yes = either();
      if (!is("if")) return yes;
      take();
      const condition = either();
      expect("else");
      return ["if", condition, yes, choice()];
    };
    const negation = () => (is("not") ? (take(), ["not", negation()]) : comparison());
    const comparison = () => {
      const parts = [sum()];
      while (is("<", ">", "<=", ">=", "==", "!=")) parts.push(take().is, sum());
      return parts.length > 1 ? ["compare", parts] : parts[0];
    };
    const sign = () => (is("-", "+") ? [take().is, sign()] : power());
    const power = () => {
      const base = postfix();
      return is("**") ? (take(), ["**", base, sign()]) : base;
    };
    const postfix = () => {
      let value = atom();
      while (is("[")) {
        take();
        const from = is(":") ? null : choice();
        if (is(":")) {
          take();
          value = ["slice", value, from, is("]") ? null : choice()];
        } else value = ["entry", value, from];
        expect("]");
      }
      return value;
    };
    const atom = () => {
      const token = take();
      if (token.kind === "number") return ["number", token.is];
      if (token.kind === "name") return named(token);
      if (token.is === "True" || token.is === "False") return ["number", token.is === "True"];
      if (token.is === "(" && token.kind === "sign") {
        const inside = choice();
        expect(")");
        return inside;
      }
      k -= 1;
      throw new Problem(unexpected(token), token.at);
    };
    const named = (token) => {
      const [lead, ...rest] = token.is.split(".");
      const short = rest.length === 1 && MODULES.has(lead) ? rest[0] : token.is;
      const own = names.includes(short) ? short : (GREEK[short] ?? "").split(" ").find((n) => names.includes(n) || n === "pi");
      if (own && names.includes(own)) {
        if (is("(")) throw new Problem(`${token.said} is no function: write ${token.said} * (…)`, next().at);
        return ["name", own];
      }
      if ((own ?? short) === "pi") return ["number", Math.PI];
      if (Object.hasOwn(FUNCTIONS, short)) {
        if (!is("(")) throw new Problem(`${short} is a function: write ${short}(…)`, token.at);
        take();
        const parts = [];
        while (!is(")")) {
          parts.push(choice());
          if (is(",")) take();
          else if (!is(")")) expect(")");
        }
        take();
        return ["call", short, parts, token.at];
      }
      if (rest.length) throw new Problem(names.includes(lead) ? REFUSED["."] : `“${token.said}” is not known here`, token.at);
      const ours = names.length ? `this exercise has ${listed(names)}` : "give plain numbers";
      const hint = short === "ln" ? "the natural logarithm is log" : short === "e" ? "e to the x is exp(x)" : ours;
      throw new Problem(`unknown name “${token.said}”: ${hint}`, token.at);
    };

    const product = chain(sign, "*", "/", "//", "%");
    const sum = chain(product, "+", "-");
    const both = chain(negation, "and");
    const either = chain(both, "or");
    const tree = choice();
    if (next().kind !== "end") throw new Problem(unexpected(next()), next().at);
    return tree;
  };

  const number = (value) => {
    if (Array.isArray(value)) throw new Problem("a list stands where one number is needed");
    return Number(value);
  };
  const each = (compute) => (value) => (Array.isArray(value) ? value.map((part) => compute(Number(part))) : compute(Number(value)));
  const pairwise = (compute) => (a, b) => {
    if (Array.isArray(a) && Array.isArray(b)) {
      if (a.length !== b.length) throw new Problem(`lists of ${a.length} and of ${b.length} do not go together`);
      return a.map((part, k) => compute(part, b[k]));
    }
    if (Array.isArray(a)) return a.map((part) => compute(part, Number(b)));
    return Array.isArray(b) ? b.map((part) => compute(Number(a), part)) : compute(Number(a), Number(b));
  };
  const list = (name) => (value) => {
    if (!Array.isArray(value)) throw new Problem(`${name} takes a list`);
    return value;
  };
  const many = (name, compute) => (...values) => {
    const parts = values.length === 1 ? list(name)(values[0]) : values.map(number);
    if (!parts.length) throw new Problem(`${name} of nothing`);
    return compute(...parts);
  };
  const modulo = (a, b) => {
    const rest = a % b;
    if (rest === 0) return b < 0 ? -0 : 0;
    return rest < 0 !== b < 0 ? rest + b : rest;
  };
  const quotient = (a, b) => {
    if (b === 0) return a / b;
    const rest = a % b;
    const whole = (a - rest) / b - (rest && rest < 0 !== b < 0 ? 1 : 0);
    if (whole === 0) return a / b < 0 ? -0 : 0;
    return Math.floor(whole) + (whole - Math.floor(whole) > 0.5 ? 1 : 0);
  };
  const even = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  const raise = (a, b) => (a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) ? 1 : a ** b);
  const FUNCTIONS = {
    ...Object.fromEntries(
      ["sqrt", "exp", "log", "log2", "log10", "log1p", "expm1", "abs", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
        "asinh", "acosh", "atanh", "ceil", "floor", "sign"].map((name) => [name, each(Math[name])]),
    ),
    log: (value, base = Math.E) => pairwise((a, b) => Math.log(a) / Math.log(b))(value, base),
    round: each(even),
    degrees: each((x) => (x * 180) / Math.PI),
    radians: each((x) => (x * Math.PI) / 180),
    hypot: (a, b) => pairwise(Math.hypot)(a, b),
    pow: (a, b) => pairwise(raise)(a, b),
    min: many("min", Math.min),
    max: many("max", Math.max),
    sum: (value) => list("sum")(value).reduce((a, b) => a + b, 0),
    prod: (value) => list("prod")(value).reduce((a, b) => a * b, 1),
    len: (value) => list("len")(value).length,
  };
  for (const [name, short] of Object.entries({ arcsin: "asin", arccos: "acos", arctan: "atan", power: "pow", fabs: "abs" })) {
    FUNCTIONS[name] = FUNCTIONS[short];
  }
  const MOST = { log: 2, min: Infinity, max: Infinity };
  const TAKES = {
    log: "one number, and a base if you like", min: "a list or several numbers", max: "a list or several numbers", sum: "a list",
    prod: "a list", len: "a list",
  };
  const SIGN = {
    "+": pairwise((a, b) => a + b), "-": pairwise((a, b) => a - b), "*": pairwise((a, b) => a * b),
    "/": pairwise((a, b) => a / b), "%": pairwise(modulo), "**": pairwise(raise),
    "//": pairwise(quotient),
  };
  const COMPARE = {
    "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
    "==": (a, b) => a === b, "!=": (a, b) => a !== b,
  };
  const truth = (value) => (Number.isNaN(number(value)) ? true : Boolean(number(value)));
  const place = (value, length, otherwise) => {
    if (value === null) return otherwise;
    if (!Number.isInteger(number(value))) throw new Problem("a place in a list is a whole number");
    return value < 0 ? Number(value) + length : Number(value);
  };

  const evaluate = (tree, scope) => {
    const [kind, ...parts] = tree;
    const value = (part) => evaluate(part, scope);
    switch (kind) {
      case "number": return parts[0];
      case "name": return scope[parts[0]];
      case "if": return value(truth(value(parts[0])) ? parts[1] : parts[2]);
      case "or": { const left = value(parts[0]); return truth(left) ? left : value(parts[1]); }
      case "and": { const left = value(parts[0]); return truth(left) ? value(parts[1]) : left; }
      case "not": return !truth(value(parts[0]));
      case "compare": {
        let [left, ...rest] = parts[0];
        for (left = number(value(left)); rest.length; rest = rest.slice(2)) {
          const right = number(value(rest[1]));
          if (!COMPARE[rest[0]](left, right)) return false;
          left = right;
        }
        return true;
      }
      case "entry": case "slice": {
        const values = value(parts[0]);
        if (!Array.isArray(values)) throw new Problem("[…] picks from a list, and this is a number");
        const [from, to] = parts.slice(1).map((part) => (part === null ? null : value(part)));
        if (kind === "slice") return values.slice(Math.max(place(from, values.length, 0), 0), Math.max(place(to, values.length, values.length), 0));
        const entry = values[place(from, values.length, 0)];
        if (entry === undefined) throw new Problem(`a list of ${values.length} has no entry ${from}`);
        return entry;
      }
      case "call": {
        const [name, given, at] = parts;
        const compute = FUNCTIONS[name];
        const wanted = compute.length || 1;
        if (given.length < wanted || given.length > (MOST[name] ?? wanted)) {
          throw new Problem(`${name} takes ${TAKES[name] ?? (wanted === 1 ? "one number" : "two numbers")}`, at);
        }
        return compute(...given.map(value));
      }
      default: // a sign, before one number or between two
        return parts.length === 1 ? SIGN["*"](kind === "-" ? -1 : 1, value(parts[0])) : SIGN[kind](value(parts[0]), value(parts[1]));
    }
  };

  const known = Object.keys(FUNCTIONS);
  const formulas = { parse, evaluate, Problem, known };
  if (typeof module === "object") module.exports = formulas;
  else window.bookFormulas = formulas;
})();
