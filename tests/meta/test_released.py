"""What a release has offered stays, or warns before it goes; nothing is released yet."""

import json
import types
import warnings

import gaugelib
from tools import surface


def test_nothing_that_was_released_is_gone():
    kept = json.loads(surface.RELEASED.read_text("utf8"))
    assert kept["version"] or not kept["names"]
    assert surface.lost(kept["names"], gaugelib) == []


def package(names: dict, old: str = "", message: str = "") -> types.ModuleType:
    """A package with these names, and one that is had with a warning."""
    module = types.ModuleType("package")
    module.__dict__.update(names, __all__=list(names))

    def missing(name):
        if name != old:
            raise AttributeError(name)
        if message:
            warnings.warn(message, DeprecationWarning, stacklevel=2)
        return lambda x, y: None

    module.__getattr__ = missing
    return module


def test_control_a_name_or_a_parameter_that_vanishes_is_noticed():
    first = surface.surface(package({"f": lambda x, y: None, "g": lambda: None}))
    assert surface.lost(first, package({"f": lambda x, y, z=1: None, "g": lambda a=1: None})) == []
    assert surface.lost(first, package({"f": lambda x: None, "g": lambda: None})) == ["f(y)"]
    assert surface.lost(first, package({"g": lambda: None})) == ["f"]
    gone = package({"g": lambda: None}, "f", "f is deprecated: use g")
    assert surface.lost(first, gone) == []
    for message in ("", "f is deprecated"):
        silent = package({"g": lambda: None}, "f", message)
        assert surface.lost(first, silent) == ["f warns of nothing"]


def test_the_library_as_it_is_can_be_kept(tmp_path):
    surface.write("1.2.3", gaugelib, tmp_path / "released.json")
    kept = json.loads((tmp_path / "released.json").read_text("utf8"))
    assert kept["version"] == "1.2.3"
    assert set(kept["names"]) == set(gaugelib.__all__)
    assert kept["names"]["rescale"][:3] == ["params", "scales", "group"]
