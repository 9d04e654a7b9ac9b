"""A ProofReplay on a page in a browser, and what it should show of a trace."""

import re
from collections.abc import Callable

from gaugelib import proofs
from gaugelib.proofs import Record
from gaugelib.proofs.examples import examples
from tests.widgets.node import formatted
from tests.widgets.on_page import OnPage

CHAPTER = "book/minimum_norm.html"
ON_THE_PAGE = {
    "Balanced is smallest, and smallest is balanced": "lemma_balanced_is_minimal",
    "One step never raises the norm": "lemma_auxiliary",
    "No scale runs away": "lemma_compact",
    "Every orbit has exactly one smallest network": "theorem_uniqueness",
}

# All that a step shows, at once: a question to the browser costs more than its answer.
SHOWN = """(root) => {
  const texts = (selector) => [...root.querySelectorAll(selector)].map((e) => e.textContent);
  const readouts = [...root.querySelectorAll("[data-readout]")];
  return {
    readouts: readouts.map((e) => [e.dataset.readout, e.textContent]),
    current: texts("[aria-current=step]"),
    marks: texts(".gl-step .gl-mark"),
    fails: texts(".gl-fails").length,
  };
}"""


def traced(name: str, *, network: int = 1, drop: str = "", p: float = 2.0) -> Record:
    params, group = list(examples().values())[network - 1]
    return getattr(proofs, name)(params, group, p, drop=drop or None)


def written(value: float | None) -> str:
    return "none" if value is None else formatted(value).replace("-", "−")


class Replay(OnPage):
    """One ProofReplay on a page, and what it should show of a trace."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-replay", index)

    def must_show(self, trace: Record, number: int, *, told: bool = True) -> None:
        """The step, both sides, the slack, where, and, where they are told, the verdicts."""
        step, shown = trace.steps[number - 1], self.root.evaluate(SHOWN)
        text = dict(shown["readouts"])
        assert len(text) == len(shown["readouts"])  # each stands there once
        assert text["step"] == f"Step {number} of {len(trace.steps)}"
        assert text["claim"] == step.claim
        assert text["place"] == step.place.words
        verdict = ("✓ holds" if step.holds else "✗ fails") if told else "holds or fails?"
        assert text["verdict"] == verdict
        # What is rounding differs between processors: there its size is compared, not its digits.
        size = step.size or max(abs(side.value or 0.0) for side in (step.left, step.right))
        slack = step.slack
        if step.relation == "=" and slack is not None:
            slack = abs(slack)
        numbers = {"left": step.left.value, "right": step.right.value, "slack": slack}
        for key, value in numbers.items():
            if value is not None and 0 < abs(value) <= 1e-9 * size:
                assert abs(float(text[key].replace("−", "-"))) <= 1e-9 * size
            elif value != 0:
                assert text[key] == written(value), key
        verdict = verdict if told else "·"
        assert shown["current"] == [f"step {number}{verdict}: {step.claim}"]
        known = ["✓" if each.holds else "✗" for each in trace.steps]
        assert shown["marks"] == (known if told else ["·"] * len(known))
        assert (shown["fails"] > 0) is (told and "✗" in known)

    def drop(self, hypothesis: str, *, step: int = 1) -> None:
        """Drop a hypothesis, show which steps fail and go to a step, by keyboard."""
        self.choose("drop a hypothesis", hypothesis)
        if hypothesis:
            self.push("Show which steps fail")
        self.press(self.control("button", re.compile(rf"^step {step}\b")), "Enter")

    def lit(self) -> int:
        return self.root.locator(".gl-edge.gl-lit").count()


def in_chapter(view) -> Callable[..., Replay]:
    """A function that finds the widget of the chapter that replays a proof, as it opens."""

    def find(name: str, **options) -> Replay:
        page = view(CHAPTER, anew=True, **options)
        titles = page.locator(".gl-replay .gl-title").all_text_contents()
        return Replay(page, [ON_THE_PAGE[title] for title in titles].index(name))

    return find
