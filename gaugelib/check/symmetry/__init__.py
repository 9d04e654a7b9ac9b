"""Checkers for "The symmetry": of one neuron, and of layered networks."""
