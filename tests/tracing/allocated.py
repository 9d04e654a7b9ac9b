"""Bytes of memory, as torch's allocator counts them."""

from collections.abc import Callable
from itertools import accumulate

from torch.profiler import ProfilerActivity, profile


def most_bytes(run: Callable[[], object]) -> int:
    """The most that tensors made by it held at a time."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        kept = run()
    events = [e for e in profiled.profiler.kineto_results.events() if e.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    del kept
    return max(accumulate(event.nbytes() for event in events), default=0)
