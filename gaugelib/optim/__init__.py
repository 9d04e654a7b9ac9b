"""Optimizers, and gauge fixing of models that are being trained."""

from gaugelib.optim.egd import EGD as EGD
from gaugelib.optim.fixing import GaugeFixing as GaugeFixing
from gaugelib.optim.in_place import minimum_norm_ as minimum_norm_
