"""Gauges other than that of the smallest norm, and what quantising sees of a gauge.

Read `coefficients`, one solver for every gauge; `measured`, what was measured on trained networks.
Other packages import the names below.
"""

from gaugelib.gauges.coefficients import balance_coefficients as balance_coefficients
from gaugelib.gauges.measured import measured as measured
