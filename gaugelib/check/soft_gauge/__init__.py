"""Checkers for "Soft gauge fixing": the quadratic penalty, and which ones stay on the orbit."""
