"""How a checker reads an answer: in any form that holds it, and with a hint where none does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gaugelib.check.verdict import WrongAnswer

LONGEST = 1000  # no answer of the book has more parts; what is longer is not read


class _Misfit(Exception):
    """What a reader handed in, in words, where it does not have the form that was asked for."""


def read(answer: Any, like: Any, ask: str | None = None) -> Any:
    """An answer in the form of another one, or a hint that says what is asked for.

    Args:
        answer: anything. Numbers may be Python's, numpy's or torch's, of any precision from
            float32, and whatever `float` takes; arrays may also be lists or tuples of those.
        like: `True` for a truth value, a float or a tensor of one entry for a number, a tensor for
            its shape (ones in it do not count), a list for as many parts, each like its own.
        ask: the hint for another form; one is made from `like` if `None`.

    Returns:
        A bool, a float, a float64 tensor or a list of such.

    Example:
        >>> read(np.float32(0.5), like=1.0), read([torch.tensor(2), 3], like=torch.zeros(2))
        (0.5, tensor([2., 3.], dtype=torch.float64))
    """
    ask = ask or _asked(like)
    try:
        found = _fitted(answer, like)
    except KeyboardInterrupt:
        raise
    except _Misfit as misfit:
        raise WrongAnswer(f"{ask}; yours is {misfit}.") from misfit
    except BaseException as error:  # the answer's own code, which may fail in any way
        raise WrongAnswer(f"{ask}; yours cannot be read: {told(error)}.") from error
    _finite(found)
    return found


def says_no(answer: Any) -> bool:
    """Whether an answer is False, of whatever type."""
    return calmly(lambda: not _fitted(answer, True), False)


def entries(answer: Any, names: Sequence[str]) -> dict[str, Any] | None:
    """What a dictionary says about these names; `None` if it is none."""

    def look() -> dict[str, Any] | None:
        if not isinstance(answer, Mapping):
            return None
        return {name: answer[name] for name in names if name in answer}

    return calmly(look)


def calmly(look: Callable[[], Any], otherwise: Any = None) -> Any:
    """What looking at something of the reader's gives; another value where that fails."""
    try:
        return look()
    except KeyboardInterrupt:
        raise
    except BaseException:
        return otherwise


def told(error: BaseException) -> str:
    """An error as one line."""
    text = calmly(lambda: str(error), "").strip().partition("\n")[0]
    text = text if len(text) <= 200 else text[:199] + "…"
    return f"{type(error).__name__}: {text}".removesuffix(".").removesuffix(": ")


def _fitted(answer: Any, like: Any) -> Any:
    if isinstance(like, list | tuple):
        parts = zip(_parts(answer, len(like)), like, strict=True)
        return [
            _part(k, partial(_fitted, like=wanted), part)
            for k, (part, wanted) in enumerate(parts, start=1)
        ]
    value = _tensor(answer)
    if isinstance(like, bool):
        if value.numel() != 1 or float(value) not in (0.0, 1.0):
            raise _Misfit(_described(answer))
        return bool(value)
    shape = tuple(like.shape) if isinstance(like, Tensor) else ()
    if [n for n in value.shape if n != 1] != [n for n in shape if n != 1]:
        raise _Misfit(_described(answer))
    if not shape and value.dtype == torch.bool:
        raise _Misfit("True or False")
    value = value.to(torch.float64)
    return value.reshape(shape) if shape else float(value)


def _part(number: int, look: Callable[[Any], Any], answer: Any) -> Any:
    try:
        return look(answer)
    except _Misfit as misfit:
        raise _Misfit(f"a list whose part {number} is {misfit}") from misfit


def _parts(answer: Any, count: int) -> Sequence[Any]:
    """As many parts as are asked for: of a list, or the rows of an array."""
    rows = isinstance(answer, np.ndarray | Tensor) and answer.ndim > 0
    if not (rows or isinstance(answer, list | tuple)) or len(answer) != count:
        raise _Misfit(_described(answer))
    return list(answer)


