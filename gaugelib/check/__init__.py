"""Checkers for the book's exercises: the same verdict in a notebook, in Colab and under pytest.

Each checker takes the reader's answer (a function, or a dictionary of answers), tests it against
the definition on fresh random networks, and returns a `Verdict` that names the likely mistake.
Numbers may be Python's, numpy's or torch's, in float32 or float64; whatever else comes, an error
in the reader's function too, gets a hint. Only an interrupt goes through.

A chapter's checkers are in the file, or the folder of files, that is called like its notebook: add
one there, name it below, and its tests in the same place in `tests/check`. They ask by `answer` and
`forms`, draw by `fresh` and end in a `verdict`; they may import from any floor below.
"""

from gaugelib.check.beyond_neurons.counts import transformer_dials as transformer_dials
from gaugelib.check.beyond_neurons.lightest import has_lightest as has_lightest
from gaugelib.check.beyond_neurons.lightest import safe_exponents as safe_exponents
from gaugelib.check.beyond_neurons.values import value_scales as value_scales
from gaugelib.check.conservation import drift_order as drift_order
from gaugelib.check.conservation import flow_end as flow_end
from gaugelib.check.conservation import flow_path as flow_path
from gaugelib.check.conservation import layer_charges as layer_charges
from gaugelib.check.conservation import stream_charges as stream_charges
from gaugelib.check.conservation import weight_rate as weight_rate
from gaugelib.check.minimum_norm import alive as alive
from gaugelib.check.minimum_norm import layer_scales as layer_scales
from gaugelib.check.minimum_norm import predicted_share as predicted_share
from gaugelib.check.minimum_norm import refutation as refutation
from gaugelib.check.minimum_norm import steps_needed as steps_needed
from gaugelib.check.minimum_norm import update_scales as update_scales
from gaugelib.check.pairing.decay import halving_epochs as halving_epochs
from gaugelib.check.pairing.decay import keeps_gauge as keeps_gauge
from gaugelib.check.pairing.decay import lost_share as lost_share
from gaugelib.check.pairing.experiment import egd_step as egd_step
from gaugelib.check.pairing.experiment import fixes_gauge as fixes_gauge
from gaugelib.check.pairing.experiment import gain_share as gain_share
from gaugelib.check.pairing.experiment import norms_after as norms_after
from gaugelib.check.pairing.penalties import massive_modes as massive_modes
from gaugelib.check.pairing.penalties import mirror_charge as mirror_charge
from gaugelib.check.pairing.penalties import two_eigenvalues as two_eigenvalues
from gaugelib.check.second_order.constraints import fastest_exit as fastest_exit
from gaugelib.check.second_order.constraints import homogeneous_product as homogeneous_product
from gaugelib.check.second_order.orbit import orbit_curvature as orbit_curvature
from gaugelib.check.second_order.orbit import zero_modes as zero_modes
from gaugelib.check.second_order.sharpness import balancing_step as balancing_step
from gaugelib.check.second_order.sharpness import gauge_share as gauge_share
from gaugelib.check.soft_gauge.quadratic import circle_factor as circle_factor
from gaugelib.check.soft_gauge.quadratic import largest_step as largest_step
from gaugelib.check.soft_gauge.quadratic import penalty_gradients as penalty_gradients
from gaugelib.check.soft_gauge.quadratic import relaxation_time as relaxation_time
from gaugelib.check.soft_gauge.tangency import off_orbit_share as off_orbit_share
from gaugelib.check.soft_gauge.tangency import own_penalty as own_penalty
from gaugelib.check.symmetry.layers import recover_scales as recover_scales
from gaugelib.check.symmetry.layers import rescale_gradients as rescale_gradients
from gaugelib.check.symmetry.layers import rescale_layers as rescale_layers
from gaugelib.check.symmetry.neurons import ACTIVATIONS as ACTIVATIONS
from gaugelib.check.symmetry.neurons import balance as balance
from gaugelib.check.symmetry.neurons import gauge_dimension as gauge_dimension
from gaugelib.check.symmetry.neurons import homogeneity as homogeneity
from gaugelib.check.symmetry.neurons import outgoing_factor as outgoing_factor
from gaugelib.check.two_symmetries.angles import page_angle as page_angle
from gaugelib.check.two_symmetries.barriers import spine_speeds as spine_speeds
from gaugelib.check.two_symmetries.barriers import two_channel_barrier as two_channel_barrier
from gaugelib.check.two_symmetries.pages import homomorphism_count as homomorphism_count
from gaugelib.check.two_symmetries.pages import page_projection as page_projection
from gaugelib.check.two_symmetries.traps import no_trap as no_trap
from gaugelib.check.verdict import Verdict as Verdict
from gaugelib.check.which_gauge.coefficients import balanced_unit as balanced_unit
from gaugelib.check.which_gauge.coefficients import gradient_gauge as gradient_gauge
from gaugelib.check.which_gauge.coefficients import trace_gauge as trace_gauge
from gaugelib.check.which_gauge.drift import resting_imbalance as resting_imbalance
from gaugelib.check.which_gauge.rounding import layer_errors as layer_errors
from gaugelib.check.which_gauge.share import rounding_share as rounding_share
