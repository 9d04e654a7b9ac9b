"""Numbers that the lecture on conservation says; each is computed when the kit is built."""

from functools import cache


@cache
def ends(p: int) -> tuple[float, float]:
    """Where the flow of exponent p takes (w, v) = (2, 1) that is to learn wv = 3."""

    def speed(w, v):
        slope = w * v - 3
        return -(w ** (2 - p)) * slope * v, -(v ** (2 - p)) * slope * w

    w, v, step = 2.0, 1.0, 0.005
    for _ in range(2000):  # the midpoint method
        a = speed(w, v)
        b = speed(w + step / 2 * a[0], v + step / 2 * a[1])
        w, v = w + step * b[0], v + step * b[1]
    return w, v


def end_of(p: int) -> str:
    """The end, to two digits after the point."""
    return "({:.2f},\u00a0{:.2f})".format(*ends(p))


def difference(p: int) -> str:
    """How far w is from v at the end."""
    w, v = ends(p)
    return f"{w - v:.2f}"


def squares(p: int) -> str:
    """w² − v² at the end."""
    w, v = ends(p)
    return f"{w * w - v * v:.2f}"


end_1, end_2 = (lambda p=p: end_of(p) for p in (1, 2))
difference_1, difference_2 = (lambda p=p: difference(p) for p in (1, 2))
squares_1, squares_2 = (lambda p=p: squares(p) for p in (1, 2))


def nearest() -> str:
    """The point of the curve wv = 3 that is nearest to (2, 1)."""
    tried = (1.5 + k / 10_000 for k in range(20_000))
    w = min(tried, key=lambda w: (w - 2) ** 2 + (3 / w - 1) ** 2)
    return f"({w:.2f}, {3 / w:.2f})"


def one_step() -> str:
    """w² − v² after one step of 0.1 from (2, 1)."""
    w, v, eta = 2.0, 1.0, 0.1
    slope = w * v - 3
    w, v = w - eta * slope * v, v - eta * slope * w
    return f"{w * w - v * v:.2f}"
