"""A model is run on stand-ins, in a copy of its own, and what it leaves behind is looked at."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gaugelib.group import GaugeError
from gaugelib.tracing.answer import let_answer
from gaugelib.tracing.contents import kept_tensors, strip_tensors
from gaugelib.tracing.errors import explained, first_line
from gaugelib.tracing.randomness import cuda_devices, same_draws, watched_draws
from gaugelib.tracing.run import Run
from gaugelib.tracing.side_effects import fingerprints, forget, refuse_changed
from gaugelib.tracing.standin import parameter

Rule = Callable[..., Any]
Rules = Mapping[type[nn.Module], Rule]


def followed(
    model: nn.Module, inputs: tuple[Tensor, ...], rules: Rules,
    finish: Callable[[Run, Any], None] = lambda run, outputs: None, bare: nn.Module | None = None,
) -> Run:  # fmt: skip
    """The run of a model on stand-ins.

    It runs in a copy whose parameters hold no values. So nothing can leak out of a parameter
    unseen, and the model stays as it is.

    Args:
        model: the model.
        inputs: what it is called with; only shapes, dtypes and devices are looked at.
        rules: what modules of these types do, in place of running them.
        finish: called with the run and the outputs while they are there.
        bare: a copy to run in.

    Raises:
        GaugeError: with the place, if the forward cannot be followed.
    """
    bare = stood_in(model) if bare is None else bare
    run = Run(model)
    let_answer(bare, rules, run)
    before = fingerprints(bare)
    frozen = _freeze()
    try:
        with (
            torch.inference_mode(False), torch.no_grad(),
            watched_draws(cuda_devices(model)) as drawn, run.places.watching(bare), run,
        ):  # fmt: skip
            made = [run.input(value) for value in inputs]
            outputs = bare(*made)
        if run.refused:
            raise run.refused
        finish(run, outputs)
        if drawn - {"torch"}:
            raise GaugeError(
                f"the forward draws random numbers in Python (from {' and '.join(sorted(drawn))}), "
                "so that its next call may compute something else; draw outside and pass it in"
            )
        del outputs, made
        refuse_changed(before, fingerprints(bare), bool(run.alive()))
    except GaugeError:
        raise
    except Exception as error:
        if run.refused:
            raise run.refused from error
        where = f"the forward of '{run.places.path or type(model).__name__}'"
        raise GaugeError(f"{where} cannot be run on stand-ins: {explained(error)}") from error
    finally:
        kept = run.alive()
        if frozen:
            gc.unfreeze()
        forget(kept)
    return run


def _freeze() -> bool:
    """Keep what there is out of the search for garbage, which would take longer than the forward.

    Returns:
        Whether it was frozen here: what somebody else has frozen stays as it is.
    """
    if gc.get_freeze_count():
        return False
    gc.freeze()
    return True


def stood_in(model: nn.Module) -> nn.Module:
    """A copy of a model with stand-ins for its parameters."""
    memo: dict[int, Any] = {}
    for name, value in model.named_parameters():
        memo[id(value)] = parameter(name, value)
    return copied(model, memo)


def copied(model: nn.Module, memo: dict[int, Any]) -> nn.Module:
    """A copy of a model in which some objects, by their `id`, are replaced."""
    for value in model.buffers():
        memo.setdefault(id(value), value.detach().clone())
    try:
        return copy.deepcopy(model, memo)
    except Exception as error:
        raise GaugeError(f"the model cannot be copied: {first_line(error)}") from error


def refuse_refilled(model: nn.Module, inputs: tuple[Tensor, ...], rules: Rules) -> None:
    """A tensor that the forward makes again when it is missing is left by an earlier call.

    So the answer is the same before and after a first call. What the forward does not make again
    is a constant, and then this run fails or changes nothing.
    """
    plain = [(n, key) for n, module in model.named_modules() for key in kept_tensors(module)]
    for leave_none in (True, False) if plain else ():
        bare = stood_in(model)
        for module in bare.modules():
            strip_tensors(module, leave_none=leave_none)
        try:
            followed(model, inputs, rules, bare=bare)
        except GaugeError as error:
            if any(f"changes its own attribute '{key}" in str(error) for _, key in plain):
                raise


def refuse_failing(model: nn.Module, inputs: tuple[Tensor, ...], error: GaugeError) -> None:
    """If the forward raised on stand-ins: does it on tensors that have values?"""
    tensors = (*model.parameters(), *model.buffers(), *inputs)
    if error.__cause__ is None or any(value.is_meta for value in tensors):
        return
    try:
        with torch.no_grad(), same_draws(cuda_devices(model)):
            copied(model, {})(*(value.clone() for value in inputs))
    except Exception as own:
        raise GaugeError(
            f"the model cannot be evaluated on the example, so that it cannot be traced: "
            f"{type(own).__name__}: {first_line(own)}; check that model(*example) runs"
        ) from own
