"""The gauge (rescaling) symmetry of positively homogeneous neural networks."""

# isort: off
# the group and how to find it
from gaugelib.group import Entry as Entry
from gaugelib.group import GaugeError as GaugeError
from gaugelib.group import GaugeGroup as GaugeGroup
from gaugelib.mlp import mlp_group as mlp_group
from gaugelib.tracing import trace_group as trace_group

# the group acting on parameters
from gaugelib.action import generator as generator
from gaugelib.action import orbit as orbit
from gaugelib.action import rescale as rescale

# what the action changes
from gaugelib.balance import imbalance as imbalance
from gaugelib.balance import incoming_norm as incoming_norm
from gaugelib.balance import outgoing_norm as outgoing_norm
from gaugelib.balance import relative_imbalance as relative_imbalance
from gaugelib.balance import weight_norm as weight_norm
from gaugelib.curvature import hessian as hessian
from gaugelib.curvature import hessian_trace as hessian_trace
from gaugelib.curvature import sharpness as sharpness

# the gauge in which the norm is smallest
from gaugelib.balance import MinimumNorm as MinimumNorm
from gaugelib.balance import laplacian as laplacian
from gaugelib.balance import minimum_norm as minimum_norm
from gaugelib.balance import predicted_saving as predicted_saving
from gaugelib.optim import minimum_norm_ as minimum_norm_

# other gauges, by the same solver
from gaugelib.gauges import balance_coefficients as balance_coefficients

# what learning conserves
from gaugelib.flow import Trajectory as Trajectory
from gaugelib.flow import gradient_flow as gradient_flow
from gaugelib.noether import charge as charge
from gaugelib.noether import ward_residual as ward_residual

# training in a gauge
from gaugelib.optim import EGD as EGD
from gaugelib.optim import GaugeFixing as GaugeFixing

# soft gauge fixing
from gaugelib.soft import from_gauge_coordinates as from_gauge_coordinates
from gaugelib.soft import gauge_coordinates as gauge_coordinates
from gaugelib.soft import log_ratio as log_ratio
from gaugelib.soft import soft_penalty as soft_penalty
from gaugelib.soft import soft_step as soft_step

# models and their parameters
from gaugelib.modules import functional_call as functional_call
from gaugelib.modules import load_params_ as load_params_
from gaugelib.modules import params_of as params_of
from gaugelib.networks import hat as hat
# isort: on

__version__ = "0.1.0"

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    name
    for name, thing in list(globals().items())
    if getattr(thing, "__module__", "").startswith("gaugelib.")
]
