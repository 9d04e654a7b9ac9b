"""Checkers for the book's exercises: the same verdict in a notebook, in Colab and under pytest.

Each checker takes the reader's answer (a function, or a dictionary of answers), tests it against
the definition on fresh random networks, and returns a `Verdict` that names the likely mistake.
Numbers may be Python's, numpy's or torch's, in float32 or float64; whatever else comes, an error
in the reader's function too, gets a hint. Only an interrupt goes through.
"""

from gaugelib.check.conservation import drift_order as drift_order
from gaugelib.check.conservation import flow_end as flow_end
from gaugelib.check.conservation import flow_path as flow_path
from gaugelib.check.conservation import layer_charges as layer_charges
from gaugelib.check.conservation import stream_charges as stream_charges
from gaugelib.check.conservation import weight_rate as weight_rate
from gaugelib.check.control import egd_step as egd_step
from gaugelib.check.control import fixes_gauge as fixes_gauge
from gaugelib.check.control import gain_share as gain_share
from gaugelib.check.layers import recover_scales as recover_scales
from gaugelib.check.layers import rescale_gradients as rescale_gradients
from gaugelib.check.layers import rescale_layers as rescale_layers
from gaugelib.check.minimum_norm import alive as alive
from gaugelib.check.minimum_norm import layer_scales as layer_scales
from gaugelib.check.minimum_norm import predicted_share as predicted_share
from gaugelib.check.minimum_norm import refutation as refutation
from gaugelib.check.minimum_norm import steps_needed as steps_needed
from gaugelib.check.minimum_norm import update_scales as update_scales
from gaugelib.check.pairing import halving_epochs as halving_epochs
from gaugelib.check.pairing import keeps_gauge as keeps_gauge
from gaugelib.check.pairing import lost_share as lost_share
from gaugelib.check.penalty import massive_modes as massive_modes
from gaugelib.check.penalty import mirror_charge as mirror_charge
from gaugelib.check.penalty import two_eigenvalues as two_eigenvalues
from gaugelib.check.soft_gauge import circle_factor as circle_factor
from gaugelib.check.soft_gauge import largest_step as largest_step
from gaugelib.check.soft_gauge import penalty_gradients as penalty_gradients
from gaugelib.check.soft_gauge import relaxation_time as relaxation_time
from gaugelib.check.symmetry import ACTIVATIONS as ACTIVATIONS
from gaugelib.check.symmetry import balance as balance
from gaugelib.check.symmetry import gauge_dimension as gauge_dimension
from gaugelib.check.symmetry import homogeneity as homogeneity
from gaugelib.check.symmetry import outgoing_factor as outgoing_factor
from gaugelib.check.tangency import off_orbit_share as off_orbit_share
from gaugelib.check.tangency import own_penalty as own_penalty
from gaugelib.check.verdict import Verdict as Verdict

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
