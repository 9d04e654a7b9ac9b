"""Search for permutations of hidden units that move the orbits of entries in a given way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gaugelib.group import GaugeError

Hidden = tuple[tuple[int, ...], ...]
"""A permutation of hidden units: of each hidden layer, the image of each unit."""
MOST_TRIALS = 200_000
"""How many images of single units a search tries before it gives up."""


class Search:
    """A depth-first search, unit by unit, for permutations of the hidden units of all layers.

    Inputs and outputs stay where they are.

    Attributes:
        weights: numbers of the orbits of each layer's weights, as nested lists, inputs first.
        biases: those of each layer's biases; empty without biases.
        what: what is searched for, for the error.
    """

    def __init__(
        self,
        weights: Sequence[list[list[int]]],
        biases: Sequence[list[int]],
        what: str,
    ) -> None:
        self.weights, self.biases, self.what = weights, biases, what
        self.sizes = [len(weight) for weight in weights[:-1]]
        self.trials = 0

    def find(
        self, renamed: Mapping[int, int], wanted: Mapping[tuple[int, int], int] | None = None
    ) -> Hidden | None:
        """A permutation under which the orbits change their numbers by a bijection; None if none.

        Units that an orbit of the bijection joins to something get their images first, so that
        units which are alike are not tried in all orders before a contradiction is met.

        Args:
            renamed: the bijection, as far as it is given.
            wanted: images that some units must have, by hidden layer (from 0) and unit.

        Raises:
            GaugeError: if the search is too long.
        """
        inputs = list(range(len(self.weights[0][0])))
        outputs = list(range(len(self.weights[-1])))
        moved = [inputs, *([] for _ in self.sizes), outputs]
        told = {k for k in renamed if renamed[k] != k}
        self.order = [
            sorted(range(size), key=lambda unit: told.isdisjoint(self._around(layer, unit)))
            for layer, size in enumerate(self.sizes)
        ]
        return self._extend(moved, dict(renamed), dict(wanted or {}), 0)

    def _around(self, layer: int, unit: int) -> list[int]:
        """The orbits of a unit's own entries."""
        outgoing = [row[unit] for row in self.weights[layer + 1]]
        return (
            self.weights[layer][unit]
            + outgoing
            + [row[unit] for row in self.biases[layer : layer + 1]]
        )

    def _extend(
        self,
        moved: list[list[int]],
        renamed: dict[int, int],
        wanted: dict[tuple[int, int], int],
        layer: int,
    ) -> Hidden | None:
        if layer == len(self.sizes):
            return tuple(map(tuple, moved[1:-1]))
        place, images = len(moved[layer + 1]), range(self.sizes[layer])
        order = self.order[layer]
        if place == self.sizes[layer]:
            by_unit = [moved[layer + 1][order.index(unit)] for unit in images]
            moved = [*moved[: layer + 1], by_unit, *moved[layer + 2 :]]
            return self._extend(moved, renamed, wanted, layer + 1)
        unit = order[place]
        for image in [wanted[layer, unit]] if (layer, unit) in wanted else images:
            if image in moved[layer + 1]:
                continue
            self.trials += 1
            if self.trials > MOST_TRIALS:
                raise GaugeError(
                    f"the search for {self.what} is too long: it gives up after {MOST_TRIALS} "
                    "images of single units"
                )
            more = self._renamed(moved, renamed, layer, unit, image)
            if more is not None:
                further = [*moved[: layer + 1], [*moved[layer + 1], image], *moved[layer + 2 :]]
                found = self._extend(further, more, wanted, layer)
                if found is not None:
                    return found
        return None

    def _renamed(
        self, moved: list[list[int]], renamed: dict[int, int], layer: int, unit: int, image: int
    ) -> dict[int, int] | None:
        """The bijection with what a unit's image adds to it; None if that contradicts it."""
        incoming, outgoing = self.weights[layer], self.weights[layer + 1]
        pairs = [(incoming[unit][i], incoming[image][j]) for i, j in enumerate(moved[layer])]
        if layer + 2 == len(moved) - 1:  # units of the next hidden layer have no images yet
            pairs += [(outgoing[k][unit], outgoing[m][image]) for k, m in enumerate(moved[-1])]
        if self.biases:
            pairs.append((self.biases[layer][unit], self.biases[layer][image]))
        more = dict(renamed)
        used = set(more.values())
        for before, after in pairs:
            if before not in more:
                if after in used:
                    return None
                more[before] = after
                used.add(after)
            elif more[before] != after:
                return None
        return more
