"""What is stored of other people's trained networks, and what the page says of it."""

from __future__ import annotations

import copy
import math
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gaugelib.gauges import measured

ROOT = pathlib.Path(__file__).parents[2]
GRAINS = ("tensor", "channel")
NORMS = ("as shipped", "p = 2", "p = 8", "max-abs")
WIDTHS = {
    "MTCNN P-Net": (10, 16, 32),
    "MTCNN R-Net": (28, 48, 64, 128),
    "MTCNN O-Net": (32, 64, 64, 128, 256),
    "Silero VAD": (128, 64, 64, 128),
    "CREPE tiny": (128, 16, 16, 16, 32, 64),
    "CREPE tiny, affine": (128, 16, 16, 16, 32, 64) * 2,
    "CREPE full, affine": (1024, 128, 128, 128, 256, 512) * 2,
    "EasyOCR": (32, 64, 128, 128, 256, 256),
    "CRAFT": (
        *(64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 1024, 1024),
        *(512, 256, 256, 128, 128, 64, 64, 32, 32, 32, 16, 16),
    ),
}
"""Hidden units by layer, counted in the publications' own tables, in both forms of batch norm."""

Networks = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return measured("published")


@pytest.fixture(scope="module")
def networks(stored: dict[str, Any]) -> Networks:
    return stored["networks"]


def numbers(value: Any) -> Iterator[float]:
    """Every number below."""
    if isinstance(value, dict):
        for part in value.values():
            yield from numbers(part)
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, float | int):
        yield value


def typical(row: dict[str, Any], grain: str) -> float:
    """The error of a gauge with weights alone rounded, luck averaged out where it was."""
    return row[grain].get("mean", row[grain]["error"])


def finite(networks: Networks) -> None:
    assert all(math.isfinite(number) for number in numbers(networks))


def uncertain(networks: Networks) -> None:
    for row in networks.values():
        for part in ("weights_only", "with_activations"):
            for gauge in row[part].values():
                assert all(gauge[grain]["standard_error"] > 0 for grain in GRAINS)


def still(networks: Networks) -> None:
    """No gauge moves the function, in float64; nor in the runtime's float32."""
    for row in networks.values():
        assert all(gauge["largest_change"] < 1e-12 for gauge in row["weights_only"].values())
        assert all(gauge["float"] < 1e-4 for gauge in row["with_activations"].values())


def unbalanced(networks: Networks) -> None:
    """CREPE in the form with most dials is almost as far from balance as can be, and loses most."""
    for name, row in networks.items():
        assert 0 < row["norm_left"] < 1
        if name.startswith("CREPE"):
            assert row["median_imbalance"] > 0.99
    assert networks["CREPE tiny, affine"]["norm_left"] < 0.06
    assert networks["CREPE tiny"]["norm_left"] < 0.4
    assert networks["MTCNN O-Net"]["norm_left"] > 0.98


def ruined_at_random(networks: Networks) -> None:
    for row in networks.values():
        for part in ("weights_only", "with_activations"):
            assert row[part]["random"]["tensor"]["error"] > 0.2


def channels_better(networks: Networks) -> None:
    """A step for each channel is better than one for each tensor, in every gauge from norms."""
    for row in networks.values():
        for gauge in (row["weights_only"][name] for name in NORMS if name in row["weights_only"]):
            assert typical(gauge, "channel") < typical(gauge, "tensor")


def channels_not_needed(networks: Networks) -> None:
    """For CREPE the quantiser's gauge, per tensor, is as good as channels in the shipped one."""
    for name in ("CREPE tiny, affine", "CREPE full, affine"):
        gauges = networks[name]["weights_only"]
        assert typical(gauges["rounding"], "tensor") < typical(gauges["as shipped"], "channel")


def rounding_gauge_better(networks: Networks) -> None:
    """Among the gauges per tensor the quantiser's own is the best, weights alone rounded."""
    for row in networks.values():
        errors = {name: typical(gauge, "tensor") for name, gauge in row["weights_only"].items()}
        others = set(errors) - {"rounding", "rounding, activations"}
        assert errors["rounding"] < min(errors[name] for name in others)


