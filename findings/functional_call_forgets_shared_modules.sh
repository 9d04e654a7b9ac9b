#!/usr/bin/env bash
# torch.func.functional_call leaves the model changed when a module can be reached by two paths.
#
# Version: torch 2.13.0 (CPU).
# Behaviour: a module is registered as `encoder` and again inside `net`. One call at other parameters, and afterwards
#   the model holds those parameters, as plain tensors: `named_parameters` still lists them by name, but they are no
#   longer nn.Parameter objects, an optimizer made before goes on with tensors that the model has forgotten, and
#   the model computes another function. A parameter that two *different* modules share is put back correctly.
# Why it matters here: evaluating a network at rescaled parameters is what every page of this book does.
# Remedy: pass `tie_weights=False` and name each (module, attribute) once; gaugelib.functional_call restores all itself.
# Upstream: reported as pytorch/pytorch#164759; a repair was proposed in #195593.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5
"$folder/venv/bin/python" - <<'END'
import torch
from torch import nn
from torch.func import functional_call


class TwoPaths(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(2, 3)
        self.net = nn.Sequential(self.encoder, nn.ReLU(), nn.Linear(3, 1))

    def forward(self, x):
        return self.net(x)


def after_one_call(tie_weights):
    torch.manual_seed(0)
    model, x = TwoPaths(), torch.ones(1, 2)
    before = model(x)
    doubled = {name: 2 * value.detach() for name, value in model.named_parameters()}
    functional_call(model, doubled, (x,), tie_weights=tie_weights)
    kept = isinstance(model.encoder.weight, nn.Parameter)
    print(f"tie_weights={tie_weights}: still a Parameter: {kept}; same output: {torch.equal(model(x), before)}")
    return kept and torch.equal(model(x), before)


assert not after_one_call(True), "mended: the default now restores the model"
assert after_one_call(False)
END
# Output seen:
#   tie_weights=True: still a Parameter: False; same output: False
#   tie_weights=False: still a Parameter: True; same output: True
