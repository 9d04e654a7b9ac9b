"""The network and the data with which ChargeMonitor opens, and what another one must satisfy."""

from __future__ import annotations

from gaugelib.widgets.base import WidgetError
from gaugelib.widgets.shared.matrices import require_matrices

MOST_UNITS, MOST_WORK = 12, 4000
# One input, six hidden units, one output. Rescaled so that the charges lie apart.
WEIGHTS = (
    ((-0.34,), (-0.33,), (-0.6,), (-1.74,), (1.32,), (-0.64,)),
    ((0.78, -0.87, 1.4, -1.51, -1.55, 0.73),),
)
BIASES = ((0.59, 0.45, 0.92, -0.1, 1.05, -0.52), (0.0,))
# A sine and some noise, which the network cannot follow: minibatches disagree to the end.
INPUTS = tuple(
    (x,) for x in (-1.0, -0.82, -0.64, -0.45, -0.27, -0.09, 0.09, 0.27, 0.45, 0.64, 0.82, 1.0)
)
TARGETS = tuple(
    (y,) for y in (0.11, -0.79, -1.08, -1.76, -0.61, -0.33, 1.01, 0.58, 0.74, 0.77, 0.92, 0.23)
)


def require_fit(weights: list, biases: list, inputs: list, targets: list) -> None:
    """Matrices, biases and data of one network, small enough to be trained in a page.

    Raises:
        GaugeError: saying what does not fit.
    """
    require_matrices(weights)
    found, wanted = [len(row) for row in biases], [len(rows) for rows in weights]
    if biases and found != wanted:
        raise WidgetError(f"biases must be none or lists of {wanted} numbers, found {found}")
    if not inputs or len(inputs) != len(targets):
        raise WidgetError(
            f"a target for each datum is needed, found {len(inputs)} and {len(targets)}"
        )
    for name, rows, width in (
        ("inputs", inputs, len(weights[0][0])),
        ("targets", targets, len(weights[-1])),
    ):
        wrong = [len(row) for row in rows if len(row) != width]
        if wrong:
            raise WidgetError(f"{name} must be lists of {width} numbers each, found {wrong[0]}")
    units = sum(wanted[:-1])
    size = sum(len(rows) * len(rows[0]) for rows in weights) + sum(found)
    if units > MOST_UNITS or size * len(inputs) > MOST_WORK:
        raise WidgetError(
            f"at most {MOST_UNITS} hidden units and {MOST_WORK} parameters times data are trained "
            f"in a page, found {units} and {size * len(inputs)}"
        )
