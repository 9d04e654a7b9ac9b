"""Global random generators, while a model runs: watched, repeated, and always restored."""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


def cuda_devices(model: nn.Module) -> list[torch.device]:
    """The CUDA devices that a model's parameters are on."""
    return list({p.device for p in model.parameters() if p.is_cuda})


@contextmanager
def same_draws(devices: Iterable[torch.device]) -> Iterator[None]:
    """Within it, torch draws the same every time; afterwards its generators are as they were."""
    devices = list(devices)
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(0)
        for device in devices:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(0)
        yield


@contextmanager
def watched_draws(devices: Iterable[torch.device]) -> Iterator[set[str]]:
    """Collects the names of the libraries that were drawn from; afterwards all are restored."""
    drawn: set[str] = set()
    numpy = sys.modules.get("numpy")

    def states() -> dict[str, Any]:
        own = {"torch": torch.random.get_rng_state().tolist(), "random": random.getstate()}
        return own | ({"numpy": numpy.random.get_state()} if numpy else {})

    before = states()
    try:
        with torch.random.fork_rng(devices=list(devices)):
            yield drawn
            drawn |= {k for k, v in states().items() if pickle.dumps(v) != pickle.dumps(before[k])}
    finally:
        random.setstate(before["random"])
        if numpy:
            numpy.random.set_state(before["numpy"])
