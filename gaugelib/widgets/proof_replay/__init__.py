"""ProofReplay: a proof as steps, each one evaluated on a network, and what breaks without it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import torch
import traitlets
from torch import Tensor

from gaugelib import proofs
from gaugelib.action import rescale
from gaugelib.group import GaugeGroup
from gaugelib.proofs.examples import examples
from gaugelib.widgets.base import BookWidget, WidgetError, finite, one_of, within
from gaugelib.widgets.proof_replay import still
from gaugelib.widgets.proof_replay.replay import packed

Proof = Callable[..., proofs.Record]
Networks = Mapping[str, tuple[Mapping[str, Tensor], GaugeGroup]]

MOST_GAUGES = 3  # how often a reader's own network is shown in a random gauge


class ProofReplay(BookWidget):
    """A proof, step by step: both sides of each step evaluated on a network, with the slack.

    Dropping a hypothesis runs the proof on what the hypothesis excludes. Which steps then fail is
    the reader's to say first: both sides of a step are shown, its verdict is not, until "Show which
    steps fail" reveals all verdicts and goes to the first failure. Another hypothesis asks anew.
    "Another network" puts other numbers into the same proof and keeps what was revealed: that the
    same step fails again shows where the proof needs the hypothesis, and a question asked twice
    would have a known answer.

    Every number is computed by `gaugelib.proofs` when the widget is made, so that a static page
    needs no kernel. The traits `drop`, `network`, `step` and `revealed` can be set and read back;
    `proof` and `p` are fixed.

    Args:
        proof: the name of a function of `gaugelib.proofs`, or any function
            `(params, group, p, *, drop) -> Record`.
        p: exponent of the norm.
        drop: what to drop to begin with, a key of the trace's hypotheses; "" for nothing.
        network: number of the network to begin with, from 1.
        step: number of the step to begin with, from 1.
        revealed: the dropped hypothesis whose verdicts are shown already; "" for none.

    Raises:
        GaugeError: (also a `traitlets.TraitError`) if there is no such proof, hypothesis, network
            or step; and whatever the proof itself refuses.

    Example:
        >>> widget = ProofReplay(proof="lemma_auxiliary", drop="triple")
        >>> widget.trace.broken, widget.trace.steps[6].claim
        ((5, 7), 'G(ã) ≤ G(1)')
    """

    proof = traitlets.Unicode("lemma_auxiliary", read_only=True).tag(sync=True)
    p = traitlets.Float(2.0, read_only=True).tag(sync=True)
    drop = traitlets.Unicode("").tag(sync=True)
    network = traitlets.Int(1).tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    revealed = traitlets.Unicode("").tag(sync=True)
    _replay = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        *,
        proof: str | Proof = "lemma_auxiliary",
        p: float = 2.0,
        drop: str = "",
        network: int = 1,
        step: int = 1,
        revealed: str = "",
    ) -> None:
        self._open(proof, examples(), p)
        self._own = False
        self.drop, self.network, self.step, self.revealed = drop, network, step, revealed
        self._remember_it()

    def _open(self, proof: str | Proof, networks: Networks, p: float) -> None:
        function = _function(proof)
        finite([p], trait="p")
        self._runs = _run(function, networks, p)
        super().__init__(_replay=packed(self._runs, list(networks)))
        self.set_trait("proof", function.__name__)
        self.set_trait("p", float(p))
        self._remember_it()

    def _remember_it(self) -> None:
        whole = self._runs[""]
        self._remember(
            "revealed",
            drop=[*self._runs],
            network=range(1, len(whole) + 1),
            step=range(1, len(whole[0].steps) + 1),
        )

    @classmethod
    def from_params(
        cls,
        params: Mapping[str, Tensor],
        group: GaugeGroup,
        *,
        proof: str | Proof = "lemma_auxiliary",
        p: float = 2.0,
    ) -> ProofReplay:
        """The proof on a network of your own, and on three random gauges of it.

        Args:
            params: the network's parameters by name; they are copied in float64.
            group: the network's gauge group.
            proof: as in the constructor.
            p: exponent of the norm.

        Raises:
            GaugeError: as the constructor and the proof do.

        Example:
            >>> from gaugelib import hat, mlp_group, params_of
            >>> params, group = params_of(hat()), mlp_group(hat())
            >>> widget = ProofReplay.from_params(params, group, proof="theorem_uniqueness", p=1)
            >>> widget.trace.network, widget.trace.broken
            ('3 hidden units, 6 weights, p = 1', ())
        """
        own = {name: value.detach().double() for name, value in params.items()}
        networks: dict[str, tuple[Mapping[str, Tensor], GaugeGroup]] = {"yours": (own, group)}
        draw = torch.Generator().manual_seed(1)
        for number in range(1, MOST_GAUGES + 1):
            scales = group.random(generator=draw)
            networks[f"yours, random gauge {number}"] = rescale(own, scales, group), group
        widget = cls.__new__(cls)  # not the constructor: it would run the proof on its own networks
        widget._open(proof, networks, p)
        widget._own = True
        return widget

    def __repr__(self) -> str:
        if not self._own:
            return super().__repr__()
        return f"ProofReplay.from_params(params, group, proof={self.proof!r}, p={self.p!r})"

    @property
    def trace(self) -> proofs.Record:
        """The trace that is shown."""
        return self._runs[self.drop][self.network - 1]

    @property
    def told(self) -> bool:
        """Whether verdicts are shown: always of the whole proof, else once they are revealed."""
        return self.drop in ("", self.revealed)

    def _picture(self) -> still.Picture:
        return still.Picture(self.trace, self.step, self.told)

    @traitlets.validate("drop", "revealed")
    def _known_drop(self, proposal: traitlets.Bunch) -> str:
        return one_of(self._runs, proposal)

    @traitlets.validate("network")
    def _known_network(self, proposal: traitlets.Bunch) -> int:
        return within(1, len(self._runs[""]), proposal)

    @traitlets.validate("step")
    def _known_step(self, proposal: traitlets.Bunch) -> int:
        return within(1, len(self._runs[""][0].steps), proposal)


def _function(proof: str | Proof) -> Proof:
    """The function of that name in `gaugelib.proofs`, or the function that was given."""
    known = [name for name, thing in vars(proofs).items() if inspect.isfunction(thing)]
    if isinstance(proof, str):
        if proof not in known:
            names = ", ".join(map(repr, known))
            raise WidgetError(f"proof must be a function or one of: {names}; found {proof!r}")
        return getattr(proofs, proof)
    if not callable(proof):
        raise WidgetError(f"proof must be a function or its name, found {type(proof).__name__}")
    return proof


def _run(proof: Proof, networks: Networks, p: float) -> dict[str, list[proofs.Record]]:
    """What is dropped, "" for nothing -> the traces on all networks."""
    whole = [proof(params, group, p) for params, group in networks.values()]
    runs = {"": whole}
    for key in whole[0].drops:
        runs[key] = [proof(params, group, p, drop=key) for params, group in networks.values()]
    return runs
