r"""Coordinates in which every modulated flow is plain gradient flow.

With $\varphi = \frac2p\,\mathrm{sgn}(\theta)\,|\theta|^{p/2}$ the flow
$\dot\theta = -|\theta|^{2-p}\odot\nabla L$ reads $\dot\varphi = -\nabla_\varphi L$, and the charge
$|\theta|^p = \frac{p^2}{4}\varphi^2$ is quadratic.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gaugelib.bounds import require_exponent
from gaugelib.group import GaugeError


def flat_coordinates(params: Mapping[str, Tensor], p: float) -> dict[str, Tensor]:
    r"""$\varphi = \frac2p\,\mathrm{sgn}(\theta)\,|\theta|^{p/2}$ for each parameter; itself at 2.

    Args:
        params: parameters by name.
        p: exponent of the flow, any finite number > 0.

    Returns:
        A tensor of the same shape and dtype for each parameter.

    Raises:
        GaugeError: if `p` is out of range, or if a coordinate is not finite, naming the parameter.

    Book: prop-flat.

    Example:
        >>> flat_coordinates({"w": torch.tensor([4.0, -1.0, 0.0])}, p=1.0)
        {'w': tensor([ 4., -2.,  0.])}
    """
    require_exponent(p)
    return _finite({name: to_flat(value, p) for name, value in params.items()})


def from_flat_coordinates(flat: Mapping[str, Tensor], p: float) -> dict[str, Tensor]:
    r"""$\theta = \mathrm{sgn}(\varphi)\,|\frac p2\varphi|^{2/p}$: back from `flat_coordinates`.

    Args:
        flat: coordinates by name.
        p: exponent of the flow, any finite number > 0.

    Returns:
        A tensor of the same shape and dtype for each parameter.

    Raises:
        GaugeError: if `p` is out of range, or if a parameter is not finite, naming it.

    Book: prop-flat.

    Example:
        >>> from_flat_coordinates({"w": torch.tensor([4.0, -2.0, 0.0])}, p=1.0)
        {'w': tensor([ 4., -1.,  0.])}
    """
    require_exponent(p)
    return _finite({name: from_flat(value, p) for name, value in flat.items()})


def to_flat(theta: Tensor, p: float) -> Tensor:
    """The same for one tensor, unchecked."""
    return theta.sign() * theta.abs().pow(p / 2) * (2 / p)


def from_flat(flat: Tensor, p: float) -> Tensor:
    """The way back for one tensor, unchecked."""
    return flat.sign() * (flat.abs() * (p / 2)).pow(2 / p)


def _finite(values: dict[str, Tensor]) -> dict[str, Tensor]:
    for name, value in values.items():
        if not bool(torch.isfinite(value).all()):
            raise GaugeError(
                f"'{name}' holds NaN or infinity, or leaves the range of {value.dtype} "
                "in the new coordinates"
            )
    return values
