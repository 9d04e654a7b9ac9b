"""Checkers for the exercises of the chapter "Second-order structure", on both of its pages."""
