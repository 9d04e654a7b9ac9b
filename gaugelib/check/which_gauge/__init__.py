"""Checkers for the exercises of the chapter "Which gauge?", on both of its pages."""
