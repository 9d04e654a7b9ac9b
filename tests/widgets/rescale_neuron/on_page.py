"""A RescaleNeuron on a page in a browser: its controls, its readouts, and what they should read."""

import torch
from torch import nn
from torch.func import functional_call

from gaugelib import incoming_norm, mlp_group, outgoing_norm, params_of, rescale, weight_norm
from tests.widgets.node import formatted

NAMES = {"0.weight": "w_in", "0.bias": "b_in", "2.weight": "w_out", "2.bias": "b_out"}

VALUES = "(inputs) => inputs.map((input) => input.value)"
TRAITS = """() => {
  const json = (kind) => [...document.querySelectorAll(
    `script[type="application/vnd.jupyter.${kind}+json"]`)].map((s) => JSON.parse(s.textContent));
  const state = Object.assign({}, ...json("widget-state").map((s) => s.state));
  return json("widget-view").map((view) => state[view.model_id].state)
    .filter((traits) => "log2_scales" in traits);
}"""


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

    def must_show(self, log2_scales, *, p=2, forget=False, forget_bias=False, tanh=False) -> None:
        """Every readout is what gaugelib computes for these scales."""
        scales = torch.tensor(log2_scales, dtype=torch.float64).exp2()
        moved = rescale(self.params, scales, self.group)
        if forget:
            moved["2.weight"] = self.params["2.weight"]
        if forget_bias:
            moved["0.bias"] = self.params["0.bias"]
        assert self.text("norm") == formatted(float(weight_norm(moved, self.group, p) ** p))
        start = float(weight_norm(self.params, self.group, p) ** p)
        assert self.text("start-norm") == formatted(start)
        ends = incoming_norm(moved, self.group, p), outgoing_norm(moved, self.group, p)
        for i, (into, out) in enumerate(zip(*ends, strict=True), start=1):
            assert self.text(f"in-{i}") == formatted(float(into))
            assert self.text(f"out-{i}") == formatted(float(out))
        if not (forget or forget_bias or tanh):
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
