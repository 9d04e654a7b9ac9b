"""Gauges other than that of the smallest norm, and what quantising sees of a gauge.

Read `coefficients`, one solver for every gauge; `derivatives` and `gauss_newton`, what can be
balanced besides norms; `quantise`, weights of few bits; `rounding`, what that does to the outputs,
and the gauge in which it does least; `measured`, what was measured on trained networks. Other
packages import the names below.
"""

from gaugelib.gauges.coefficients import balance_coefficients as balance_coefficients
from gaugelib.gauges.derivatives import gradient_square as gradient_square
from gaugelib.gauges.derivatives import hessian_diagonal as hessian_diagonal
from gaugelib.gauges.gauss_newton import gauss_newton_diagonal as gauss_newton_diagonal
from gaugelib.gauges.measured import mean_error as mean_error
from gaugelib.gauges.measured import measured as measured
from gaugelib.gauges.measured import measured_rows as measured_rows
from gaugelib.gauges.quantise import quantise as quantise
from gaugelib.gauges.rounding import rounding_error as rounding_error
from gaugelib.gauges.rounding import rounding_gauge as rounding_gauge
