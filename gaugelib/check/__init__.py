"""Checkers for the book's exercises: the same verdict in a notebook, in Colab and under pytest.

Each checker takes the reader's answer (a function, or a dictionary of answers), tests it against
the definition on fresh random networks, and returns a `Verdict` that names the likely mistake.
Numbers may be Python's, numpy's or torch's, in float32 or float64; whatever else comes, an error
in the reader's function too, gets a hint. Only an interrupt goes through.

A chapter's checkers are in the file, or the folder of files, that is called like its notebook: add
one there, name it below, and its tests in the same place in `tests/check`. They ask by `answer` and
`forms`, draw by `fresh` and end in a `verdict`; they may import from any floor below.
"""

from gaugelib.check.conservation import (
    drift_order,
    flow_end,
    flow_path,
    layer_charges,
    stream_charges,
    weight_rate,
)
from gaugelib.check.minimum_norm import (
    alive,
    layer_scales,
    predicted_share,
    refutation,
    steps_needed,
    update_scales,
)
from gaugelib.check.pairing.decay import halving_epochs, keeps_gauge, lost_share
from gaugelib.check.pairing.experiment import egd_step, fixes_gauge, gain_share
from gaugelib.check.pairing.penalties import massive_modes, mirror_charge, two_eigenvalues
from gaugelib.check.soft_gauge.quadratic import (
    circle_factor,
    largest_step,
    penalty_gradients,
    relaxation_time,
)
from gaugelib.check.soft_gauge.tangency import off_orbit_share, own_penalty
from gaugelib.check.symmetry.layers import recover_scales, rescale_gradients, rescale_layers
from gaugelib.check.symmetry.neurons import (
    ACTIVATIONS,
    balance,
    gauge_dimension,
    homogeneity,
    outgoing_factor,
)
from gaugelib.check.verdict import Verdict

__all__ = [
    "ACTIVATIONS",
    "Verdict",
    "alive",
    "balance",
    "circle_factor",
    "drift_order",
    "egd_step",
    "fixes_gauge",
    "flow_end",
    "flow_path",
    "gain_share",
    "gauge_dimension",
    "halving_epochs",
    "homogeneity",
    "keeps_gauge",
    "largest_step",
    "layer_charges",
    "layer_scales",
    "lost_share",
    "massive_modes",
    "mirror_charge",
    "off_orbit_share",
    "outgoing_factor",
    "own_penalty",
    "penalty_gradients",
    "predicted_share",
    "recover_scales",
    "refutation",
    "relaxation_time",
    "rescale_gradients",
    "rescale_layers",
    "steps_needed",
    "stream_charges",
    "two_eigenvalues",
    "update_scales",
    "weight_rate",
]
