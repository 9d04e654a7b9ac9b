"""Checkers for the exercises of "Beyond neurons: gates and attention"."""
