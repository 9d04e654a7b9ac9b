"""Which bytes tensors cover, whether they can be written, and writing that is not interrupted."""

from __future__ import annotations

import signal
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from math import gcd

import torch
from torch import Tensor

from gaugelib.group import GaugeError


@dataclass(frozen=True, eq=False)
class _Span:
    """The bytes from a tensor's first to its last; it may leave out some between them."""

    name: str
    device: str
    start: int
    stop: int
    steps: tuple[tuple[int, int], ...]  # (stride in bytes, size) where more than one byte follows
    width: int  # bytes of an entry

    @property
    def gapless(self) -> bool:
        reached = self.width
        for stride, size in sorted(self.steps):
            if stride != reached:
                return False
            reached *= size
        return True

    def meets(self, other: _Span) -> bool:
        return self.device == other.device and self.start < other.stop and other.start < self.stop


class Footprint:
    """The memory of tensors, byte by byte: strided ones may lie between one another.

    Tensors without memory of their own, sparse ones say, cover nothing. One on the meta device
    covers what it would if it had values.

    Attributes:
        shared: names of two of the tensors that have a byte in common, or `None`.

    Example:
        >>> flat = torch.zeros(6)
        >>> Footprint({"even": flat[::2], "odd": flat[1::2]}).shared is None
        True
        >>> Footprint({"left": flat[:4], "right": flat[3:]}).shared
        ('left', 'right')
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        spans = [span for name, value in tensors.items() if (span := _span(name, value))]
        self._devices = {span.device: _Row(spans, span.device) for span in spans}
        pair = next((p for row in self._devices.values() if (p := row.shared())), None)
        self.shared = pair and min(pair, pair[::-1], key=lambda p: list(tensors).index(p[0]))

    def owner(self, value: Tensor) -> str | None:
        """The name of a tensor that has a byte in common with this one, or `None`."""
        span = _span("", value)
        row = self._devices.get(span.device) if span else None
        return row.owner(span) if row and span else None


class _Row:
    """Spans on one device in the order of their starts."""

    def __init__(self, spans: Sequence[_Span], device: str) -> None:
        self.spans = sorted((s for s in spans if s.device == device), key=lambda s: s.start)
        self.starts = [span.start for span in self.spans]
        self.reached = list(accumulate((span.stop for span in self.spans), max))

    def owner(self, span: _Span) -> str | None:
        first = bisect_right(self.reached, span.start)
        last = bisect_left(self.starts, span.stop)
        near = (other for other in self.spans[first:last] if other.meets(span))
        return next((other.name for other in near if _common([other, span])), None)

    def shared(self) -> tuple[str, str] | None:
        first = 0
        for last, reached in enumerate(self.reached, start=1):
            if last < len(self.starts) and self.starts[last] < reached:
                continue
            if last - first > 1 and (pair := _common(self.spans[first:last])):
                return pair
            first = last
        return None


def refuse_unwritable(tensors: Mapping[str, Tensor], what: str = "parameter '{}'") -> None:
    """Refuse tensors that cannot all be written in place, each entry for itself.

    What numpy or a memory map calls read-only torch does not know, and so it is not seen here.

    Args:
        tensors: by name.
        what: what to call one, with room for its name.

    Raises:
        GaugeError: naming the tensor, and what to do.

    Example:
        >>> refuse_unwritable({"weight": torch.zeros(2, 1).expand(2, 3)})
        Traceback (most recent call last):
        gaugelib.group.GaugeError: parameter 'weight' cannot be written in place: several of its ...
    """
    for name, value in tensors.items():
        why = _unwritable(value)
        if why:
            raise GaugeError(f"{what.format(name)} cannot be written in place: {why}")
    shared = Footprint(tensors).shared
    if shared:
        one, other = map(what.format, shared)
        raise GaugeError(
            f"{one} and {other} share memory but are two tensors: what is written to one would "
            "change the other; give each its own by clone()"
        )


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Inside, an interruption from the keyboard waits for the end, so that no half is left.

    Python interrupts its main thread only; elsewhere, and where the signal is not Python's to
    handle, nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    waiting: list[tuple[int, object]] = []
    signal.signal(signal.SIGINT, lambda number, frame: waiting.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting:
            signal.raise_signal(signal.SIGINT)


def _unwritable(value: Tensor) -> str | None:
    if value.layout != torch.strided:
        return f"its layout is {value.layout}; call to_dense() on it first"
    if value.is_meta:
        return "it is on the meta device and has no values; load the model first"
    if value.is_inference() and not torch.is_inference_mode_enabled():
        return "it was made in torch.inference_mode; replace it by a clone() made outside"
    if not _entries_apart(value):
        return (
            "several of its entries are one number in memory, as expand() makes them; replace it "
            "by its clone(), whose entries are apart"
        )
    return None


def _entries_apart(value: Tensor) -> bool:
    reached = 0
    for stride, size in sorted(zip(value.stride(), value.shape)):
        if size > 1 and stride <= reached:
            span = _span("", value)
            return span is None or (stride > 0 and _cells([span])[1] == value.numel())
        reached += stride * (size - 1)
    return True


def _span(name: str, value: Tensor) -> _Span | None:
    width = value.element_size()
    device = str(value.device)
    try:
        start = value.data_ptr()
        if value.is_meta:
            start = 1 + int(value.storage_offset()) * width
            device = f"meta {value.untyped_storage()._cdata}"
    except (RuntimeError, NotImplementedError):  # sparse, or a subclass without memory of its own
        return None
    if not start or not value.numel():
        return None
    steps = tuple((s * width, n) for s, n in zip(value.stride(), value.shape) if n > 1 and s)
    stop = start + sum(stride * (size - 1) for stride, size in steps) + width
    return _Span(name, device, start, stop, steps, width)


def _common(spans: Sequence[_Span]) -> tuple[str, str] | None:
    """Two of these spans with a byte in common, if there are such."""
    if all(span.gapless for span in spans):
        pairs = ((a, b) for k, b in enumerate(spans) for a in spans[:k] if a.meets(b))
        return next(((a.name, b.name) for a, b in pairs), None)
    number, _ = _cells(spans)
    if number is None:
        return None
    before = (a for a in spans[:number] if a.meets(spans[number]))
    return next((a.name, spans[number].name) for a in before if _cells([a, spans[number]])[0])


def _cells(spans: Sequence[_Span]) -> tuple[int | None, int]:
    """Mark what spans cover on a map of their memory, in the largest cells that divide all.

    Returns:
        The number of the first span that meets one before it, and how many entries of the last
        one's width the map then holds.
    """
    low, high = min(s.start for s in spans), max(s.stop for s in spans)
    cell = gcd(*(n for s in spans for n in (s.start - low, s.width, *(k for k, _ in s.steps))))
    marks = torch.zeros((high - low) // cell, dtype=torch.bool, device="cpu")
    for number, span in enumerate(spans):
        sizes = [*(size for _, size in span.steps), span.width // cell]
        strides = [*(stride // cell for stride, _ in span.steps), 1]
        own = marks.as_strided(sizes, strides, (span.start - low) // cell)
        if bool(own.any()):
            return number, 0
        own.fill_(True)
    return None, int(marks.sum()) * cell // spans[-1].width
