"""BalanceSweeps: a layered network on its way to balance, neuron by neuron and layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import traitlets
from torch import Tensor, nn

from gaugelib.widgets.balance_sweeps import still
from gaugelib.widgets.balance_sweeps.layered import METHODS, MOST_SWEEPS, State, history, opening
from gaugelib.widgets.base import BookWidget, WidgetError, finite, one_of, several, within
from gaugelib.widgets.shared.matrices import linear_layers, require_matrices

FEWEST_LAYERS, MOST_LAYERS, MOST_WIDTH, MOST_WEIGHTS = 2, 8, 12, 20_000
SMALLEST, LARGEST = 1e-12, 1e12
MOST_SPREAD = 3
POWERS = [1, 2]


class BalanceSweeps(BookWidget):
    r"""Three ways to the minimum-norm gauge of a layered network, sweep by sweep.

    A sweep updates every hidden neuron once. `"paper"` is the published update, all neurons at once
    with $a = (\mathrm{out}/\mathrm{in})^{1/4p}$; `"alternating"` balances first the odd hidden
    layers exactly, then the even ones; `"two-level"` adds after each half sweep one scale for each
    layer, so that all layer totals become their geometric mean. The widget shows every neuron as a
    balance beam (more than 40 as a map), $\gamma = \max |\mathrm{in}-\mathrm{out}| /
    (\mathrm{in}+\mathrm{out})$ and $\|W\|_p^p$ against sweeps, and which part of the imbalance
    belongs to whole layers. Biases are not counted.

    Args:
        weights: matrices, each a list of rows (target neurons); by default a random network.
        depth: number of weight layers $L$ of a random network, 2 to 8.
        width: inputs and neurons in each hidden layer of a random network, 1 to 12; one output.
        log_std: before the first sweep each hidden neuron is rescaled at random, with this
            standard deviation $\sigma$ of $\log a$, 0 to 3.
        p: exponent of the norm, 1 or 2.
        method: whose neurons are shown, and what "Step" does.
        sweeps: how many sweeps of `"paper"`, `"alternating"` and `"two-level"` are shown.
        random_state: state of the generator of weights and scales.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a value is out of its range, matrices do not
            fit together, or a neuron is dead: without incoming or outgoing weights it has no
            balance.

    Source: Saul (2023), Algorithm 1 and Figure 2; the book, "The minimum-norm gauge".

    Example:
        >>> widget = BalanceSweeps(weights=[[[8.0]], [[1.0]], [[1.0]]], log_std=0, sweeps=(1, 0, 1))
        >>> [round(value.item(), 3) for value in widget.to_params().values()]
        [4.757, 1.682, 1.0]
        >>> widget.method = "two-level"
        >>> [round(value.item(), 3) for value in widget.to_params().values()]
        [2.0, 2.0, 2.0]
    """

    weights = traitlets.List().tag(sync=True)
    depth = traitlets.Int(5).tag(sync=True)
    width = traitlets.Int(4).tag(sync=True)
    log_std = traitlets.Float(1.0).tag(sync=True)
    p = traitlets.Int(2).tag(sync=True)
    method = traitlets.Unicode("paper").tag(sync=True)
    sweeps = traitlets.List(traitlets.Int()).tag(sync=True)
    random_state = traitlets.Int(1).tag(sync=True)

    def __init__(
        self,
        *,
        weights: Sequence[Sequence[Sequence[float]]] = (),
        depth: int = 5,
        width: int = 4,
        log_std: float = 1.0,
        p: int = 2,
        method: str = "paper",
        sweeps: Sequence[int] = (16, 0, 16),
        random_state: int = 1,
    ) -> None:
        self._begin(locals())
        self._remember(
            depth=range(FEWEST_LAYERS, MOST_LAYERS + 1),
            log_std=(0, MOST_SPREAD),
            p=POWERS,
            method=[*METHODS],
            sweeps=several(range(MOST_SWEEPS + 1), len(METHODS)),
            random_state=range(2**32),
        )

    @classmethod
    def from_model(cls, model: nn.Module, **traits) -> BalanceSweeps:
        """The widget of an `nn.Sequential` of `nn.Linear` and `nn.ReLU` in turn, biases left out.

        Args:
            model: the network; its weights are copied in float64, and it is not changed.
            traits: any other argument of the constructor; `log_std` is 0 unless it is given.

        Raises:
            GaugeError: if the model has another form, or more than 20 000 weights.

        Example:
            >>> from gaugelib import hat
            >>> BalanceSweeps.from_model(hat()).weights
            [[[1.0], [1.0], [1.0]], [[1.0, -2.0, 1.0]]]
        """
        linear = linear_layers(model, "BalanceSweeps shows")
        matrices = [layer.weight.detach().double().tolist() for layer in linear]
        return cls(weights=matrices, **{"log_std": 0.0, **traits})

    def history(self, method: str | None = None) -> list[State]:
        """The network after 0, 1, ... sweeps of `method`, as far as the widget shows it."""
        method = self.method if method is None else method
        sweeps = self.sweeps[METHODS.index(method)]
        return history(self._opening(), method, sweeps, self.p)

    def to_params(self) -> dict[str, Tensor]:
        """The weights as shown, after the sweeps, float64, named as in an `nn.Sequential`."""
        shown = self.history()[-1].weights
        return {f"{2 * layer}.weight": matrix for layer, matrix in enumerate(shown)}

    def _opening(self) -> list[Tensor]:
        given = [torch.tensor(rows, dtype=torch.float64) for rows in self.weights]
        return opening(given, self.depth, self.width, self.log_std, self.random_state)

    def _picture(self) -> still.Picture:
        runs = {method: self.history(method) for method in METHODS}
        return still.Picture(runs, self.method, self.p)

    @traitlets.validate("weights")
    def _living_layers(self, proposal: traitlets.Bunch) -> list[list[list[float]]]:
        layers = [[finite(row, trait="weights") for row in rows] for rows in proposal.value]
        if layers:
            _require_layers(layers)
        return layers

    @traitlets.validate("depth", "width", "random_state")
    def _whole_number(self, proposal: traitlets.Bunch) -> int:
        ends = {
            "depth": (FEWEST_LAYERS, MOST_LAYERS),
            "width": (1, MOST_WIDTH),
            "random_state": (0, 2**32 - 1),
        }
        return within(*ends[proposal.trait.name], proposal)

    @traitlets.validate("log_std")
    def _small_spread(self, proposal: traitlets.Bunch) -> float:
        value = finite([proposal.value], trait="log_std")[0]
        if not 0 <= value <= MOST_SPREAD:
            raise WidgetError(f"log_std must lie in 0..{MOST_SPREAD}, found {value:g}")
        return value

    @traitlets.validate("p")
    def _known_power(self, proposal: traitlets.Bunch) -> int:
        if proposal.value not in POWERS:
            raise WidgetError(f"p must be 1 or 2, found {proposal.value}")
        return proposal.value

    @traitlets.validate("method")
    def _known_method(self, proposal: traitlets.Bunch) -> str:
        return one_of(METHODS, proposal)

    @traitlets.validate("sweeps")
    def _a_count_for_each_method(self, proposal: traitlets.Bunch) -> list[int]:
        counts = proposal.value
        if len(counts) != len(METHODS) or not all(0 <= n <= MOST_SWEEPS for n in counts):
            raise WidgetError(
                f"sweeps must be one number in 0..{MOST_SWEEPS} for each of "
                f"{', '.join(METHODS)}, found {counts}"
            )
        return counts


def _require_layers(layers: list[list[list[float]]]) -> None:
    """Matrices that fit together, of a size that can be shown, without a dead hidden neuron."""
    require_matrices(layers)
    sizes = [abs(weight) for rows in layers for row in rows for weight in row]
    if len(sizes) > MOST_WEIGHTS:
        raise WidgetError(f"BalanceSweeps shows at most {MOST_WEIGHTS} weights, found {len(sizes)}")
    wild = [size for size in sizes if size and not SMALLEST <= size <= LARGEST]
    if wild:
        raise WidgetError(
            f"a weight must be 0 or between {SMALLEST:g} and {LARGEST:g}, found {wild[0]:g}"
        )
    for h, (into, out) in enumerate(pairwise(layers), start=1):
        for i, row in enumerate(into):
            for side, values in (("incoming", row), ("outgoing", [target[i] for target in out])):
                if not any(values):
                    raise WidgetError(
                        f"neuron {i + 1} of hidden layer {h} has no {side} weight: it is dead, "
                        "and no scale balances it"
                    )
