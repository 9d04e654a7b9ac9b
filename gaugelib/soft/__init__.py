"""Soft gauge fixing: coordinates on an orbit, a penalty that acts along it, and its relaxation.

Read `ratios`, u = log(r/s) of each unit; `penalty`; `adapted`, the gauge-adapted coordinates;
`relaxation` along the orbit and `vertical` projection, which like them stand on the matrix in
`adjacency`; `stability`, what was measured. Other packages import the names below.
"""

from gaugelib.soft.adapted import GaugeCoordinates as GaugeCoordinates
from gaugelib.soft.adapted import from_gauge_coordinates as from_gauge_coordinates
from gaugelib.soft.adapted import gauge_coordinates as gauge_coordinates
from gaugelib.soft.penalty import soft_penalty as soft_penalty
from gaugelib.soft.penalty import soft_step as soft_step
from gaugelib.soft.ratios import log_ratio as log_ratio
from gaugelib.soft.relaxation import SoftFlow as SoftFlow
from gaugelib.soft.relaxation import rates as rates
from gaugelib.soft.relaxation import soft_flow as soft_flow
from gaugelib.soft.stability import measured as measured
from gaugelib.soft.stability import stability as stability
from gaugelib.soft.vertical import vertical as vertical
