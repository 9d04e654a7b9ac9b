"""What a peer that equalises networks answers: a line of JSON for each question.

The question is the name of a network, a file with its weights and one for those found.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable

import torch
from networks import load
from torch import Tensor, nn

Equalise = Callable[[str, nn.Module, Tensor], dict[str, Tensor]]


def serve(equalise: Equalise, *, folds: bool = False) -> None:
    """Answer until the input ends. What a library prints goes to the errors' stream.

    Args:
        equalise: gives the weights found for a network, from its name, the network itself, which it
            may change, and inputs.
        folds: whether it writes normalisations into convolutions itself; else it finds it done.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(json.dumps(torch.__version__), file=answers, flush=True)
    for line in sys.stdin:
        name, source, target = json.loads(line)
        stored = torch.load(source)
        model = load(name, stored["weights"], folded=not folds)
        began = time.perf_counter()
        try:
            found = equalise(name, model, stored["inputs"])
        except Exception as error:  # a refusal is a result
            text = " ".join(f"{type(error).__name__}: {error}".split())
            print(json.dumps({"refused": text[:160]}), file=answers, flush=True)
            continue
        seconds = time.perf_counter() - began
        torch.save({key: value.detach() for key, value in found.items()}, target)
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)
