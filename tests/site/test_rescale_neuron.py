"""RescaleNeuron by effect: driven by keyboard, its readouts take the values that gaugelib predicts.

The page of the chapter shows it as readers get it; scratch pages show what the chapter does not
hold (two copies, eight neurons). Predictions start from the traits that are embedded in the page.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.func import functional_call

from gaugelib import (
    incoming_norm,
    mlp_group,
    outgoing_norm,
    params_of,
    rescale,
    weight_norm,
)
from gaugelib.widgets import RescaleNeuron
from tests.site.findings import sideways
from tests.widgets.node import formatted
from tests.widgets.test_parity import newton_minimum

RUNTIME = Path(__file__).parents[2] / "book/site/widgets.js"
KIND = "application/vnd.jupyter.widget"
CHAPTER = "book/symmetry.html"


class Shown:
    """One RescaleNeuron on a page: its controls, its readouts, and what gaugelib says of it."""

    def __init__(self, page, index: int = 0) -> None:
        self.page, self.root = page, page.locator(".gl-rescale").nth(index)
        self.root.wait_for()
        self.traits = page.evaluate(TRAITS)[index]
        units = len(self.traits["w_in"])
        self.model = nn.Sequential(nn.Linear(1, units), nn.ReLU(), nn.Linear(units, 1)).double()
        with torch.no_grad():
            for name, trait in NAMES.items():
                parameter = self.model.get_parameter(name)
                values = torch.tensor(self.traits[trait], dtype=torch.float64)
                parameter.copy_(values.reshape(parameter.shape))
        self.group, self.params = mlp_group(self.model), params_of(self.model)

    def text(self, key: str) -> str:
        return self.root.locator(f'[data-readout="{key}"]').text_content()

    def slider(self, neuron: int):
        return self.root.locator("input[type=range]").nth(neuron - 1)

    def press(self, control, *keys: str) -> None:
        control.focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.frame()

    def button(self, name: str) -> None:
        self.press(self.root.get_by_role("button", name=name, exact=True), "Enter")

    def box(self, name: str) -> None:
        self.press(self.root.get_by_role("checkbox", name=name, exact=True), "Space")

    def frame(self) -> None:
        """Wait until the next frame was drawn."""
        self.page.evaluate("() => new Promise((go) => requestAnimationFrame(() => setTimeout(go)))")

    def log2_scales(self) -> list[float]:
        return [float(s) for s in self.root.locator("input[type=range]").evaluate_all(VALUES)]

    def must_show(self, log2_scales, *, p=2, forget=False, tanh=False) -> None:
        """Every readout is what gaugelib computes for these scales."""
        scales = torch.tensor(log2_scales, dtype=torch.float64).exp2()
        moved = rescale(self.params, scales, self.group)
        if forget:
            moved["2.weight"] = self.params["2.weight"]
        assert self.text("norm") == formatted(float(weight_norm(moved, self.group, p) ** p))
        start = float(weight_norm(self.params, self.group, p) ** p)
        assert self.text("start-norm") == formatted(start)
        ends = incoming_norm(moved, self.group, p), outgoing_norm(moved, self.group, p)
        for i, (into, out) in enumerate(zip(*ends, strict=True), start=1):
            assert self.text(f"in-{i}") == formatted(float(into))
            assert self.text(f"out-{i}") == formatted(float(out))
        if not forget and not tanh:
            assert float(self.text("max-difference")) <= 1e-12
            assert float(self.text("relative-difference")) <= 1e-12
            assert self.text("verdict") == "✓ the same function"
            return
        self.model[1] = nn.Tanh() if tanh else nn.ReLU()
        x = torch.linspace(*self.traits["x_range"], 401, dtype=torch.float64)[:, None]
        f, original = (functional_call(self.model, theta, (x,)) for theta in (moved, self.params))
        gap = (f - original).abs().max()
        assert float(gap) > 0.1
        assert self.text("max-difference") == formatted(float(gap))
        assert self.text("relative-difference") == formatted(float(gap / original.abs().max()))
        assert self.text("verdict") == "✗ another function"


NAMES = {"0.weight": "w_in", "0.bias": "b_in", "2.weight": "w_out", "2.bias": "b_out"}
VALUES = "(inputs) => inputs.map((input) => input.value)"
TRAITS = """() => {
  const json = (kind) => [...document.querySelectorAll(`script[type="application/vnd.jupyter.${kind}+json"]`)]
    .map((script) => JSON.parse(script.textContent));
  const state = Object.assign({}, ...json("widget-state").map((s) => s.state));
  return json("widget-view").map((view) => state[view.model_id].state).filter((s) => "log2_scales" in s);
}"""


@pytest.fixture(params=["over HTTP", "from the disk"])
def chapter(request, open_page, file_url) -> Shown:
    over_http = request.param == "over HTTP"
    return Shown(open_page(CHAPTER if over_http else file_url(CHAPTER)))


@pytest.fixture
def show(tmp_path, serve, open_page):
    """Opens a scratch page with these widgets, one view for each name in `views`."""
    shutil.copy(RUNTIME, tmp_path)
    address = serve(tmp_path)

    def show_it(widgets: dict[str, RescaleNeuron], views: str, **options):
        entries = {
            name: {
                "model_module": "anywidget",
                "state": {k: v for k, v in widget.get_state().items() if k != "layout"},
            }
            for name, widget in widgets.items()
        }
        state = json.dumps({"state": entries}).replace("</", r"<\/")
        view = f'<script type="{KIND}-view+json">{{"model_id": "%s"}}</script>'
        text = PAGE.format(state=state, views="".join(view % name for name in views), kind=KIND)
        (tmp_path / "page.html").write_text(text, "utf8")
        return open_page(f"{address}page.html", **options)

    return show_it


PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Scratch</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<script>{ledger}</script><script type="{{kind}}-state+json">{{state}}</script>
<script defer src="widgets.js"></script></head><body><main><h1>Scratch</h1>{{views}}</main></body></html>"""
# What is listened to, observed or timed, and not yet given back.
LEDGER = """
  window.open_accounts = new Map();
  const add = EventTarget.prototype.addEventListener, remove = EventTarget.prototype.removeEventListener;
  const key = (target, type, f) => [target, type, f];
  const entries = [];
  EventTarget.prototype.addEventListener = function (type, f, o) { entries.push([this, type, f]); return add.call(this, type, f, o); };
  EventTarget.prototype.removeEventListener = function (type, f, o) {
    const at = entries.findIndex((e) => e[0] === this && e[1] === type && e[2] === f);
    if (at >= 0) entries.splice(at, 1);
    return remove.call(this, type, f, o);
  };
  let observers = 0;
  const Plain = ResizeObserver;
  window.ResizeObserver = class extends Plain {
    observe(...a) { observers += 1; super.observe(...a); }
    disconnect() { observers = 0; super.disconnect(); }
  };
  window.stillOpen = () => ({
    listeners: entries.filter(([target]) => target instanceof Element).length,
    global: entries.filter(([target]) => !(target instanceof Element)).map(([, type]) => type),
    observers,
  });
""".replace("{", "{{").replace("}", "}}")
PAGE = PAGE.replace("{ledger}", LEDGER)
