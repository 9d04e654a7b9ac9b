// A reader chooses before the answer opens. The answers stand at the end of the page, for paper and for
// readers without scripts; each comes to its place when its question is answered. What was chosen is
// kept in this browser alone: by the words of the choice, so that a question that has changed is asked anew.
(() => {
  "use strict";
  const end = document.querySelector(".predict-answers");
  const shuts = [...document.querySelectorAll(".predict-shut")];
  const answers = [...end.querySelectorAll(".predicted")];

  const key = (name) => `predict:${location.pathname}:${name}`;
  const store = (act) => { // a browser may refuse: then nothing is remembered
    try { return act(localStorage); } catch { return null; }
  };
  const words = (element) => element.textContent.trim();

  /** An element with text, and with copies of what is shown of some choices. */
  const line = (className, before, choices) => {
    const made = document.createElement("p");
    made.className = className;
    made.append(before);
    choices.forEach((choice, k) => made.append(k ? "; " : "", ...choice.cloneNode(true).childNodes));
    return made;
  };

  /** What becomes of a prediction, in a word or two. */
  const badge = (right, chosen) => {
    const made = document.createElement("span");
    const met = right.filter((k) => chosen.includes(k)).length;
    const whole = met === right.length && met === chosen.length;
    made.className = whole ? "predict-right" : "predict-other";
    made.textContent = whole ? "right" : met ? "partly right" : "not so";
    return made;
  };

  const done = new Set();
  const update = () => {
    for (const shut of shuts) {
      const open = shut.dataset.predict.split(" ").every((name) => done.has(name));
      if (open === shut.classList.contains("done")) continue;
      shut.classList.toggle("done", open);
      shut.open = open;
    }
  };

  const question = (form) => {
    const name = form.dataset.predict;
    const answer = document.getElementById(`${name}-answer`);
    const here = document.querySelector(`.predict-here[data-predict="${name}"]`);
    const list = answer.querySelector(":scope > ol");
    const items = [...list.children];
    const inputs = [...form.querySelectorAll("input")];
    const choices = inputs.map((input) => input.nextElementSibling);
    const status = form.querySelector(".predict-said");
    const all = form.querySelector(".predict-all");
    const right = items.flatMap((item, k) => (item.classList.contains("right") ? [k] : []));

    /** Open: `chosen` are places in the list, none of them if the reader only wants to see. */
    const open = (chosen) => {
      const picked = chosen.map((k) => choices[k]);
      inputs.forEach((input, k) => { input.checked = chosen.includes(k); });
      form.querySelector("fieldset").disabled = true;
      form.classList.add("done");
      form.querySelector(".predict-then").hidden = false;
      all.hidden = chosen.length > 0; // whoever does not play need not say so at each question
      answer.querySelector(".you")?.remove();
      status.textContent = `${chosen.length ? "Your prediction is noted, in this browser only. " : ""}The answer is open below.`;
      if (chosen.length) {
        const you = line("you", "You said: ", picked);
        if (right.length) you.append(" ", badge(right, chosen));
        answer.querySelector(".admonition-title").after(you);
      }
      inputs.forEach((input, k) => input.closest("li").classList.toggle("yours", chosen.includes(k)));
      list.append(...items); // in their order
      list.prepend(...items.filter((_, k) => chosen.includes(k)));
      here.append(answer);
      done.add(name);
      update();
    };
    const close = () => {
      done.delete(name);
      form.classList.remove("done");
      for (const item of form.querySelectorAll(".yours")) item.classList.remove("yours");
      form.querySelector("fieldset").disabled = false;
      form.querySelector(".predict-then").hidden = true;
      status.textContent = "";
      end.append(...answers.filter((each) => each === answer || end.contains(each)));
      update();
    };

    const commit = (chosen) => {
      store((kept) => kept.setItem(key(name), JSON.stringify(chosen.map((k) => words(choices[k])))));
      open(chosen);
    };
    const complain = (text) => inputs[0].setCustomValidity(text);
    form.noValidate = true;
    form.addEventListener("change", () => complain(""));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = inputs.flatMap((input, k) => (input.checked ? [k] : []));
      if (!chosen.length) {
        complain("Choose first, or press “Show me”.");
        inputs[0].reportValidity();
        return;
      }
      commit(chosen);
      form.querySelector(".predict-then a").focus({ preventScroll: true });
    });
    form.querySelector(".predict-do [type=button]").addEventListener("click", () => {
      complain("");
      commit([]);
      form.querySelector(".predict-then a").focus({ preventScroll: true });
    });
    form.addEventListener("reset", () => {
      store((kept) => kept.removeItem(key(name)));
      close();
      if (location.hash === `#${name}-answer`) history.replaceState(null, "", location.pathname + location.search);
      inputs[0].focus({ preventScroll: true });
    });

    all.addEventListener("click", () => {
      for (const each of questions) if (!done.has(each.name)) each.commit([]);
      form.querySelector(".predict-then a").focus({ preventScroll: true });
    });

    const remembered = store((kept) => JSON.parse(kept.getItem(key(name))));
    if (Array.isArray(remembered)) {
      const chosen = remembered.map((text) => choices.findIndex((choice) => words(choice) === text));
      if (!chosen.includes(-1)) open(chosen);
    }
    return { name, answer, here, open, commit };
  };

  end.classList.add("live");
  const questions = [...document.querySelectorAll(".predict-form")].map(question);

  // Who opens an output by hand wants to see: then its answer belongs to it.
  for (const shut of shuts) {
    shut.querySelector("summary").addEventListener("click", (event) => {
      const names = shut.dataset.predict.split(" ");
      event.preventDefault();
      for (const each of questions) if (names.includes(each.name) && !done.has(each.name)) each.commit([]);
      const output = shut.querySelector(".cell_output"); // its line is gone, and the keyboard goes on from here
      output.tabIndex = -1;
      output.focus({ preventScroll: true });
    });
  }

  // A link to what is shut opens it.
  const arrive = () => {
    let place = null;
    try { place = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { /* no name */ }
    if (!place) return;
    const asked = questions.find(({ answer }) => answer.contains(place));
    const shut = place.closest(".predict-shut");
    if (asked && end.contains(place)) asked.open([]);
    const names = shut ? shut.dataset.predict.split(" ") : [];
    for (const each of questions) if (names.includes(each.name) && !done.has(each.name)) each.open([]);
    if (asked || shut) place.scrollIntoView();
  };
  addEventListener("hashchange", arrive);
  addEventListener("click", ({ target }) => { // the same link once more changes no address
    if (target.closest?.('a[href^="#"]')?.hash === location.hash) arrive();
  });
  arrive();

  // Paper has all answers at its end.
  const opened = [];
  addEventListener("beforeprint", () => {
    end.append(...answers);
    opened.push(...shuts.filter((shut) => !shut.open));
    for (const shut of opened) shut.open = true;
  });
  addEventListener("afterprint", () => {
    for (const { name, here, answer } of questions) if (done.has(name)) here.append(answer);
    for (const shut of opened.splice(0)) shut.open = false;
  });
})();
