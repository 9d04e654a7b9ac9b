"""Small repairs of the theme for screen readers and keyboards, each with its reason."""


def setup(app) -> None:
    """Nothing yet."""
