"""PhasePlane: a network of two weights, so that its orbits, norms and gradients can be seen."""

from __future__ import annotations

import inspect
import math

import torch
import traitlets
from torch import Tensor, nn

from gaugelib.widgets.base import BookWidget, Values, WidgetError, finite, one_of, within
from gaugelib.widgets.phase_plane import edge, flow, orbit, pairing, soft
from gaugelib.widgets.phase_plane.still import Plane

# The same names as in the table of widget.js. Each module says what its mode opens with, which
# traits the button "Reset" restores, how low w and v can be moved, which of them must begin above
# 0, and draws its still picture.
MODES = {"orbit": orbit, "flow": flow, "pairing": pairing, "soft": soft, "edge": edge}
METHODS = ("descent", "momentum", "midpoint")  # as in training.js
PENALTIES = ("imbalance", "log-ratio", "gauge", "decay")  # as in penalties.js
POWERS = [1, 2]
_ABOVE_0 = {
    "w": "a silent neuron does not move",
    "v": "it shows the side where both weights are positive",
}


class PhasePlane(BookWidget):
    r"""The network $f(x) = v\,\mathrm{relu}(w x)$ as a point in the plane of its two weights.

    The orbits of rescaling are the hyperbolas $wv = \mathrm{const}$. The loss is
    $L = \tfrac12 (f(1) - y)^2$: one datum, $x = 1$ with target $y$. Where $w \le 0$ the neuron is
    silent on that datum, $f(1) = 0$ and the gradient vanishes. The traits are synced: what is
    dragged in a notebook can be read back. Each mode makes one sentence of a chapter visible:

    - `"orbit"`: along an orbit $f$, $L$ and the right angle between gradient and orbit stand still;
      the norm, the size of the gradient and the curvature do not.
    - `"flow"`: the flow $\dot\theta = -|\theta|^{2-p} \odot \nabla L$ keeps the charge
      $|w|^p - |v|^p$; a step of gradient descent moves it by
      $\eta^2 (g_{\mathrm{in}}^2 - g_{\mathrm{out}}^2)$, exactly for $p = 2$.
    - `"pairing"`: with weight decay $\lambda R_q$ the charge of $p$ decays as
      $e^{-\lambda p t}$ only if $q = p$. Here the neuron has two inputs of equal weight $w$ (the
      datum is $x = (\tfrac12, \tfrac12)$, the charge $2|w|^p - |v|^p$): with one input,
      $|w| = |v|$ balances every exponent at once.
    - `"soft"`: alone, without a loss, the penalty $\tfrac\kappa4 (w^2 - v^2)^2$ slides along the
      orbit and $\tfrac\kappa2 u^2$, $u = \log(w/v)$, along a circle: only the first leaves the
      function alone.
    - `"edge"`: the neuron is linear, $f(x) = v w x$. Gradient descent with a step $\eta$ stays at a
      minimum only if the sharpness $w^2 + v^2$ there is below $2/\eta$; what drives it on to a
      flatter one burns the imbalance, $\Delta' = \Delta (1 - \eta^2 (wv - y)^2)$ a step.

    Args:
        w: incoming weight to begin with; not 0 in the mode `"orbit"`, where the scale $a$ is
            measured by it, of any sign in `"edge"`, and positive in the others, which follow a
            neuron that is not silent.
        v: outgoing weight to begin with.
        target: $y$, what the network should answer to $x = 1$.
        p: exponent of the norm $|w|^p + |v|^p$ and of the flow, 1 or 2.
        mode: what the plane shows, one of the names above. A number that is not given is the one
            that the mode opens with.
        lr: step size $\eta$ of the modes `"flow"` and `"edge"`.
        method: what the steps are: `"descent"` (for p = 1 exponentiated), `"momentum"` (heavy ball
            with factor 0.5) or `"midpoint"` (implicit, in flat coordinates).
        decay: $\lambda$ of the mode `"pairing"`.
        decay_p: $q$, the exponent of its regulariser, 1 or 2.
        balanced: whether each flow of that mode begins at the point of its orbit where its charge
            is 0, or at (w, v) itself.
        penalty: what pulls in the mode `"soft"`: `"imbalance"` and `"log-ratio"` as above,
            `"gauge"` (the second one on the scale alone) or `"decay"` (of the weights).
        strength: its strength $\kappa$.
        time: how long it has pulled, from 0 to 10.
        steps: how many steps are shown in the mode `"edge"`, from 0 to 40, where it says where they
            lead.
        revealed: whether the answer is drawn: the orbits in the mode `"orbit"`, where the flows
            lead in `"flow"` and `"pairing"`. If not, the reader is asked first and ticks a box.
        smallest: whether the smallest norm of the orbit is drawn, with a box of its own.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a number is not finite, w begins where the
            mode cannot, p is neither 1 nor 2, or a name is not known.

    Source: Saul (2023), eqs. (5)-(7), (22), (32); the book, "The symmetry", "Conservation
    laws", "The pairing theorem", "Soft gauge fixing" and "Sharpness".

    Example:
        >>> widget = PhasePlane(w=3.0, v=0.4, p=1)
        >>> {name: value.item() for name, value in widget.to_params().items()}
        {'0.weight': 3.0, '2.weight': 0.4}
        >>> PhasePlane(mode="flow", lr=0.05)
        PhasePlane(mode='flow', lr=0.05)
    """

    mode = traitlets.Unicode("orbit").tag(sync=True)
    w = traitlets.Float(3.0).tag(sync=True)
    v = traitlets.Float(0.4).tag(sync=True)
    target = traitlets.Float(2.0).tag(sync=True)
    p = traitlets.Int(2).tag(sync=True)
    lr = traitlets.Float(0.1).tag(sync=True)
    method = traitlets.Unicode("descent").tag(sync=True)
    decay = traitlets.Float(0.1).tag(sync=True)
    decay_p = traitlets.Int(1).tag(sync=True)
    balanced = traitlets.Bool(True).tag(sync=True)
    penalty = traitlets.Unicode("imbalance").tag(sync=True)
    strength = traitlets.Float(0.5).tag(sync=True)
    time = traitlets.Float(2.0).tag(sync=True)
    steps = traitlets.Int(edge.LAST).tag(sync=True)
    revealed = traitlets.Bool(True).tag(sync=True)
    smallest = traitlets.Bool(True).tag(sync=True)

    def __init__(
        self,
        *,
        w: float | None = None,
        v: float | None = None,
        target: float | None = None,
        p: int | None = None,
        mode: str = "orbit",
        lr: float | None = None,
        method: str = "descent",
        decay: float = 0.1,
        decay_p: int = 1,
        balanced: bool = True,
        penalty: str = "imbalance",
        strength: float = 0.5,
        time: float = 2.0,
        steps: int = edge.LAST,
        revealed: bool = True,
        smallest: bool = True,
    ) -> None:
        arguments = dict(locals())
        for name, value in MODES.get(mode, orbit).OPENS.items():
            if arguments[name] is None:
                arguments[name] = value
        self._begin(arguments)
        if self.mode == "orbit" and self.w == 0:
            raise WidgetError(
                "w must not begin at 0: the scale a of (a w, v / a) is measured by it"
            )
        for name in MODES[self.mode].ABOVE_0:
            if (value := getattr(self, name)) <= 0:
                raise WidgetError(
                    f"{name} must begin above 0 in the mode {self.mode!r}, found {value:g}: "
                    + _ABOVE_0[name]
                )
        # Their function is the f0 with which f is compared, too.
        restored = MODES[self.mode].RESTORED
        linkable = {name: values for name, values in self._places().items() if name in restored}
        self._remember(
            *(name for name in restored if name not in linkable),
            tells=[name for name in ("time", "steps") if name in linkable],
            **linkable,
        )

    def _places(self) -> dict[str, Values]:
        """What an address may set, and to what: as far as the mode's controls reach."""
        furthest = max(abs(self.w), abs(self.v), math.sqrt(abs(self.target)))
        edge_of_plane = 1.01 * max(4.2, 1.25 * furthest)  # as in two_weights.js, and a little
        lowest_w, lowest_v = (
            -edge_of_plane if low is None else low for low in MODES[self.mode].LOWEST
        )
        return {
            "w": (lowest_w, edge_of_plane),
            "v": (lowest_v, edge_of_plane),
            "target": (0, max(2, self.target)),
            "p": POWERS,
            "lr": (0.01, max(1.2, self.lr)),
            "method": [*METHODS],
            "decay": (0, max(0.25, self.decay)),
            "decay_p": POWERS,
            "balanced": [False, True],
            "penalty": [*PENALTIES],
            "strength": (0.05, max(1, self.strength)),
            "time": (0, soft.UNTIL),
            "steps": range(edge.LAST + 1),
        }

    def __repr__(self) -> str:
        """The call that makes this widget: the arguments that differ from its mode's defaults."""
        told = inspect.signature(PhasePlane.__init__).parameters.values()
        defaults = {argument.name: argument.default for argument in told if argument.name != "self"}
        defaults |= MODES[self.mode].OPENS
        given = {name: getattr(self, name) for name in defaults}
        differ = (f"{name}={value!r}" for name, value in given.items() if value != defaults[name])
        return f"PhasePlane({', '.join(differ)})"

    @classmethod
    def from_model(cls, model: nn.Module, **traits) -> PhasePlane:
        """The widget of `nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))`, biases zero.

        Args:
            model: the network; its two weights are copied in float64, and it is not changed.
            traits: `target`, `mode` and the others, as in the constructor.

        Raises:
            GaugeError: if the model is another one, or has a bias other than 0, or the mode is
                `"edge"`, whose neuron has no ReLU.

        Example:
            >>> layers = nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False)
            >>> for weight in nn.Sequential(*layers).parameters():
            ...     _ = nn.init.constant_(weight, 2.0)
            >>> PhasePlane.from_model(nn.Sequential(*layers))
            PhasePlane(w=2.0, v=2.0)
        """
        if traits.get("mode") == "edge":
            raise WidgetError("the neuron of the mode 'edge' has no ReLU: give it w and v instead")
        w, v = _two_weights(model)
        return cls(w=w, v=v, **traits)

    def to_params(self) -> dict[str, Tensor]:
        """The network as it stands, float64, each of shape (1, 1), named as in `nn.Sequential`."""
        return {
            name: torch.tensor([[value]], dtype=torch.float64)
            for name, value in (("0.weight", self.w), ("2.weight", self.v))
        }

    def _picture(self) -> Plane:
        return self._filled(MODES[self.mode].Picture)

    @traitlets.validate("w", "v", "target")
    def _finite_number(self, proposal: traitlets.Bunch) -> float:
        return finite([proposal.value], trait=proposal.trait.name)[0]

    @traitlets.validate("p", "decay_p")
    def _known_power(self, proposal: traitlets.Bunch) -> int:
        if proposal.value not in POWERS:
            raise WidgetError(f"{proposal.trait.name} must be 1 or 2, found {proposal.value}")
        return proposal.value

    @traitlets.validate("lr", "decay", "strength")
    def _positive_number(self, proposal: traitlets.Bunch) -> float:
        name = proposal.trait.name
        (value,) = finite([proposal.value], trait=name)
        if value < 0 or (value == 0 and name != "decay"):
            raise WidgetError(f"{name} must be positive, found {value:g}")
        return value

    @traitlets.validate("time")
    def _moment(self, proposal: traitlets.Bunch) -> float:
        (value,) = finite([proposal.value], trait="time")
        if not 0 <= value <= soft.UNTIL:
            raise WidgetError(f"time must be from 0 to {soft.UNTIL:g}, found {value:g}")
        return value

    @traitlets.validate("steps")
    def _drawn_steps(self, proposal: traitlets.Bunch) -> int:
        return within(0, edge.LAST, proposal)

    @traitlets.validate("mode", "method", "penalty")
    def _known_name(self, proposal: traitlets.Bunch) -> str:
        names = {"mode": MODES, "method": METHODS, "penalty": PENALTIES}
        return one_of(names[proposal.trait.name], proposal)


def _two_weights(model: nn.Module) -> list[float]:
    wanted = "nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)) with zero biases"
    kinds = [type(layer) for layer in model] if isinstance(model, nn.Sequential) else None
    if kinds != [nn.Linear, nn.ReLU, nn.Linear]:
        found = type(model).__name__ if kinds is None else [kind.__name__ for kind in kinds]
        raise WidgetError(f"PhasePlane shows {wanted}, found {found}")
    params = {name: value.detach().double() for name, value in model.named_parameters()}
    for name, value in params.items():
        if value.numel() != 1:
            raise WidgetError(f"PhasePlane shows {wanted}, found '{name}' of {tuple(value.shape)}")
        if name.endswith("bias") and value.item() != 0:
            raise WidgetError(f"PhasePlane shows {wanted}, found '{name}' = {value.item():g}")
    return [params["0.weight"].item(), params["2.weight"].item()]
