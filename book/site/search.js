// The page of results. `searchIndex` (searchindex.js, written by gaugebook/search.py) holds the places of
// the book: pages, sections, statements, exercises, figures; `searchWords` says which words are shortened in it.
// A place is found when it has all words that were asked for; where the words stand in titles, and together, it
// comes first.
(() => {
  "use strict";
  const WORD = /[\p{L}\p{N}]+(?:\.\p{N}+)*/gu;
  const FIRST = 20; // how many results are shown at once
  const LONG = 220; // letters of an excerpt
  const SMALL = new Set("a an and are at by can do does for from how in is it its no of on or that the to what when where which why with".split(" "));
  const KINDS = { page: 12, section: 6, statement: 6, term: 4, function: 3, exercise: 2, figure: 1, work: 0 };

  /** As words are compared: without case and accents; θ² becomes θ2. */
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const wordsOf = (text) => fold(text).match(WORD) ?? [];

  /** Without the ending of a plural or of an abstract noun. */
  const stem = (word) => {
    if (word.length < 4 || /\d/.test(word)) return word;
    if (/....ness$/.test(word)) return word.slice(0, -4);
    if (/ies$/.test(word)) return word.slice(0, -3);
    if (/(?:s|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
    return /[^siua]s$/.test(word) ? word.slice(0, -1) : word;
  };
  /** A number or a letter is found as it is, a word also as the beginning of another. */
  const matches = (word, asked) =>
    word === asked || (asked.length > 2 && !/^\d/.test(asked) && word.startsWith(stem(asked)));

  /** What was asked for: terms, each of words that stand together: minimum_norm, "heavy ball", Theorem 2.1. */
  const termsOf = (question) =>
    (question.match(/[“"][^”"]*[”"]?|\p{L}+\s+\d+(?:\.\d+)*(?!\S)|\S+/gu) ?? []).map(wordsOf).filter((term) => term.length);

  /** The index in full. An entry of `words` is a letter and, after it, what the letter stands for. */
  const unpacked = (index, words) => {
    const long = new Map(words.split(",").map(([letter, ...word]) => [letter, word.join("")]));
    return JSON.parse(JSON.stringify(index).replace(/[^\0-\x7f]/g, (letter) => long.get(letter) ?? letter));
  };

  /** The places of the index, each with its words. */
  const placesOf = (index) => index.flatMap(([address, chapter, titles, places]) =>
    places.map(([kind, anchor, title, within, text]) => ({
      kind, title, text,
      chapter: chapter && `Chapter ${chapter}`,
      address: address + (anchor && `#${anchor}`),
      context: [...(kind === "page" ? titles.slice(0, -1) : titles), within].filter(Boolean),
      words: {
        title: wordsOf(title), text: wordsOf(text), anchor: wordsOf(anchor), context: wordsOf(titles.join(" ")),
      },
    })));

  /** How often the words stand one after the other; only the last may be the beginning of a longer one. */
  const together = (words, asked) => {
    const last = asked.length - 1;
    let count = 0;
    for (let i = 0; i + asked.length <= words.length; i++) {
      if (asked.every((word, k) => (k < last ? stem(words[i + k]) === stem(word) : matches(words[i + k], word)))) count++;
    }
    return count;
  };

  /** How well a term fits a place; 0 where it is not there. A word of the chapter's title counts last. */
  const weight = ({ title, text, anchor, context }, term) => {
    const often = together(text, term) / (0.5 + text.length / 200); // as often in a short text says more
    return (together(title, term) ? 20 : together(anchor, term) ? 12 : 0)
      + 3 * Math.log2(1 + often) + (together(context, term) ? 1 : 0);
  };

  /** How well a place answers; 0 where it does not have every term, or none at all. */
  const score = ({ words, kind, chapter }, terms, every) => {
    const weights = terms.map((term) => weight(words, term));
    const here = weights.filter((one) => one > 1).length; // more than in the chapter's title
    if (!here || (every && !weights.every(Boolean))) return 0;
    const asked = terms.flat();
    const own = words.title.filter((word) => !SMALL.has(word)).length; // how much of the title it is
    const inTitle = together(words.title, asked) ? 30 + (60 * asked.length) / Math.max(own, asked.length) : 0;
    const near = terms.length > 1 ? 6 * Math.log2(1 + together(words.text, asked)) : 0;
    const titled = weights.some((one) => one >= 12);
    const all = weights.reduce((a, b) => a + b) / terms.length + inTitle + near + KINDS[kind] * (titled ? 1 : 0.2);
    return chapter ? all : (kind === "function" ? 0.6 : 0.8) * all; // appendices come after what they belong to, code last
  };

  /** A question without what code puts around a name: gl.rescale(params) asks for rescale. */
  const bare = (question) => question.trim().replace(/^(?:gl|gaugelib)\.(?=[\p{L}_])/u, "").replace(/(?<=[\p{L}_]{3})\(.*$/u, "");
  /** Whether a question names a function as code does, minimum_norm or gl.rescale: then that is what is meant. */
  const isNamed = ({ kind, title }, question) => kind === "function" && /[_.(]/.test(question) && title === bare(question);

  /** The places that fit, the best first; those with only some of the terms if none has all. */
  const find = (places, question) => {
    const terms = termsOf(bare(question));
    for (const every of [true, false]) {
      const found = terms.length === 0 ? [] : places
        .map((place) => ({ place, score: score(place, terms, every) * (isNamed(place, question) ? 10 : 1) }))
        .filter((one) => one.score > 0)
        .sort((a, b) => b.score - a.score);
      if (found.length) return { every, found: found.map((one) => one.place) };
    }
    return { every: true, found: [] };
  };

  /** The sentence in which most of the words stand and what follows, in pieces: [text, is it asked for?]. */
  const excerpt = (text, question) => {
    const terms = termsOf(question);
    const hit = (word) => terms.flat().some((one) => matches(fold(word), one));
    const sentences = text.split(/\n|(?<=[.?!])\s+(?=\p{Lu})/u);
    const value = (sentence) => [...terms, terms.flat()]
      .filter((term) => together(wordsOf(sentence), term)).length;
    const values = sentences.map(value);
    const best = values.indexOf(Math.max(...values));
    let shown = sentences[best].includes(" · ") ? sentences[best] : sentences.slice(best).join(" "); // a row of a table alone
    const first = [...shown.matchAll(WORD)].find(([word]) => hit(word))?.index ?? 0;
    if (first > LONG / 2) shown = `… ${shown.slice(shown.indexOf(" ", first - LONG / 3) + 1)}`;
    if (shown.length > LONG) shown = `${shown.slice(0, shown.lastIndexOf(" ", LONG))} …`;
    const pieces = [];
    let end = 0;
    for (const found of shown.matchAll(WORD)) {
      if (!hit(found[0])) continue;
      pieces.push([shown.slice(end, found.index), false], [found[0], true]);
      end = found.index + found[0].length;
    }
    return [...pieces, [shown.slice(end), false]].filter(([piece]) => piece);
  };

  /** What was found, in words. */
  const summary = ({ every, found }, question) => {
    const places = found.length === 1 ? "1 place" : `${found.length} places`;
    if (!found.length) return `Nothing in this book matches “${question}”.`;
    return every ? `${places} for “${question}”.` : `No place has all of “${question}”; ${places} with some of it.`;
  };

  if (typeof module !== "undefined") { // in Node, for the tests
    module.exports = { unpacked, placesOf, find, excerpt, summary };
    return;
  }

  const make = (tag, className, ...children) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };
  const row = (place, question) => {
    const link = make("a", "", place.title);
    link.href = place.address;
    const said = excerpt(place.text, question)
      .map(([piece, asked]) => (asked ? make("mark", "", piece) : piece));
    return make("li", "", link, make("p", "place", [place.chapter, ...place.context].filter(Boolean).join(" › ")), make("p", "context", ...said));
  };

  const question = (new URLSearchParams(location.search).get("q") ?? "").trim();
  if (!question) return;
  for (const field of document.querySelectorAll('form.bd-search input[name="q"]')) field.value = question;
  document.title = `${question} – ${document.title}`;
  const result = find(placesOf(unpacked(searchIndex, searchWords)), question);
  const list = document.querySelector("#search-results");
  document.querySelector("#search-summary").textContent = summary(result, question);
  document.querySelector("#search-advice").hidden = result.found.length > 0;
  const show = (from, to) => list.append(...result.found.slice(from, to).map((place) => row(place, question)));
  show(0, FIRST);
  const more = document.querySelector("#search-more");
  more.hidden = result.found.length <= FIRST;
  more.textContent = `Show the other ${result.found.length - FIRST}`;
  more.addEventListener("click", () => {
    more.hidden = true;
    show(FIRST);
    list.children[FIRST].querySelector("a").focus();
  });
})();
