"""Checker for "Somebody else's networks": what of a network's rounding error is its gauge."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gaugelib.action import rescale
from gaugelib.balance import minimum_norm
from gaugelib.check.answer import answer_of, called
from gaugelib.check.fresh import draw, normal
from gaugelib.check.second_order.networks import convolutional_model, residual_model
from gaugelib.check.verdict import Verdict, WrongAnswer, close, judge, recognise
from gaugelib.gauges import quantise
from gaugelib.group import GaugeGroup
from gaugelib.modules import functional_call, load_params_, params_of
from gaugelib.tracing import trace_group

Params = dict[str, Tensor]
EXPONENTS = (2.0, 8.0, 64.0)
SLACK = 1e-3  # of the smallest error, which scales in float32 may miss
NEAR = 1e-4  # of a share


def rounding_share(
    function: Callable[[nn.Module, Tensor, int], Any],
    model: nn.Module | None = None,
    example: Tensor | None = None,
) -> Verdict:
    """Check a function (model, x, bits) -> (scales, share): the gauge's part of a rounding error.

    The error is the norm of what the outputs at x change when each tensor of weights is rounded to
    so many bits, with one step a tensor and the biases as they are.

    Args:
        function: takes a model, inputs and the number of bits; returns one scale for each hidden
            unit, with which the error is at least as small as it is as given and in the gauges of
            least p-norm for p = 2, 8 and 64; and 1 − that error over the one as given. It leaves
            the model as it is.
        model: one of the reader's own, on which the function is tried too.
        example: what that is called with.
    """

    def test() -> str:
        for case in _cases(model, example):
            own = copy.deepcopy(case.model)
            ask = f"return two things: {case.group.units} scales as one vector, and a share"
            like = [torch.ones(case.group.units), 1.0]
            scales, share = answer_of(function, own, case.x, case.bits, like=like, ask=ask)
            if not _same_state(own, case.model):
                raise WrongAnswer(
                    "your function wrote into the model; rescale a dictionary of its parameters."
                )
            if bool((scales <= 0).any()):
                raise WrongAnswer("a scale is positive; one of yours is not.")
            _judge_scales(case, scales)
            _judge_share(case, scales, share)
        own = "" if model is None else ", and on your own model"
        return f"a gauge as good as the best that was tried, and its share, on three networks{own}."

    return judge(test)


@dataclass(frozen=True)
class _Case:
    """A model with its inputs, and gauges of it that a reader might come to."""

    model: nn.Module
    x: Tensor
    bits: int
    group: GaugeGroup

    @property
    def params(self) -> Params:
        return params_of(self.model)

    def error(
        self,
        scales: Tensor,
        *,
        bits: int | None = None,
        per_channel: bool = False,
        biases: bool = False,
    ) -> float:
        """The norm of what rounding changes at the outputs, in some gauge."""
        moved, rounded = rescale(self.params, scales, self.group), {}
        for name, value in moved.items():
            if biases or self.group.entries[name].kind == "weight":
                value = quantise(value, bits or self.bits, per_channel=per_channel)
            rounded[name] = value
        change = self.outputs(rounded) - self.outputs(moved)
        return float(change.norm())

    def outputs(self, params: Params) -> Tensor:
        return functional_call(self.model, params, (self.x,)).detach()

    def tried(self) -> dict[float | None, Tensor]:
        """Scales by the exponent of the norm that is smallest with them; `None` for as given."""
        found = {p: minimum_norm(self.params, self.group, p=p).scales for p in EXPONENTS}
        return {None: self.group.identity(), **found}


def _cases(model: nn.Module | None, example: Tensor | None) -> Iterator[_Case]:
    """Two networks in fresh gauges, one that is best as it is, and the reader's own."""
    yield _moved(_case(convolutional_model(True), normal(20, 1, 4, 4), 8))
    yield _moved(_case(residual_model(True), normal(20, 3), 4))
    yield _good(_case(convolutional_model(False), normal(20, 1, 4, 4), 8))
    if model is None:
        return
    if not isinstance(model, nn.Module) or not isinstance(example, Tensor):
        raise WrongAnswer("hand over your model, and with it a tensor that it can be called with.")
    own = called(lambda: _case(copy.deepcopy(model).double(), example.detach().double(), 8))
    if own.group.units == 0:
        raise WrongAnswer("your model has no unit that can be rescaled; group.grounded says why.")
    if not torch.equal(own.outputs(own.params), own.outputs(own.params)):
        raise WrongAnswer(
            "your model draws at random, so that its outputs are others each time; try it in eval "
            "mode, without dropout."
        )
    if own.error(own.group.identity()) == 0:
        raise WrongAnswer("rounding changes no output of your model at this example; try another.")
    yield own


