"""While a reader drags, nothing on the page moves but what the reader drags."""

import pytest

from gaugelib.widgets import (
    AttentionHead,
    BalanceSweeps,
    ChargeMonitor,
    GaugeRace,
    Majoriser,
    PhasePlane,
    RescaleNeuron,
    SharpnessAlongOrbit,
    SoftGauge,
)
from tests.site.still import moved
from tests.widgets.on_page import shown_by

COLUMNS = (288, 328, 343, 672)  # on phones of 320, 360 and 375 px and in a page's column


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


def as_in_the_book():
    """Every widget that has something to drag, as the chapters open it."""
    return {
        "a": RescaleNeuron(),
        "b": RescaleNeuron(plain=True, log2_scales=[0.0, 0.0, 0.0]),
        "c": PhasePlane(revealed=False, smallest=False),
        "d": PhasePlane(mode="flow", w=2.0, v=1.0, target=3.0, lr=0.2, revealed=False),
        "e": PhasePlane(mode="pairing", revealed=False),
        "f": PhasePlane(mode="soft", strength=1.0, time=0.0),
        "g": ChargeMonitor(),
        "h": GaugeRace(epoch=0),
        "i": Majoriser(),
        "j": BalanceSweeps(),
        "k": SoftGauge(strength=0.0, revealed=False),
        "l": PhasePlane(mode="edge"),
        "m": SharpnessAlongOrbit(),
        "n": AttentionHead(),
        "o": AttentionHead(part="vo"),
    }


def test_nothing_moves_while_a_reader_drags(show):
    widgets = as_in_the_book()
    page = show(widgets, "".join(widgets))
    assert moved(page, COLUMNS) == []


@pytest.mark.parametrize("column", COLUMNS)
def test_control_a_remark_without_room_moves_what_is_below(show, column):
    page = show({"a": PhasePlane(revealed=False, smallest=False)})
    page.add_style_tag(content=".gl-phase.gl-widget .gl-remark { min-height: 0 }")
    found = moved(page, (column,))
    assert any("P gl-remark moves" in each for each in found)
    assert any("DIV gl-widget gl-phase moves" in each for each in found)
