"""What a gauge transformation does change, and the gauge in which it is smallest.

`norms` measures, `landscape` looks at the norm along the orbit, `minimum` finds where it is
smallest and returns a `result`; how it is found stands in `solver`.
"""

from gaugelib.balance.landscape import auxiliary as auxiliary
from gaugelib.balance.landscape import laplacian as laplacian
from gaugelib.balance.landscape import objective as objective
from gaugelib.balance.landscape import predicted_saving as predicted_saving
from gaugelib.balance.minimum import minimum_norm as minimum_norm
from gaugelib.balance.norms import imbalance as imbalance
from gaugelib.balance.norms import incoming_norm as incoming_norm
from gaugelib.balance.norms import outgoing_norm as outgoing_norm
from gaugelib.balance.norms import relative_imbalance as relative_imbalance
from gaugelib.balance.norms import weight_norm as weight_norm
from gaugelib.balance.result import History as History
from gaugelib.balance.result import MinimumNorm as MinimumNorm
