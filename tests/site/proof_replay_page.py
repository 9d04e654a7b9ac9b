"""A ProofReplay on a page in a browser, and what it should show of a trace."""

from gaugelib import proofs
from gaugelib.proofs import Trace
from gaugelib.proofs.examples import examples
from tests.site.widget_page import OnPage
from tests.widgets.node import formatted


def traced(name: str, *, network: int = 1, drop: str = "", p: float = 2.0) -> Trace:
    params, group = list(examples().values())[network - 1]
    return getattr(proofs, name)(params, group, p, drop=drop or None)


def written(value: float | None) -> str:
    return "none" if value is None else formatted(value).replace("-", "−")


class Replay(OnPage):
    """One ProofReplay on a page, and what it should show of a trace."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-replay", index)

    def must_show(self, trace: Trace, number: int) -> None:
        """The step, both sides, the slack, where, and the verdicts on all steps."""
        step = trace.steps[number - 1]
        assert self.text("step") == f"Step {number} of {len(trace.steps)}"
        assert self.text("claim") == step.claim
        assert self.text("place") == step.place.words
        assert self.text("verdict") == ("✓ holds" if step.holds else "✗ fails")
        # What is rounding differs between processors: there its size is compared, not its digits.
        size = step.size or max(abs(side.value or 0.0) for side in (step.left, step.right))
        slack = step.slack
        if step.relation == "=" and slack is not None:
            slack = abs(slack)
        numbers = {"left": step.left.value, "right": step.right.value, "slack": slack}
        for key, value in numbers.items():
            if value is not None and 0 < abs(value) <= 1e-9 * size:
                assert abs(float(self.text(key).replace("−", "-"))) <= 1e-9 * size
            elif value != 0:
                assert self.text(key) == written(value), key
        verdict = "✓ holds" if step.holds else "✗ fails"
        current = self.root.locator("[aria-current=step]").all_text_contents()
        assert current == [f"step {number}{verdict}: {step.claim}"]
        marks = self.root.locator(".gl-step .gl-mark").all_text_contents()
        assert marks == ["✓" if each.holds else "✗" for each in trace.steps]

    def lit(self) -> int:
        return self.root.locator(".gl-edge.gl-lit").count()
