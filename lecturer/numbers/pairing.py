"""Numbers that the lecture on the pairing says; each is computed when the kit is built."""

from functools import cache
from math import exp, log

from gaugelib import experiments as ex

LAM, ETA = 0.1, 1e-3  # decay and step of the neuron that opens the chapter
PAPER = {"eta": 1e-3, "lam": 1e-4, "steps": 1875}  # of an epoch
BOLD = {"eta": 0.1, "lam": 5e-4, "steps": 391}


@cache
def trained() -> dict[int, tuple[float, float]]:
    """The weights (w, v) at the times 0, 10, 20, 30: from (4, 1), to learn wv = 3."""
    w, v, found = 4.0, 1.0, {}
    for step in range(30_001):
        if step % 10_000 == 0:
            found[step // 1000] = (w, v)
        slope = w * v - 3
        w, v = w - ETA * (slope * v + LAM * w), v - ETA * (slope * w + LAM * v)
    return found


def ratio_at(time: int) -> str:
    """w/v at that time, to two digits after the point."""
    w, v = trained()[time]
    return f"{w / v:.2f}"


def charge_at(time: int) -> str:
    """w² − v² at that time, to two digits after the point."""
    w, v = trained()[time]
    return f"{w * w - v * v:.2f}"


def law_at(time: int) -> str:
    """What the theorem says that it is."""
    return f"{15 * exp(-2 * LAM * time):.2f}"


ratio_0, ratio_10, ratio_20, ratio_30 = (lambda t=t: ratio_at(t) for t in (0, 10, 20, 30))
charge_0, charge_10, charge_20, charge_30 = (lambda t=t: charge_at(t) for t in (0, 10, 20, 30))
law_0, law_10, law_20, law_30 = (lambda t=t: law_at(t) for t in (0, 10, 20, 30))


def halving(eta: float, lam: float, steps: int) -> float:
    """Epochs after which half of an imbalance is left, p = 2."""
    return log(2) / (2 * lam * eta * steps)


def halving_bold() -> str:
    """With a learning rate of 0.1 and a decay of 5e-4."""
    return f"{halving(**BOLD):.0f}"


def an_epoch_shrinks() -> str:
    """By how much an epoch of the paper's experiment shrinks an imbalance."""
    return f"{2 * PAPER['lam'] * PAPER['eta'] * PAPER['steps']:.4%}".replace("%", " %")


def left_after_200() -> str:
    """What 200 epochs of the paper's experiment leave of an imbalance."""
    rate = 2 * PAPER["lam"] * PAPER["eta"] * PAPER["steps"]
    return f"{exp(-200 * rate):.0%}".replace("%", " %")


def gone_after_30() -> str:
    """What the paper's 30 epochs take from an imbalance, the learning rate falling by 5 %."""
    time = sum(PAPER["eta"] * 0.95**epoch * PAPER["steps"] for epoch in range(30))
    return f"{1 - exp(-2 * PAPER['lam'] * time):.1%}".replace("%", " %")


def unit_of_the_triple() -> str:
    """Of a unit with weights 3 and 4 in and 5 out: the two charges."""
    charges = [3**p + 4**p - 5**p for p in (2, 1)]
    return f"{charges[0]} and {charges[1]}"


@cache
def won() -> str:
    """In how many comparisons a fixed gauge has the lower penalised loss."""
    rows = [
        row
        for suite in ("digits", "digits-small")
        for row in ex.verdict(ex.stored(suite))
        if row.arm != "never"
    ]
    return f"{sum(sum(r.wins) for r in rows)} of {sum(4 * r.seeds for r in rows)}"


def best_bare(arm: str) -> str:
    """The lowest loss without the penalty that an arm reaches at its own best rate (He)."""
    _, value = ex.best_rate(ex.stored("digits-rates"), "loss", init="he", arm=arm).tolist()
    return f"{value:.3f}"


def best_never() -> str:
    """Of the arm that was never fixed."""
    return best_bare("never")


def best_once() -> str:
    """Of the arm that was fixed once."""
    return best_bare("once")
