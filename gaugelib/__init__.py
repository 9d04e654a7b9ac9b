"""The gauge (rescaling) symmetry of positively homogeneous neural networks."""

# the group and how to find it
# the group acting on parameters
from gaugelib.action import generator as generator
from gaugelib.action import orbit as orbit
from gaugelib.action import rescale as rescale

# what the action changes
from gaugelib.balance import imbalance as imbalance
from gaugelib.balance import incoming_norm as incoming_norm
from gaugelib.balance import outgoing_norm as outgoing_norm
from gaugelib.balance import weight_norm as weight_norm
from gaugelib.build import mlp_group as mlp_group
from gaugelib.build import trace_group as trace_group
from gaugelib.curvature import hessian as hessian
from gaugelib.group import Entry as Entry
from gaugelib.group import GaugeError as GaugeError
from gaugelib.group import GaugeGroup as GaugeGroup

# models and their parameters
from gaugelib.modules import load_params_ as load_params_
from gaugelib.modules import params_of as params_of
from gaugelib.networks import hat as hat

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022 - grouped by purpose
    # the group and how to find it
    "Entry",
    "GaugeError",
    "GaugeGroup",
    "mlp_group",
    "trace_group",
    # the group acting on parameters
    "generator",
    "orbit",
    "rescale",
    # what the action changes
    "hessian",
    "imbalance",
    "incoming_norm",
    "outgoing_norm",
    "weight_norm",
    # models and their parameters
    "hat",
    "load_params_",
    "params_of",
]
