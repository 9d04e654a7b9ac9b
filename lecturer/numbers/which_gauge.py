"""Numbers that the lecturer's page and slides on the choice of a gauge say."""

import math

from gaugelib import gauges


def hundred_to_one() -> str:
    """The trace in the lightest gauge over the least, for 100 inputs and one output."""
    return f"{(100 + 1) / (2 * math.sqrt(100 * 1)):.2f}"


def _second_layer(name: str) -> tuple[float, float]:
    (row,) = gauges.measured_rows("drift", "digits", name=name, start="He")
    return row["ledger"]["kept"][1], row["ledger"]["second"][1]


def thirty_epochs() -> str:
    """What noise adds to the mean charge of the second layer in thirty epochs."""
    kept, added = _second_layer("SGD")
    return f"{100 * added / kept:.1f} per cent"


def noisy_epochs() -> str:
    """The same with noisy labels, a large step and a thousand epochs."""
    kept, added = _second_layer("SGD, noisy labels")
    return f"{100 * added / kept:.0f} per cent"


def _against_he(start: str, part: str) -> list[float]:
    tasks = gauges.measured_rows("fair", "tasks")
    rows = [task["descents"]["epochs"]["10"][start] for task in tasks]
    return [100 * math.expm1(row[part][0]) for row in rows]


def lightest_one_rate() -> str:
    """The loss of the lightest start against He's, at the smallest rate for all."""
    losses = _against_he("minimum norm", "fixed against He")
    return f"{-max(losses):.0f} to {-min(losses):.0f} per cent lower"


def lightest_own_rate() -> str:
    """The same, each start at its own best rate."""
    losses = _against_he("minimum norm", "log loss against He")
    return f"{min(losses):.0f} to {max(losses):.0f} per cent higher"


def _published(network: str, gauge: str) -> float:
    cells = gauges.measured("published")["networks"][network]["weights_only"]
    return cells[gauge]["tensor"]["error"]


def craft_times() -> str:
    """By how much the lightest gauge raises the error of CRAFT."""
    return f"{_published('CRAFT', 'p = 2') / _published('CRAFT', 'as shipped'):.0f}"


def silero_times() -> str:
    """By how much it lowers that of Silero's network."""
    return f"{_published('Silero VAD', 'as shipped') / _published('Silero VAD', 'p = 2'):.0f}"


def tools_that_changed() -> str:
    """How many of four other tools change the function of a network that they rescale."""
    networks = gauges.measured("peers")["networks"].values()
    peers = "torch", "brevitas", "aimet", "esp_ppq"
    changed = [
        any(row[t]["outcome"] == "rescaled" and row[t]["change"] >= 1e-12 for row in networks)
        for t in peers
    ]
    return f"{sum(changed)} of {len(peers)}"
