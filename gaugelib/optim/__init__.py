"""Gauge fixing of models that are being trained."""

from gaugelib.optim.in_place import minimum_norm_ as minimum_norm_
