"""How a checker asks the reader's function.

Only here and in `forms` is anything of the reader's called, looked into or compared: beyond are
plain numbers, float64 tensors and lists of them.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gaugelib.check.forms import calmly, read, told
from gaugelib.check.verdict import WrongAnswer
from gaugelib.group import GaugeGroup


def answer_of(
    function: Callable[..., Any],
    *arguments: Any,
    like: Any,
    ask: str | None = None,
    pure: bool = False,
) -> Any:
    """Call the reader's function and read its answer.

    Args:
        function: the reader's; it is handed copies, so that it cannot write into the checker's.
        arguments: what it is called with.
        like: an answer of the form that is asked for, see `read`.
        ask: what to return, see `read`.
        pure: whether it may not write into its arguments.
    """
    given = copied(list(arguments))
    answer = called(function, *given)
    if pure and not calmly(lambda: _untouched(given, list(arguments))):
        raise WrongAnswer("your function wrote into its arguments; return new tensors.")
    return read(answer, like, ask)


def called(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the reader's function returns; an error or an unfilled stub becomes a hint.

    Only the reader's own interrupt goes through: it is how an endless loop is stopped.
    """
    if not callable(function):
        raise WrongAnswer(f"hand over the function itself, not {type(function).__name__}.")
    name = calmly(lambda: str(function.__name__), "your function")
    try:
        answer = function(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # it may fail in any way, `exit()` too; say how, and stay calm
        place = calmly(partial(_place, error, function), "")
        raise WrongAnswer(f"{name} stopped with {told(error)}{place}.") from error
    if calmly(lambda: inspect.iscoroutine(answer)):
        answer.close()  # else Python warns that it was never awaited
        raise WrongAnswer(f"{name} returned a promise; define it by def, without async.")
    if answer is None or answer is Ellipsis:
        raise WrongAnswer(f"{name} returned nothing yet; replace the dots by your answer.")
    return answer


def copied(value: Any) -> Any:
    """The same value, of which nothing is shared that can be written into."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, list | tuple):
        return type(value)(copied(part) for part in value)
    if isinstance(value, dict):
        return {name: copied(part) for name, part in value.items()}
    if isinstance(value, GaugeGroup):
        own = {
            name: replace(entry, target=entry.target.clone(), source=entry.source.clone())
            for name, entry in value.entries.items()
        }
        return replace(value, entries=own)
    return value


def _untouched(given: Any, kept: Any) -> bool:
    if isinstance(kept, Tensor):
        return isinstance(given, Tensor) and given.dtype == kept.dtype and torch.equal(given, kept)
    if isinstance(kept, dict):
        same = isinstance(given, dict) and list(given) == list(kept)
        return same and all(_untouched(given[name], kept[name]) for name in kept)
    if isinstance(kept, list):
        same = isinstance(given, list) and len(given) == len(kept)
        return same and all(_untouched(g, k) for g, k in zip(given, kept, strict=True))
    return True


def _place(error: BaseException, function: Callable[..., Any]) -> str:
    """The last line of the reader's own that the error went through."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == inspect.unwrap(function).__code__.co_filename
    ]
    return f", in line {own[-1].lineno}: {own[-1].line}" if own and own[-1].line else ""
