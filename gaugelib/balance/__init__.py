"""What a gauge transformation does change, and the gauge in which it is smallest.

Read `norms`, which measures; `landscape`, the norm along the orbit; `minimum`, which finds where it
is smallest; `result`, what that returns; then `solver`, how it is found. Other packages import the
names below; only `optim` and `gauges` look into `solver`.
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