def rescued(networks: Networks) -> None:
    """The voice detector is lost as shipped; two gauges bring it back."""
    gauges = networks["Silero VAD"]["weights_only"]
    heard = {
        name: gauge["tensor"]["task"]["windows_judged_alike"] for name, gauge in gauges.items()
    }
    assert heard["as shipped"] < 0.5
    assert min(heard["p = 2"], heard["rounding"]) > 0.95


def lightest_breaks(networks: Networks) -> None:
    """The lightest gauge breaks the detector of text, which is well as shipped and at p = 8."""
    gauges = networks["CRAFT"]["weights_only"]
    assert max(typical(gauges[name], "tensor") for name in ("as shipped", "p = 8")) < 0.05
    assert min(typical(gauges["p = 2"], grain) for grain in GRAINS) > 0.5
    assert gauges["p = 2"]["tensor"]["task"]["overlap_of_characters"] < 0.05


def as_expected(networks: Networks) -> None:
    """What independent rounding is expected to do is what happens, where it is small."""
    for row in networks.values():
        for gauge in row["weights_only"].values():
            for grain in GRAINS:
                if "mean" in gauge[grain] and gauge[grain]["expected"] < 0.1:
                    assert 0.4 < gauge[grain]["mean"] / gauge[grain]["expected"] < 1.6


def activations_seen(networks: Networks) -> None:
    """With activations rounded and none clipped, the gauge that knows of them is the best.

    There is one exception, and it is known.
    """
    best = {}
    for name, row in networks.items():
        errors = {
            key: gauge["tensor, nothing clipped"]["error"]
            for key, gauge in row["with_activations"].items()
        }
        if "rounding, activations" in errors:
            best[name] = min(errors, key=errors.__getitem__)
    assert best.pop("CREPE full, affine") != "rounding, activations"
    assert set(best.values()) == {"rounding, activations"}


CLAIMS = (
    finite,
    uncertain,
    still,
    unbalanced,
    ruined_at_random,
    channels_better,
    channels_not_needed,
    rounding_gauge_better,
    rescued,
    lightest_breaks,
    as_expected,
    activations_seen,
)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_what_the_page_says_is_in_the_stored_data(
    networks: Networks, claim: Callable[[Networks], None]
) -> None:
    claim(networks)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_control_no_claim_holds_of_other_data(
    networks: Networks, claim: Callable[[Networks], None]
) -> None:
    """Each number replaced by that of its mirror image, then by one that is not a number."""
    with pytest.raises(AssertionError):
        claim(spoilt(networks))


def spoilt(networks: Networks) -> Networks:
    """The data with everything that was claimed turned round."""
    other = copy.deepcopy(networks)
    for row in other.values():
        row["float32"], row["norm_left"], row["median_imbalance"] = math.nan, 1.5, 0.1
        for part in ("weights_only", "with_activations"):
            gauges = row[part]
            for name, gauge in gauges.items():
                gauge["float"] = gauge["largest_change"] = 1e-3
                for grain in [key for key in gauge if isinstance(gauge[key], dict)]:
                    worse = 1.0 if name.startswith("rounding") or grain == "channel" else 0.01
                    gauge[grain].update(error=worse, mean=worse, expected=0.09)
                    gauge[grain]["standard_error"] = 0.0
                    gauge[grain]["task"] = dict.fromkeys(gauge[grain]["task"], 0.7)
    return other


def test_every_unit_is_counted(networks: Networks) -> None:
    assert {name: row["units"] for name, row in networks.items()} == {
        name: sum(WIDTHS[name]) for name in networks
    }
    assert len(networks) >= 6


def test_provenance_names_a_command_and_versions(stored: dict[str, Any]) -> None:
    command = stored["provenance"]["command"].split()
    assert command[0] == "python"
    assert (ROOT / command[1]).is_file()
    versions = stored["provenance"]["versions"]
    assert {
        "torch",
        "onnxruntime",
        *(row["package"] for row in stored["networks"].values()),
    } <= set(versions)
    assert all(version[0].isdigit() for version in versions.values())


def test_the_file_is_small() -> None:
    path = ROOT / "gaugelib" / "gauges" / "stored" / "published.json"
    assert path.stat().st_size < 60_000