def _tensor(answer: Any, depth: int = 0) -> Tensor:
    """A boolean or a float64 tensor."""
    if isinstance(answer, Tensor):
        value = answer.detach().to("cpu").to_dense()
    elif isinstance(answer, np.ndarray | np.generic):
        value = _from_numpy(np.asarray(answer), depth)
    elif isinstance(answer, bool | complex):
        value = torch.tensor(answer)
    elif isinstance(answer, int | float):
        value = torch.tensor(answer, dtype=torch.float64)
    elif isinstance(answer, list | tuple):
        value = _stacked(answer, depth)
    elif hasattr(type(answer), "__array__"):
        value = _from_numpy(np.asarray(answer), depth)
    elif hasattr(type(answer), "__float__"):
        value = torch.tensor(float(answer), dtype=torch.float64)
    else:
        raise _Misfit(_described(answer))
    if value.is_complex():
        if not bool((value.imag.abs() <= 1e-6 * value.real.abs().max()).all()):
            raise _Misfit("complex")
        value = value.real
    if value.is_floating_point() and value.dtype not in (torch.float32, torch.float64):
        raise _Misfit(f"in {value.dtype}, which has too few digits: compute in float32 or float64")
    return value if value.dtype == torch.bool else value.to(torch.float64)


def _from_numpy(array: np.ndarray, depth: int) -> Tensor:
    if array.dtype.kind == "O" and depth < 4:
        return _tensor(array.tolist(), depth + 1)
    if array.dtype.kind not in "biufc":
        raise _Misfit(f"an array of {array.dtype}")
    kept = array.dtype in (np.bool_, np.float16, np.complex64, np.complex128)
    # a copy, for torch takes neither a read-only array nor one with negative strides
    return torch.from_numpy(np.array(array, dtype=array.dtype if kept else np.float64, order="C"))


def _stacked(answer: Sequence[Any], depth: int) -> Tensor:
    if len(answer) > LONGEST or depth > 3:
        raise _Misfit(_described(answer))
    look = partial(_tensor, depth=depth + 1)
    parts = [_part(k, look, part) for k, part in enumerate(answer, start=1)]
    if len({part.shape for part in parts}) > 1:
        raise _Misfit("a list of parts of different shapes")
    if not all(part.dtype == torch.bool for part in parts):
        parts = [part.to(torch.float64) for part in parts]
    return torch.stack(parts) if parts else torch.zeros(0, dtype=torch.float64)


def _finite(found: Any) -> None:
    if isinstance(found, list):
        for part in found:
            _finite(part)
        return
    value = torch.as_tensor(found, dtype=torch.float64)
    if bool(value.isnan().any()):
        raise WrongAnswer(
            "your answer is not a number (NaN): look for 0/0, or for the root or the logarithm of "
            "something negative."
        )
    if bool(value.isinf().any()):
        raise WrongAnswer("your answer is infinite: look for a division by zero or an overflow.")


def _asked(like: Any) -> str:
    if isinstance(like, bool):
        return "say True or False"
    if isinstance(like, list | tuple):
        return f"return a list of {len(like)} tensors"
    if not isinstance(like, Tensor) or like.ndim == 0:
        return "return one number"
    if like.ndim == 1:
        return f"return {len(like)} numbers, as a vector or a list"
    return f"return a tensor of shape {tuple(like.shape)}"


def _described(answer: Any) -> str:
    if isinstance(answer, Tensor | np.ndarray | np.generic) and answer.ndim:
        return f"of shape {tuple(answer.shape)}"
    if isinstance(answer, list | tuple):
        return f"a list of {len(answer)}"
    if isinstance(answer, bool | np.bool_):
        return "True or False"
    if isinstance(answer, int | float | np.number | Tensor):
        return "one number"
    if isinstance(answer, str):
        return "text"
    if isinstance(answer, Iterator):
        return f"a {type(answer).__name__}, which can be read only once: make a list of it"
    return f"of type {type(answer).__name__}"
