"""Driving PhasePlane as a reader does: its controls, its readouts, what they should say."""

import json

import torch
from ipywidgets.embed import dependency_state
from torch import nn

from gaugelib import imbalance, mlp_group, rescale, weight_norm
from tests.widgets.node import formatted

TARGET = 2.0
NETWORK = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False))


class Plane:
    """One widget on a page: its controls by their roles, its readouts by their names."""

    def __init__(self, root):
        self.root, self.page = root, root.page
        self.along = root.get_by_role("slider", name="along the orbit")
        self.across = root.get_by_role("slider", name="across the orbits")
        self.point = root.get_by_role("slider", name="the network")
        self.free = root.get_by_role("checkbox", name="dragging stays")
        self.norm = root.get_by_role("combobox", name="norm")

    def press(self, control, key, times=1):
        control.focus()
        for _ in range(times):
            self.page.keyboard.press(key)
        self.settle()

    def push(self, name):
        self.press(self.root.get_by_role("button", name=name), "Enter")

    def grip(self):
        """Where to take hold of the point, in pixels of the window."""
        self.point.scroll_into_view_if_needed()
        box = self.point.locator(".gl-point").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def settle(self):
        self.page.evaluate("() => new Promise((r) => requestAnimationFrame(() => setTimeout(r)))")

    def read(self, *names):
        cells = (self.root.locator(f'[data-readout="{name}"]') for name in names)
        return {name: cell.text_content() for name, cell in zip(names, cells, strict=True)}

    def number(self, name):
        return float(self.read(name)[name])

    def shows(self, predicted):
        assert self.read(*predicted) == {k: formatted(value) for k, value in predicted.items()}


def revealed(plane):
    """The same widget with its answers shown, by the two boxes that show them."""
    for name in ("show the orbits", "show the smallest norm"):
        box = plane.root.get_by_role("checkbox", name=name)
        plane.press(box, "Space")
        assert box.is_checked()
    return plane


def predict(w, v, *, p=2, log2_scale=0.0, balanced=False):
    """The readouts at (w, v) after a rescaling, by gaugelib and by torch's differentiation."""
    params = {
        "0.weight": torch.tensor([[w]], dtype=torch.float64),
        "2.weight": torch.tensor([[v]], dtype=torch.float64),
    }
    group = mlp_group(NETWORK)
    scale = abs(v / w) ** 0.5 if balanced else 2.0**log2_scale
    params = rescale(params, torch.tensor([scale], dtype=torch.float64), group)
    weights = torch.cat([value.flatten() for value in params.values()]).requires_grad_()

    def loss(z):
        return 0.5 * (z[1] * torch.relu(z[0]) - TARGET) ** 2

    hessian = torch.autograd.functional.hessian(loss, weights)
    (slope,) = torch.autograd.grad(loss(weights), weights)
    w, v = weights.tolist()
    numbers = {
        "f": v * max(w, 0.0),
        "loss": loss(weights).item(),
        "w": w,
        "v": v,
        "size": weight_norm(params, group, p).item() ** p,
        "gradient": slope.norm().item(),
        "curvature": torch.linalg.eigvalsh(hessian).max().item(),
        "imbalance": imbalance(params, group, p).item(),
    }
    # Where the loss is zero up to rounding there is nothing to compare digit by digit.
    return {name: x for name, x in numbers.items() if x == 0 or abs(x) > 1e-12}


def crossing(w, v, *, product):
    """Where gradient flow from (w, v), which keeps w² - v², meets the orbit: a Newton iteration."""
    charge = w * w - v * v
    for _ in range(50):
        w -= (w * w - (product / w) ** 2 - charge) / (2 * w + 2 * product**2 / w**3)
    return w, product / w


def static_page(site, *widgets):
    """A page with these widgets, as the book's pages hold them, and the site's own script."""
    state = {"state": dependency_state(widgets, drop_defaults=False)} if widgets else {"state": {}}
    kind = "application/vnd.jupyter.widget"

    def data(name, value):
        text = json.dumps(value).replace("</", "<\\/")
        return f'<script type="{kind}-{name}+json">{text}</script>'

    views = "".join(data("view", {"model_id": widget.model_id}) for widget in widgets)
    script = (site / "_static/widgets.js").as_uri()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>widgets</title>'
        '<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">'
        f'<script defer src="{script}"></script></head><body><main><h1>widgets</h1>'
        f"{data('state', state)}{views}</main></body></html>"
    )


FOCUSED = """() => {
  const e = document.activeElement;
  const ring = e.querySelector(".gl-ring");
  const seen = ring
    ? getComputedStyle(ring).stroke !== "rgba(0, 0, 0, 0)"
    : parseFloat(getComputedStyle(e).outlineWidth) >= 2;
  return [e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.textContent, seen];
}"""

RENDER_AND_REMOVE = """async ([source, state]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const heard = [];
  const model = {
    get: (name) => state[name], set: (name, value) => { state[name] = value; }, save_changes() {},
    on: (name, f) => heard.push([name, f]),
    off: (name, f) => heard.splice(heard.findIndex(([n, g]) => n === name && g === f), 1),
  };
  let listeners = 0;
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  const counted = (by, act) => function (...a) { listeners += by; return act.apply(this, a); };
  EventTarget.prototype.addEventListener = counted(1, add);
  EventTarget.prototype.removeEventListener = counted(-1, remove);
  const el = document.createElement("div");
  document.body.append(el);
  const undo = widget.render({ model, el });
  const drawn = el.childElementCount;
  undo();
  Object.assign(EventTarget.prototype, { addEventListener: add, removeEventListener: remove });
  return { listeners, onModel: heard.length, nodes: el.childElementCount, drawn };
}"""
