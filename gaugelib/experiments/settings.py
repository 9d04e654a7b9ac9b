"""What one run is: every number that decides its result, and the name of its file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from typing import Any, Literal, get_args

from gaugelib.bounds import require_not_negative, require_positive
from gaugelib.group import GaugeError

Optimiser = Literal["sgd", "egd"]
Arm = Literal["never", "once", "every"]
Init = Literal["he", "xavier"]
Precision = Literal["float32", "float64"]

EXPONENT: dict[str, int] = {"sgd": 2, "egd": 1}
"""The p with which each optimiser is paired: SGD with p = 2, EGD with p = 1."""

PAPER_HIDDEN: dict[int, tuple[int, ...]] = {
    3: (2500, 1250),
    5: (2000, 1000, 500, 250),
    7: (1000, 750, 750, 500, 500, 250),
}
"""Hidden widths of the paper's networks by depth, 3750 units in each.

The preprint prints the deepest list as 1000-750-750-500-250, which has 3250 units and six weight
layers; with its second 500 it has the 3750 units and the seven layers of the text.
"""

SMALL_HIDDEN: dict[int, tuple[int, ...]] = {
    3: (250, 125),
    5: (200, 100, 50, 25),
    7: (100, 75, 75, 50, 50, 25),
}
"""A tenth of it, which trains in seconds."""


@dataclass(frozen=True)
class Settings:
    r"""One training run. Two runs with equal settings have equal results on one machine.

    Attributes:
        data: name of the data set.
        hidden: widths of the hidden layers.
        optimiser: `"sgd"`, $\theta \leftarrow \theta - \eta g - \eta\lambda W$, with $p = 2$; or
            `"egd"`, $\theta \leftarrow \theta\,e^{-\eta\,\mathrm{sgn}(\theta) g - \eta\lambda}$,
            with $p = 1$. Output biases do not decay.
        arm: when the minimum-norm gauge is fixed: `"never"`, `"once"` before the first step, or
            before `"every"` step.
        seed: decides the first weights and the order of the examples, whatever the arm.
        lr, weight_decay: $\eta$ of the first epoch, and $\lambda$.
        lr_factor: by which $\eta$ is multiplied after each epoch.
        epochs, batch: how long, and how many examples a step sees.
        tol: the $\delta$ to which the gauge is fixed: largest relative imbalance $\gamma$ left.
        init: `"he"`, variance 2/fan-in, or `"xavier"`, variance 2/(fan-in + fan-out).
        output_bias: first value of the output biases. EGD multiplies, and never leaves 0.
        precision: of weights and data.

    Example:
        >>> one = Settings("digits", (250, 125), "sgd", "once", 0, lr=0.02, weight_decay=1e-4)
        >>> one.depth, one.p, one.file_name
        (3, 2, 'digits-3-sgd-once-0-...json')
    """

    data: str
    hidden: tuple[int, ...]
    optimiser: Optimiser
    arm: Arm
    seed: int
    lr: float
    weight_decay: float
    lr_factor: float = 0.95
    epochs: int = 30
    batch: int = 32
    tol: float = 1e-3
    init: Init = "he"
    output_bias: float = 0.0
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        for name, kind in (
            ("optimiser", Optimiser),
            ("arm", Arm),
            ("init", Init),
            ("precision", Precision),
        ):
            if getattr(self, name) not in get_args(kind):
                raise GaugeError(
                    f"{name} must be one of {get_args(kind)}, found {getattr(self, name)!r}"
                )
        for name in ("lr", "weight_decay", "lr_factor", "tol", "output_bias"):
            object.__setattr__(self, name, float(getattr(self, name)))  # 1 and 1.0 are one setting
        if not self.hidden or any(not isinstance(n, int) or n < 1 for n in self.hidden):
            raise GaugeError(f"hidden must be positive whole numbers, found {self.hidden}")
        for name, least in (("seed", 0), ("epochs", 1), ("batch", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise GaugeError(f"{name} must be a whole number ≥ {least}, found {value!r}")
        for name in ("lr", "lr_factor", "tol"):
            require_positive(name, getattr(self, name))
        require_not_negative("weight_decay", self.weight_decay)
        if not math.isfinite(self.output_bias):
            raise GaugeError(f"output_bias must be finite, found {self.output_bias}")
        if self.optimiser == "egd" and self.output_bias == 0.0:
            raise GaugeError("EGD multiplies, and an output bias of 0 would stay 0 for ever")

    @property
    def depth(self) -> int:
        """Number of weight layers."""
        return len(self.hidden) + 1

    @property
    def p(self) -> int:
        """The exponent that the optimiser is paired with."""
        return EXPONENT[self.optimiser]

    @property
    def file_name(self) -> str:
        """A readable name, made unique by a digest of all settings."""
        digest = hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()
        return (
            "-".join(
                (self.data, str(self.depth), self.optimiser, self.arm, str(self.seed), digest[:16])
            )
            + ".json"
        )

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for a file."""
        return {**asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, stored: Any) -> Settings:
        """From what `as_dict` gave.

        Raises:
            GaugeError: naming what is missing or unknown.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(stored, dict) or stored.keys() != names:
            found = sorted(stored) if isinstance(stored, dict) else stored
            raise GaugeError(f"settings must name {sorted(names)}, found {found}")
        return cls(**{**stored, "hidden": tuple(stored["hidden"])})


# What the paper used, by optimiser; digits have a fortieth of its steps, and SGD needs a larger η.
PAPER_RATES: dict[str, tuple[float, float]] = {"sgd": (1e-3, 1e-4), "egd": (0.1, 5e-6)}
DIGITS_RATES: dict[str, tuple[float, float]] = {"sgd": (0.02, 1e-4), "egd": (0.1, 5e-6)}
FIRST_OUTPUT_BIAS: dict[str, float] = {"sgd": 0.0, "egd": 0.01}


def settings(
    data: str, optimiser: Optimiser, *, depth: int = 3, small: bool = False, **changes: Any
) -> Settings:
    r"""The settings of one run of Figures 3 and 4, with any of them changed.

    Args:
        data: name of the data set; on `"digits"` SGD starts at η = 0.02 instead of 0.001.
        optimiser: `"sgd"` or `"egd"`.
        depth: number of weight layers, 3, 5 or 7.
        small: hidden layers of a tenth of the paper's widths.
        **changes: other fields of `Settings`.

    Example:
        >>> settings("mnist", "egd", depth=7, arm="every").hidden
        (1000, 750, 750, 500, 500, 250)
    """
    hidden = SMALL_HIDDEN if small else PAPER_HIDDEN
    if depth not in hidden:
        raise GaugeError(f"depth must be one of {sorted(hidden)}, found {depth}")
    if optimiser not in EXPONENT:
        raise GaugeError(f"optimiser must be one of {sorted(EXPONENT)}, found {optimiser!r}")
    lr, decay = (DIGITS_RATES if data == "digits" else PAPER_RATES)[optimiser]
    base = Settings(
        data,
        hidden[depth],
        optimiser,
        "never",
        0,
        lr=lr,
        weight_decay=decay,
        output_bias=FIRST_OUTPUT_BIAS[optimiser],
    )
    return replace(base, **changes)


def grid(
    data: Iterable[str],
    *,
    depths: Iterable[int] = (3, 5, 7),
    optimisers: Iterable[Optimiser] = ("sgd", "egd"),
    arms: Iterable[Arm] = ("never", "once", "every"),
    seeds: Iterable[int] = range(5),
    small: bool = False,
    **changes: Any,
) -> Iterator[Settings]:
    """All runs of Figures 3 and 4 and of the control, seed after seed.

    An interruption therefore leaves whole seeds behind, each with every arm.

    Example:
        >>> len(list(grid(["mnist", "fashion", "emnist", "cifar10"], arms=["never", "every"])))
        240
    """
    for seed, name, depth, optimiser, arm in product(
        tuple(seeds), tuple(data), tuple(depths), tuple(optimisers), tuple(arms)
    ):
        yield settings(name, optimiser, depth=depth, small=small, arm=arm, seed=seed, **changes)
