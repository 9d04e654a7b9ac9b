"""Learning in continuous time: the modulated, regularised gradient flows, and their integrators.

Read `integrate`, the way from a start to a `trajectory`; `field`, the velocity; `steps`, the three
integrators; `flat`, coordinates in which the metric of every such flow is flat. Other packages
import the names below.
"""

from gaugelib.flow.flat import flat_coordinates as flat_coordinates
from gaugelib.flow.flat import from_flat_coordinates as from_flat_coordinates
from gaugelib.flow.integrate import gradient_flow as gradient_flow
from gaugelib.flow.trajectory import Trajectory as Trajectory
