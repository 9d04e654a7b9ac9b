"""ChargeMonitor: a small network in training, and what its steps do to the charges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import traitlets
from torch import Tensor, nn

from gaugelib.widgets.base import BookWidget, WidgetError, finite, one_of, several, within
from gaugelib.widgets.charge_monitor import still
from gaugelib.widgets.charge_monitor.descent import METHODS, Run, Settings, train
from gaugelib.widgets.charge_monitor.network import BIASES, INPUTS, TARGETS, WEIGHTS, require_fit
from gaugelib.widgets.shared.matrices import linear_layers

MOST_STEPS = 4096
MOST_TRIED = 12  # as in widget.js
POWERS = [1, 2]
_PARTS = ("weights", "biases", "inputs", "targets")

Matrix = Sequence[Sequence[float]]


class ChargeMonitor(BookWidget):
    r"""Trains a small ReLU network in the page and plots the charge of each hidden unit.

    The charge is $\Delta_h = \sum_{\mathrm{in}(h)} |\theta_e|^p - \sum_{\mathrm{out}(h)}
    |\theta_e|^p$, biases among the incoming; the loss is $L(\theta) = \frac1{2n}\sum|f(x)-y|^2$.
    The flow $\dot\theta = -|\theta|^{2-p}\odot\nabla(L+\lambda R_p)$ obeys
    $\Delta(t) = \Delta(0)e^{-\lambda pt}$; steps leave this law, and the widget says how far, for
    $\eta$ and for $\eta/2$. Time is $t = \eta\cdot$ steps, for momentum too: its memory is the
    running mean $m\leftarrow\beta m+(1-\beta)\nabla L$, which in torch is `SGD` with
    `momentum=β, dampening=β`.

    Args:
        weights: matrices, each a list of rows (target neurons); by default a network of one
            input, six hidden units and one output.
        biases: one list for each matrix, or none at all.
        inputs: data, a list of inputs for each datum; by default twelve on $[-1, 1]$.
        targets: what the network should answer to each; by default $\sin\pi x$ and some noise.
        until: the time $T$ at which training ends.
        lr: step size $\eta$; at most 4096 steps are made.
        tried: step sizes whose drift is marked in the second plot beside $\eta$ and $\eta/2$.
        p: 2 for gradient descent, 1 for the exponentiated update
            $\theta\,e^{-\eta(\mathrm{sgn}\theta\,\partial L+\lambda)}$.
        method: `"descent"`, or `"adam"`, which obeys no law; `p` then says which charge is shown.
        momentum: $\beta$, from 0 to below 1; Adam has its own.
        decay: $\lambda\ge0$, weight decay in the gradient.
        batch: data in each minibatch, drawn anew for each step with replacement; 0: all data.
        random_state: state of the generator that draws minibatches.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if a value is out of its range, or matrices,
            biases and data do not fit together, or are too many: more than 12 hidden units, or
            more than 4000 parameters times data.

    Source: Saul (2023), Lemma 3.1, eqs. (22)-(24), (40); the book, "Conservation laws".

    Example:
        >>> widget = ChargeMonitor(weights=[[[2.0]], [[1.0]]], biases=(), inputs=[[1.0]],
        ...     targets=[[1.0]], until=0.25, lr=0.25, batch=0)
        >>> times, charges = widget.history()  # one step: g_in = 1, g_out = 2
        >>> charges.flatten().tolist()  # 3, and 3 + 0.25² (1² - 2²)
        [3.0, 2.8125]
    """

    weights = traitlets.List().tag(sync=True)
    biases = traitlets.List().tag(sync=True)
    inputs = traitlets.List().tag(sync=True)
    targets = traitlets.List().tag(sync=True)
    until = traitlets.Float(16.0).tag(sync=True)
    lr = traitlets.Float(0.125).tag(sync=True)
    tried = traitlets.List(traitlets.Float()).tag(sync=True)
    p = traitlets.Int(2).tag(sync=True)
    method = traitlets.Unicode("descent").tag(sync=True)
    momentum = traitlets.Float(0.0).tag(sync=True)
    decay = traitlets.Float(0.0).tag(sync=True)
    batch = traitlets.Int(2).tag(sync=True)
    random_state = traitlets.Int(1).tag(sync=True)

    def __init__(
        self,
        *,
        weights: Sequence[Matrix] = WEIGHTS,
        biases: Matrix = BIASES,
        inputs: Matrix = INPUTS,
        targets: Matrix = TARGETS,
        until: float = 16.0,
        lr: float = 0.125,
        tried: Sequence[float] = (),
        p: int = 2,
        method: str = "descent",
        momentum: float = 0.0,
        decay: float = 0.0,
        batch: int = 2,
        random_state: int = 1,
    ) -> None:
        weights = [[list(row) for row in rows] for rows in weights]
        biases, inputs, targets = (
            [list(row) for row in rows] for rows in (biases, inputs, targets)
        )
        self._begin(locals())
        steps = (self.until / MOST_STEPS, self.until)
        self._remember(
            tells=["momentum"],
            lr=steps,
            tried=several(steps, 0, MOST_TRIED),
            p=POWERS,
            method=[*METHODS],
            momentum=(0, 0.99),
            decay=(0, 1),
            batch=range(len(self.inputs) + 1),
            random_state=range(2**32),
        )

    @classmethod
    def from_model(
        cls, model: nn.Module, inputs: Tensor, targets: Tensor, **traits
    ) -> ChargeMonitor:
        """The widget of an `nn.Sequential` of `nn.Linear` and `nn.ReLU` in turn, and its data.

        Args:
            model: the network, at most 12 hidden units; its numbers are copied in float64, and it
                is not changed.
            inputs: shape (n, inputs of the network).
            targets: shape (n, outputs of the network).
            traits: any other argument of the constructor.

        Raises:
            GaugeError: if the model has another form or is too large, if only some of its layers
                have biases, or if the data do not fit.

        Example:
            >>> from gaugelib import hat
            >>> x = torch.linspace(-1, 3, 9)[:, None]
            >>> widget = ChargeMonitor.from_model(hat(), x, (x - 1).abs(), until=4.0)
            >>> widget.history()[1][0].tolist()  # charges count biases
            [0.0, -2.0, 4.0]
        """
        linear = linear_layers(model, "ChargeMonitor trains")
        data = {}
        for name, values in (("inputs", inputs), ("targets", targets)):
            if values.dim() != 2:
                raise WidgetError(f"{name} must have two dimensions, found {tuple(values.shape)}")
            data[name] = values.detach().double().tolist()
        return cls(
            weights=[layer.weight.detach().double().tolist() for layer in linear],
            biases=[
                b.detach().double().tolist() for b in (m.bias for m in linear) if b is not None
            ],
            **data,
            **traits,
        )

    def to_params(self) -> dict[str, Tensor]:
        """The network before training, float64, named as in an `nn.Sequential`."""
        kinds = (("weight", self.weights), ("bias", self.biases))
        return {
            f"{2 * layer}.{kind}": torch.tensor(values, dtype=torch.float64)
            for kind, each in kinds
            for layer, values in enumerate(each)
        }

    def history(self, lr: float | None = None) -> tuple[Tensor, Tensor]:
        """Times, shape (K + 1,), and charges, shape (K + 1, units), of the run that is shown.

        Args:
            lr: another step size than the widget's.
        """
        run = self._run(self.lr if lr is None else self._settled(lr, "lr"))
        return torch.from_numpy(run.times), torch.from_numpy(run.charges)

    def _run(self, lr: float) -> Run:
        arrays = (self.weights, self.biases)
        weights, biases = ([np.array(values, dtype=float) for values in each] for each in arrays)
        data = (np.array(self.inputs, dtype=float), np.array(self.targets, dtype=float))
        return train(weights, biases, *data, self._filled(Settings, lr=lr))

    def _picture(self) -> still.Picture:
        fine = self._run(self.until / still.FINEST)
        return still.Picture(self._filled(Settings), self._run(self.lr), fine)

    @traitlets.validate("weights", "biases", "inputs", "targets")
    def _one_network_and_its_data(self, proposal: traitlets.Bunch) -> list:
        name = proposal.trait.name
        rows = (
            [row for rows in proposal.value for row in rows]
            if name == "weights"
            else proposal.value
        )
        for row in rows:
            finite(row, trait=name)
        require_fit(**{each: getattr(self, each) for each in _PARTS} | {name: proposal.value})
        return proposal.value

    @traitlets.validate("until")
    def _a_time(self, proposal: traitlets.Bunch) -> float:
        return _positive(proposal.value)

    @traitlets.validate("lr")
    def _a_step(self, proposal: traitlets.Bunch) -> float:
        return self._settled(proposal.value, "lr")

    @traitlets.validate("tried")
    def _some_steps(self, proposal: traitlets.Bunch) -> list[float]:
        return [self._settled(value, "tried") for value in proposal.value]

    def _settled(self, lr: float, name: str) -> float:
        (value,) = finite([lr], trait=name)
        _positive(self.until)  # whichever of the two is looked at first
        if not self.until / MOST_STEPS <= value <= self.until:
            raise WidgetError(
                f"{name} must make 1 to {MOST_STEPS} steps until t = {self.until:g}, "
                f"found {value:g}"
            )
        return value

    @traitlets.validate("momentum", "decay")
    def _within(self, proposal: traitlets.Bunch) -> float:
        name = proposal.trait.name
        (value,) = finite([proposal.value], trait=name)
        if value < 0 or (name == "momentum" and value >= 1):
            most = " and below 1" if name == "momentum" else ""
            raise WidgetError(f"{name} must be at least 0{most}, found {value:g}")
        return value

    @traitlets.validate("p", "method")
    def _known_choice(self, proposal: traitlets.Bunch) -> int | str:
        known = {"p": POWERS, "method": METHODS}
        return one_of(known[proposal.trait.name], proposal)

    @traitlets.validate("batch", "random_state")
    def _whole_number(self, proposal: traitlets.Bunch) -> int:
        if proposal.trait.name != "batch":
            return within(0, 2**32 - 1, proposal)
        # Whichever of it and the data is looked at first.
        require_fit(**{each: getattr(self, each) for each in _PARTS})
        return within(0, len(self.inputs), proposal)


def _positive(until: float) -> float:
    (value,) = finite([until], trait="until")
    if value <= 0:
        raise WidgetError(f"until must be positive, found {value:g}")
    return value
