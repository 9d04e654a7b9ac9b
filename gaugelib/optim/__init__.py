"""Optimizers, and gauge fixing of models that are being trained.

`egd` and `in_place` stand alone. Of gauge fixing read `fixing` first: it looks by `totals`, nudges
by `mean_field`, rescales by `scale`, takes along what the optimizer remembers by `carry`, and asks
`held` whether the model is still the same. They import from `balance`, and from `balance.solver`
what reads and writes in pieces.
"""

from gaugelib.optim.egd import EGD as EGD
from gaugelib.optim.fixing import GaugeFixing as GaugeFixing
from gaugelib.optim.in_place import minimum_norm_ as minimum_norm_
