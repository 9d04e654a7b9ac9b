"""Builders: from a model to its gauge group."""

from gaugelib.build.mlp import mlp_group as mlp_group
from gaugelib.build.trace import trace_group as trace_group
