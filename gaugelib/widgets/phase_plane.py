"""PhasePlane: a network of two weights, so that its orbits, norms and gradients can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import traitlets
from torch import Tensor, nn

from gaugelib.widgets import _phase_still
from gaugelib.widgets._base import BookWidget, WidgetError, finite

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODES = ("orbit",)  # the same names as in the table of phase_plane.js


class PhasePlane(BookWidget):
    r"""The network $f(x) = v\,\mathrm{relu}(w x)$ as a point in the plane of its two weights.

    The orbits of rescaling are the hyperbolas $wv = \mathrm{const}$. The loss is
    $L = \tfrac12 (f(1) - y)^2$: one datum, $x = 1$ with target $y$. Where $w \le 0$ the neuron is
    silent on that datum, $f(1) = 0$ and the gradient vanishes.

    In the mode `"orbit"` the reader slides along an orbit and sees what stands still ($f$, $L$ and
    the right angle between gradient and orbit) and what does not (the norm, the size of the
    gradient, the curvature). The traits are synced: what is dragged in a notebook can be read back.

    Args:
        w: incoming weight to begin with; not 0, for the scale $a$ is measured by it.
        v: outgoing weight to begin with.
        target: $y$, what the network should answer to $x = 1$.
        p: exponent of the norm $|w|^p + |v|^p$, 1 or 2.
        mode: what the plane shows; `"orbit"` is the only mode there is.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a number is not finite, w begins at 0, p is
            neither 1 nor 2, or there is no such mode.

    Source: Saul (2023), eqs. (5)-(7); the book, "The symmetry".

    Example:
        >>> widget = PhasePlane(w=3.0, v=0.4, p=1)
        >>> {name: value.item() for name, value in widget.to_params().items()}
        {'0.weight': 3.0, '2.weight': 0.4}
    """

    mode = traitlets.Unicode("orbit").tag(sync=True)
    w = traitlets.Float(3.0).tag(sync=True)
    v = traitlets.Float(0.4).tag(sync=True)
    target = traitlets.Float(2.0).tag(sync=True)
    p = traitlets.Int(2).tag(sync=True)
    # What the button "Reset" returns to, and the function f0 with which f is compared.
    _start = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        *,
        w: float = 3.0,
        v: float = 0.4,
        target: float = 2.0,
        p: int = 2,
        mode: str = "orbit",
    ) -> None:
        super().__init__(w=w, v=v, target=target, p=p, mode=mode)
        if self.w == 0:
            raise WidgetError(
                "w must not begin at 0: the scale a of (a w, v / a) is measured by it"
            )
        self._start = {"w": self.w, "v": self.v, "p": self.p}

    @classmethod
    def from_model(cls, model: nn.Module, **traits) -> PhasePlane:
        """The widget of `nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))`, biases zero.

        Args:
            model: the network; its two weights are copied in float64, and it is not changed.
            traits: `target`, `p` or `mode`, as in the constructor.

        Raises:
            GaugeError: if the model is another one, or has a bias other than 0.

        Example:
            >>> layers = nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False)
            >>> for weight in nn.Sequential(*layers).parameters():
            ...     _ = nn.init.constant_(weight, 2.0)
            >>> PhasePlane.from_model(nn.Sequential(*layers))
            PhasePlane(w=2.0, v=2.0)
        """
        w, v = _two_weights(model)
        return cls(w=w, v=v, **traits)

    def to_params(self) -> dict[str, Tensor]:
        """The network as it stands, float64, each of shape (1, 1), named as in `nn.Sequential`."""
        return {
            name: torch.tensor([[value]], dtype=torch.float64)
            for name, value in (("0.weight", self.w), ("2.weight", self.v))
        }

    def draw_still(self, figure: Figure) -> None:
        """The plane beside the function, as the widget opens."""
        _phase_still.draw(figure, self)

    def alt_text(self) -> str:
        """What the still picture shows."""
        return _phase_still.in_words(self)

    @traitlets.validate("w", "v", "target")
    def _finite_number(self, proposal: traitlets.Bunch) -> float:
        return finite([proposal.value], trait=proposal.trait.name)[0]

    @traitlets.validate("p")
    def _known_power(self, proposal: traitlets.Bunch) -> int:
        if proposal.value not in (1, 2):
            raise WidgetError(f"p must be 1 or 2, found {proposal.value}")
        return proposal.value

    @traitlets.validate("mode")
    def _known_mode(self, proposal: traitlets.Bunch) -> str:
        if proposal.value not in MODES:
            known = ", ".join(repr(mode) for mode in MODES)
            raise WidgetError(f"mode must be one of: {known}; found {proposal.value!r}")
        return proposal.value


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
