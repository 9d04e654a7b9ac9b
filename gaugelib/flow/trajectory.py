"""What an integrator returns: the states that a flow passed through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    r"""The states that a flow passed through, and when.

    Attributes:
        times: time of each state, the first one 0, shape `(T,)`.
        params: name of a parameter -> its values at these times, shape `(T, *shape)`.

    Example:
        >>> from gaugelib import gradient_flow
        >>> start = {"w": torch.tensor([2.0, 1.0], dtype=torch.float64)}
        >>> path = gradient_flow(
        ...     lambda theta: theta["w"].square().sum() / 2, start, until=1.0, steps=100, saved=5
        ... )
        >>> path  # w(t) = w(0) exp(-t)
        Trajectory: 5 states from t = 0 to t = 1
        >>> path.times.tolist(), path.at(-1)["w"]
        ([0.0, 0.25, 0.5, 0.75, 1.0], tensor([0.7358, 0.3679], dtype=torch.float64))
        >>> path.map(lambda theta: theta["w"].prod()).shape
        torch.Size([5])
    """

    times: Tensor
    params: Mapping[str, Tensor]

    def __len__(self) -> int:
        """Number T of states."""
        return len(self.times)

    def __repr__(self) -> str:
        first, last = self.times[0].tolist(), self.times[-1].tolist()
        return f"Trajectory: {len(self)} states from t = {first:g} to t = {last:g}"

    def at(self, k: int) -> dict[str, Tensor]:
        """The parameters of state k, by name; -1 is the last one.

        Raises:
            IndexError: if there is no such state.
        """
        return {name: values[k] for name, values in self.params.items()}

    def map(self, function: Callable[[dict[str, Tensor]], Tensor]) -> Tensor:
        """A function of the parameters at every state, stacked: shape `(T, *shape of its value)`.

        Args:
            function: a function of a dictionary of parameters that returns a tensor, as
                `lambda theta: charge(theta, group)`.
        """
        return torch.stack([function(self.at(k)) for k in range(len(self))])
