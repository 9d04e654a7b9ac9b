"""Second derivatives of a loss: as a dense matrix, and as a product that never forms one.

Read `dense`; `product`, the Hessian times a direction, from one graph that is kept; `largest`, its
largest eigenvalue, by the solver in `eigensolver`; `trace`, by random probes; `identity`, what the
symmetry says of the Hessian; `edge`, gradient descent on two weights as a map; `trained`, what was
measured on trained networks. Other packages import the names below.
"""

from gaugelib.curvature.dense import hessian as hessian
from gaugelib.curvature.edge import edge_path as edge_path
from gaugelib.curvature.identity import curvature_residual as curvature_residual
from gaugelib.curvature.largest import sharpness as sharpness
from gaugelib.curvature.product import HessianProduct as HessianProduct
from gaugelib.curvature.product import hessian_product as hessian_product
from gaugelib.curvature.trace import Trace as Trace
from gaugelib.curvature.trace import hessian_trace as hessian_trace
from gaugelib.curvature.trained import gauge_share as gauge_share
from gaugelib.curvature.trained import trained_pairs as trained_pairs
from gaugelib.curvature.trained import trained_sharpness as trained_sharpness
