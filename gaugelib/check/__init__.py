"""Checkers for the book's exercises: the same verdict in a notebook, in Colab and under pytest.

Each checker takes the reader's answer (a function, or a dictionary of answers), tests it against
the definition on fresh random networks, and returns a `Verdict` that names the likely mistake. It
never raises because of a wrong answer.
"""

from gaugelib.check.layers import recover_scales as recover_scales
from gaugelib.check.layers import rescale_gradients as rescale_gradients
from gaugelib.check.layers import rescale_layers as rescale_layers
from gaugelib.check.symmetry import ACTIVATIONS as ACTIVATIONS
from gaugelib.check.symmetry import balance as balance
from gaugelib.check.symmetry import gauge_dimension as gauge_dimension
from gaugelib.check.symmetry import homogeneity as homogeneity
from gaugelib.check.symmetry import outgoing_factor as outgoing_factor
from gaugelib.check.verdict import Verdict as Verdict

__all__ = [
    "ACTIVATIONS",
    "Verdict",
    "balance",
    "gauge_dimension",
    "homogeneity",
    "outgoing_factor",
    "recover_scales",
    "rescale_gradients",
    "rescale_layers",
]
