r"""The page of a representation: the weights of a layered network that are equivariant through it.

$E_\pi$ holds the weights with $P_{\pi_{k+1}(g)}W_kP_{\pi_k(g)}^{-1} = W_k$ for all $g$: entries are
equal on each orbit of the group on pairs (target, source). One number for each orbit, the orbit's
mean, is a coordinate.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gaugelib.equivariance.groups import Representation
from gaugelib.group import GaugeError


@dataclass(frozen=True, eq=False)
class EquivariantSpace:
    r"""The linear space $E_\pi$ of the weights that a group's permutations leave as they are.

    All maps take parameters with leading batch dimensions, which are the same for all of them.

    Attributes:
        representations: how the group permutes the units of each layer, inputs first.
        labels: number of the orbit of each entry, by parameter, int64, of the parameter's shape;
            orbits are numbered through all parameters, as their first entries come.

    Book: prop-page.

    Example:
        >>> from sympy.combinatorics import SymmetricGroup
        >>> from gaugelib.equivariance import natural, trivial
        >>> group = SymmetricGroup(3)
        >>> space = equivariant_space([natural(group), natural(group), trivial(group)])
        >>> space.labels["0.weight"].tolist(), space.labels["2.weight"].tolist()
        ([[0, 1, 1], [1, 0, 1], [1, 1, 0]], [[2, 2, 2]])
        >>> space.dimension, space.multiplicities.tolist()
        (3, [3, 6, 3])
    """

    representations: tuple[Representation, ...]
    labels: dict[str, Tensor]

    @cached_property
    def dimension(self) -> int:
        """Dimension of the space: the number of orbits."""
        return 1 + max(int(label.max()) for label in self.labels.values())

    @cached_property
    def multiplicities(self) -> Tensor:
        """How many entries each orbit has, int64, shape `(dimension,)`.

        The gradient by a shared number is, summed over its entries (raw sharing), so many times
        the mean over them (the metric inherited from the network without a constraint).
        """
        return torch.cat([label.flatten() for label in self.labels.values()]).bincount()

    def basis(self, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        """The indicators of the orbits, an orthogonal basis: `(dimension, *shape)` by parameter."""
        numbers = torch.arange(self.dimension)
        return {
            name: (label == numbers.view(-1, *(1 for _ in label.shape))).to(dtype)
            for name, label in self.labels.items()
        }

    def coordinates(self, params: Mapping[str, Tensor]) -> Tensor:
        """The mean over each orbit, shape `(*batch, dimension)`.

        The mean of equal numbers is that number exactly. In half precision the sums are taken in
        float32, for otherwise they would stand still at some hundreds of entries.

        Raises:
            GaugeError: if parameters are missing, not known, of a wrong shape, or not finite, or
                if sums of them leave the range of their dtype.
        """
        self._check(params)
        parts = []
        for name, label in self.labels.items():
            flat = params[name].flatten(-label.dim())
            number, first, count = self._places(name, flat.device)
            wide = flat.to(torch.promote_types(flat.dtype, torch.float32))
            lead = wide[..., first]
            rest = lead.new_zeros(lead.shape).index_add(-1, number, wide - lead[..., number])
            mean = lead + rest / count  # so that the mean of equal numbers is exact
            if not mean.isfinite().all():
                raise GaugeError(f"sums of the numbers of '{name}' leave the range of {mean.dtype}")
            parts.append(mean.to(flat.dtype))
        return torch.cat(parts, dim=-1)

    def params(self, coordinates: Tensor) -> dict[str, Tensor]:
        """The parameters with these coordinates, `(*batch, *shape)` by name.

        Raises:
            GaugeError: if the last dimension is not the dimension of the space.
        """
        if coordinates.dim() == 0 or coordinates.shape[-1] != self.dimension:
            raise GaugeError(
                f"coordinates must have shape (..., {self.dimension}), found "
                f"{tuple(coordinates.shape)}"
            )
        return {
            name: coordinates[..., label.to(coordinates.device)]
            for name, label in self.labels.items()
        }

    def project(self, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The nearest point of the space: each entry replaced by the mean over its orbit.

        Args:
            params: weights by name, `(*batch, *shape)`.

        Raises:
            GaugeError: as `coordinates`.
        """
        near = self.params(self.coordinates(params))
        return {name: near[name].to(params[name].dtype) for name in self.labels}

    def distance(self, params: Mapping[str, Tensor]) -> Tensor:
        """Euclidean distance of the parameters from the space, shape `(*batch,)`.

        Raises:
            GaugeError: as `coordinates`.
        """
        near = self.project(params)
        apart = [
            (params[name] - near[name]).flatten(-label.dim()) for name, label in self.labels.items()
        ]
        return torch.linalg.vector_norm(torch.cat(apart, dim=-1), dim=-1)

    def _places(self, name: str, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Of one parameter: each entry's orbit from 0 on, each orbit's first entry and size."""
        label = self.labels[name].flatten().to(device)
        number = label - label.min()
        count = number.bincount()
        order = number.argsort(stable=True)
        return number, order[count.cumsum(0) - count], count

    def _check(self, params: Mapping[str, Tensor]) -> None:
        if params.keys() != self.labels.keys():
            raise GaugeError(
                f"the parameters must be {', '.join(self.labels)}, found {', '.join(params)}"
            )
        batches = {}
        for name, label in self.labels.items():
            value, ends = params[name], tuple(label.shape)
            if tuple(value.shape[value.dim() - label.dim() :]) != ends or value.dim() < label.dim():
                raise GaugeError(
                    f"'{name}' must have shape (..., {', '.join(map(str, ends))}), found "
                    f"{tuple(value.shape)}"
                )
            if not value.is_floating_point():
                raise GaugeError(f"'{name}' must be of a floating dtype, found {value.dtype}")
            if not value.isfinite().all():
                raise GaugeError(f"'{name}' holds NaN or infinity")
            batches[name] = tuple(value.shape[: value.dim() - label.dim()])
        if len(set(batches.values())) > 1:
            raise GaugeError(f"the batch dimensions differ between the parameters: {batches}")


def equivariant_space(
    representations: Sequence[Representation],
    *,
    bias: bool = False,
    names: Sequence[str] | None = None,
) -> EquivariantSpace:
    """The space of equivariant weights of a layered network.

    Args:
        representations: how one group permutes the inputs, each hidden layer's units, and the
            outputs; where outputs are left as they are, `trivial`.
        bias: whether every layer has a bias.
        names: name of each layer; by default "0", "2", ... as in an `nn.Sequential` of linear
            layers and activations.

    Raises:
        GaugeError: if there are less than two representations, they are of different groups, or
            the names do not fit.

    Book: prop-page.

    Example:
        >>> from sympy.combinatorics import CyclicGroup
        >>> from gaugelib.equivariance import natural, trivial
        >>> turns = CyclicGroup(4)
        >>> equivariant_space([natural(turns), natural(turns), trivial(turns)]).dimension
        5
    """
    if isinstance(representations, Representation):
        raise GaugeError("two representations at least are needed, in a list; found one alone")
    steps = tuple(representations)
    if len(steps) < 2:
        raise GaugeError(f"two representations at least are needed, found {len(steps)}")
    for k, other in enumerate(steps):
        if other.elements != steps[0].elements:
            raise GaugeError(f"representations 0 and {k} are of different groups")
    names = [str(2 * k) for k in range(len(steps) - 1)] if names is None else list(names)
    if len(names) != len(steps) - 1 or len(set(names)) < len(names):
        raise GaugeError(f"{len(steps) - 1} different names of layers are needed, found {names}")
    moved: dict[str, tuple[Tensor, tuple[int, ...]]] = {}
    for name, (source, target) in zip(names, itertools.pairwise(steps)):
        pairs = target.images[:, :, None] * source.size + source.images[:, None, :]
        moved[f"{name}.weight"] = pairs.flatten(1), (target.size, source.size)
        if bias:
            moved[f"{name}.bias"] = target.images, (target.size,)
    labels, count = {}, 0
    for name, (images, shape) in moved.items():
        least, number = images.amin(dim=0).unique(return_inverse=True)
        labels[name] = number.reshape(shape) + count
        count += len(least)
    return EquivariantSpace(steps, labels)
