"""Soft gauge fixing: coordinates on an orbit, a penalty that acts along it, and its relaxation."""

from gaugelib.soft.coordinates import GaugeCoordinates as GaugeCoordinates
from gaugelib.soft.coordinates import from_gauge_coordinates as from_gauge_coordinates
from gaugelib.soft.coordinates import gauge_coordinates as gauge_coordinates
from gaugelib.soft.penalty import soft_penalty as soft_penalty
from gaugelib.soft.penalty import soft_step as soft_step
from gaugelib.soft.ratios import log_ratio as log_ratio
from gaugelib.soft.relaxation import SoftFlow as SoftFlow
from gaugelib.soft.relaxation import rates as rates
from gaugelib.soft.relaxation import soft_flow as soft_flow
from gaugelib.soft.stability import measured as measured
from gaugelib.soft.stability import stability as stability
from gaugelib.soft.vertical import vertical as vertical
