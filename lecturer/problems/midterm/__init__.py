"""The mid-term: chapters 1 to 4, one point a minute."""

from itertools import pairwise

import torch

import gaugelib as gl
from tools.teach import Exam

EXAM = Exam(
    title="Mid-term",
    minutes=90,
    aids="one sheet of your own notes, and a pocket calculator",
    covers="chapters 1 to 4: the symmetry, the lightest network, conservation, the pairing",
)


def shallow(weights, biases, outgoing):
    """The parameters of a network with one input, one hidden layer and one output."""
    return {
        "0.weight": torch.tensor(weights, dtype=torch.float64).reshape(-1, 1),
        "0.bias": torch.tensor(biases, dtype=torch.float64),
        "2.weight": torch.tensor(outgoing, dtype=torch.float64).reshape(1, -1),
    }


def layered(*widths):
    """The group of a layered ReLU network without a bias at its output."""
    layers = []
    for k, (before, after) in enumerate(pairwise(widths)):
        layers += [torch.nn.Linear(before, after, bias=k < len(widths) - 2), torch.nn.ReLU()]
    return gl.mlp_group(torch.nn.Sequential(*layers[:-1]).double())
