"""Learning in continuous time: the modulated, regularised gradient flows, and their integrators."""

from gaugelib.flow.coordinates import flat_coordinates as flat_coordinates
from gaugelib.flow.coordinates import from_flat_coordinates as from_flat_coordinates
from gaugelib.flow.integrate import gradient_flow as gradient_flow
from gaugelib.flow.trajectory import Trajectory as Trajectory
