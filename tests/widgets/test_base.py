"""What holds for every widget: one self-contained module, a still picture, a deterministic repr."""

import inspect
import json
import re
import struct

import pytest
import traitlets

from gaugelib import widgets
from gaugelib.widgets import RescaleNeuron
from gaugelib.widgets.base import BookWidget
from tests.widgets.node import WIDGETS

VIEW = "application/vnd.jupyter.widget-view+json"
ALL = [thing for thing in vars(widgets).values() if isinstance(thing, type)]
every_widget = pytest.mark.parametrize("kind", ALL)


def test_there_are_widgets_and_each_is_a_book_widget():
    assert RescaleNeuron in ALL
    assert all(issubclass(kind, BookWidget) for kind in ALL)


@every_widget
def test_its_module_and_style_are_self_contained(kind):
    module, style = kind()._esm, kind()._css
    assert not re.search(r"^import\b", module, re.M)
    assert "export default" in module
    addresses = set(re.findall(r"https?://[^\s\"']+", module + style))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name space, not a request
    assert ".gl-widget" in style


@every_widget
def test_its_state_survives_json(kind):
    widget = kind()
    state = {name: getattr(widget, name) for name in inspect.signature(kind).parameters}
    assert state.items() <= widget.get_state().items()
    assert json.loads(json.dumps(state, allow_nan=False)) == state


@every_widget
def test_its_arguments_are_keywords(kind):
    with pytest.raises(TypeError):
        kind(1)


@every_widget
def test_its_repr_is_the_call_that_makes_it(kind):
    text = repr(kind())
    assert text == repr(kind())
    assert " at 0x" not in text
    assert repr(eval(text, {kind.__name__: kind})) == text


@every_widget
def test_its_still_picture_is_small_deterministic_and_described(kind):
    data, metadata = kind()._repr_mimebundle_()
    picture = data["image/png"]
    assert picture == kind().still()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (720, 340)
    assert len(picture) <= 60_000
    alt = metadata["image/png"]["alt"]
    assert 40 <= len(alt) <= 400
    assert alt == kind().alt_text()
    assert data[VIEW]["model_id"]
    assert data["text/plain"] == repr(kind())


def test_its_still_picture_shows_its_state():
    assert RescaleNeuron(log2_scales=[0, 0, 0]).still() != RescaleNeuron().still()
    broken = RescaleNeuron(forget_outgoing=True)
    assert "the two curves differ" in broken.alt_text()
    assert "the two curves coincide" in RescaleNeuron().alt_text()
    assert "were rescaled" in RescaleNeuron().alt_text()
    assert "with every a = 1" in RescaleNeuron(log2_scales=[0, 0, 0]).alt_text()


@every_widget
def test_the_still_picture_ignores_the_readers_style(kind):
    import matplotlib as mpl

    plain = kind().still()
    with mpl.rc_context({"font.size": 20, "lines.linewidth": 9, "savefig.dpi": 50}):
        assert kind().still() == plain


def test_a_number_that_json_cannot_carry_is_refused_by_name():
    with pytest.raises(traitlets.TraitError, match="b_out must hold finite numbers, found nan"):
        RescaleNeuron(b_out=float("nan"))


# ---------------------------------------------------------------- colours


def palette() -> dict[str, tuple[str, str]]:
    text = (WIDGETS / "shared" / "widget.css").read_text(encoding="utf8")
    pairs = re.findall(r"--gl-([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", text)
    return {name: (light, dark) for name, light, dark in pairs}


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours written #rrggbb."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_of_black_and_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_have_the_contrast_that_aa_asks_for(theme):
    colours = {name: pair[theme] for name, pair in palette().items()}
    for ground in ("paper", "raised"):
        for text in ("ink", "soft", "positive", "negative", "accent"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for part in ("edge", "focus"):
            assert contrast(colours[part], colours[ground]) >= 3, (part, ground)
    assert contrast(colours["ink"], colours["band"]) >= 3  # the curve on the band beneath it
