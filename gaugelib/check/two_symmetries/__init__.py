"""Checkers for the exercises of the chapter "Two symmetries", on both of its pages."""