def _case(model: nn.Module, x: Tensor, bits: int) -> _Case:
    return _Case(model, x, bits, trace_group(model, x, verify=False))


def _moved(case: _Case, log_std: float = 1.0) -> _Case:
    """The same function in a fresh gauge, with more than half of its error from it."""
    least = min(case.error(scales) for scales in case.tried().values())
    while True:
        gauge = case.group.random(generator=draw(), log_std=log_std)
        if case.error(gauge) > 3 * least:
            return _at(case, gauge)


def _good(case: _Case) -> _Case:
    """The same function in a gauge with a smaller error than in those of least norm."""
    errors = {p: case.error(scales) for p, scales in case.tried().items() if p}
    best = case.tried()[min(errors, key=errors.__getitem__)]
    for _ in range(100):
        gauge = best * case.group.random(generator=draw(), log_std=0.05)
        if case.error(gauge) < 0.97 * min(errors.values()):
            return _at(case, gauge)
    return _at(case, best)


def _at(case: _Case, scales: Tensor) -> _Case:
    model = copy.deepcopy(case.model)
    load_params_(model, rescale(case.params, scales, case.group))
    return _Case(model, case.x, case.bits, case.group)


def _same_state(found: nn.Module, kept: nn.Module) -> bool:
    after, before = found.state_dict(), kept.state_dict()
    return list(after) == list(before) and all(
        after[name].dtype == value.dtype and torch.equal(after[name], value)
        for name, value in before.items()
    )


def _judge_scales(case: _Case, scales: Tensor) -> None:
    """A hint if the gauge is not as good as the best of those to be tried."""
    tried = case.tried()
    errors = {p: case.error(gauge) for p, gauge in tried.items()}
    found, least = case.error(scales), min(errors.values())
    if found <= least * (1 + SLACK):
        return
    given = errors[None]
    if close(scales, tried[None], NEAR):
        raise WrongAnswer("your scales are all 1, and there are gauges with a smaller error.")
    for p in EXPONENTS:
        if close(scales, 1 / tried[p], NEAR):
            raise WrongAnswer("upside down: with the inverse of your scales the error is smaller.")
        if close(scales, tried[p], NEAR):
            better = "as given" if given == least else "for another p"
            raise WrongAnswer(
                f"the gauge of least p-norm for p = {p:g} alone is not enough: {better} the error "
                f"is {least:.3g}, and with your scales {found:.3g}. Take the best of all."
            )
    raise WrongAnswer(
        f"as given the error is {given:.3g}, with your scales {found:.3g}; among the gauges to be "
        f"tried there is one with {least:.3g}."
    )


def _judge_share(case: _Case, scales: Tensor, share: float) -> None:
    """A hint if the share is not that of the gauge, with the reader's own scales."""
    one = case.group.identity()
    given, least = case.error(one), case.error(scales)
    if _near(share, 1 - least / given):
        return

    def other(**options: Any) -> float:
        return 1 - case.error(scales, **options) / case.error(one, **options)

    mistakes = {
        "that is the share that is left in your gauge; the rest of the error is gauge.": least
        / given,
        "upside down: divide by the error as given.": 1 - given / least,
        "that is by what factor the error falls; a share of it is asked for.": given / least,
        "that is an amount; divide it by the error as given.": given - least,
        "that is the share of the squared error; the norm is asked for.": 1 - (least / given) ** 2,
        "a share, please, not a percentage.": 100 * (1 - least / given),
        "the biases stay as they are: that is with them rounded.": other(biases=True),
        "one step for each tensor: that is with one for each row.": other(per_channel=True),
    }
    if case.bits != 8:
        mistakes[f"that is for 8 bits, and here they are {case.bits}."] = other(bits=8)
    recognise(share, mistakes, _near)
    raise WrongAnswer(
        f"as given the error is {given:.4g}, with your scales {least:.4g}: a share "
        f"{1 - least / given:.4f} is gone, and you say {share:.4g}."
    )


def _near(found: float, wrong: float) -> bool:
    return close(found, wrong, NEAR, size=1.0)
