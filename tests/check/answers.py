"""Right answers to every exercise, the forms that they may come in, and answers that are none."""

import fractions
import math
from types import SimpleNamespace

import numpy as np
import torch

from tests.check import test_conservation, test_minimum_norm
from tests.check.beyond_neurons import test_counts, test_lightest, test_values
from tests.check.pairing import test_decay, test_experiment, test_penalties
from tests.check.second_order import test_constraints, test_orbit, test_sharpness
from tests.check.soft_gauge import test_largest_step, test_quadratic, test_tangency
from tests.check.symmetry import layers, test_neurons
from tests.check.two_symmetries import test_angles, test_barriers, test_pages, test_traps
from tests.check.which_gauge import test_coefficients, test_drift, test_rounding, test_share

MODULES = (
    layers,
    test_angles,
    test_barriers,
    test_coefficients,
    test_conservation,
    test_constraints,
    test_counts,
    test_decay,
    test_drift,
    test_experiment,
    test_lightest,
    test_minimum_norm,
    test_neurons,
    test_orbit,
    test_pages,
    test_penalties,
    test_quadratic,
    test_rounding,
    test_share,
    test_sharpness,
    test_tangency,
    test_traps,
    test_values,
)
ANSWERS = {"largest_step": test_largest_step.largest_step}
MISTAKES = {"largest_step": test_largest_step.MISTAKES}
for module in MODULES:
    ANSWERS |= module.REFERENCES
    MISTAKES |= module.MISTAKES

DICTIONARIES = ["homogeneity", "refutation"]
TENSORS = ["own_penalty"]  # must stay in autograd's graph, so that no other type will do
FUNCTIONS = [name for name in ANSWERS if name not in DICTIONARIES]


def each_leaf(change, answer):
    """An answer with each of its numbers and tensors changed."""
    if isinstance(answer, dict):
        return {name: each_leaf(change, part) for name, part in answer.items()}
    if isinstance(answer, list | tuple):
        return type(answer)(each_leaf(change, part) for part in answer)
    return answer if answer is None else change(answer)


def in_form(change, answer):
    """The same answer, be it a function or a dictionary, in another form."""
    if callable(answer):
        return lambda *arguments: each_leaf(change, answer(*arguments))
    return each_leaf(change, answer)


def tensor(leaf, dtype=torch.float64):
    value = torch.as_tensor(leaf)
    return value if value.dtype == torch.bool else value.to(dtype)


def single(leaf):
    return tensor(leaf, torch.float32)


def array(leaf, dtype=np.float64):
    value = tensor(leaf).detach().numpy()
    return value if value.dtype == bool else value.astype(dtype)


def tupled(rows):
    return tuple(tupled(row) for row in rows) if isinstance(rows, list) else rows


def fraction(leaf):
    value = tensor(leaf)
    whole = value.ndim or value.dtype == torch.bool
    return value.tolist() if whole else fractions.Fraction(value.item())


def complex_number(leaf):
    return leaf if tensor(leaf).dtype == torch.bool else tensor(leaf).to(torch.complex128)


FORMS = {
    "Python": lambda leaf: tensor(leaf).tolist(),
    "numpy scalars": lambda leaf: array(leaf)[()],
    "numpy arrays": array,
    "numpy float32": lambda leaf: array(leaf, np.float32),
    "numpy float32 scalars": lambda leaf: array(leaf, np.float32)[()],
    "numpy object": lambda leaf: array(leaf).astype(object),
    "read-only, big-endian": lambda leaf: np.frombuffer(
        array(leaf).astype(">f8").tobytes(), ">f8"
    ).reshape(array(leaf).shape),
    "torch float32": single,
    "torch float64": tensor,
    "torch with gradient": lambda leaf: (
        tensor(leaf)
        if tensor(leaf).dtype == torch.bool
        else tensor(leaf).detach().clone().requires_grad_()
    ),
    "tuples": lambda leaf: tupled(tensor(leaf).tolist()),
    "lists of torch numbers": lambda leaf: list(tensor(leaf)) if tensor(leaf).ndim else leaf,
    "in a list": lambda leaf: leaf if tensor(leaf).ndim else [leaf],
    "in a tuple": lambda leaf: leaf if tensor(leaf).ndim else (leaf,),
    "with an axis more": lambda leaf: tensor(leaf)[..., None],
    "fractions": fraction,
    "complex without an imaginary part": complex_number,
}

# `math` as a reader has it who writes torch for it: all of it in float32
TORCH_MATH = SimpleNamespace(
    inf=math.inf,
    pi=math.pi,
    ceil=math.ceil,
    lcm=math.lcm,
    degrees=lambda angle: torch.rad2deg(single(angle)),
    prod=lambda values: torch.stack([single(v) for v in values]).prod(),
    **{
        name: lambda *args, name=name: getattr(torch, name)(*map(single, args))
        for name in (
            "log",
            "log2",
            "exp",
            "expm1",
            "sqrt",
            "acos",
            "cos",
            "cosh",
            "tanh",
            "sinh",
            "hypot",
        )
    },
)


class Hostile:
    """Whatever is done with it fails."""

    def fails(self, *arguments):
        raise ArithmeticError("hands off")

    __eq__ = __ne__ = __bool__ = __float__ = __index__ = __len__ = __iter__ = fails
    __getattr__ = __array__ = __repr__ = __str__ = __hash__ = __getitem__ = fails
    __class__ = property(fails)


class Silent(BaseException):
    """An error that does not even tell what it is."""

    def __str__(self):
        raise ArithmeticError


def raising(error):
    def fails(*arguments):
        raise error

    return fails


def endless(*arguments):
    return endless(*arguments)


async def later(*arguments):
    return 1.0


def itself():
    answer = []
    answer.append(answer)
    return answer


CONSTANTS = {
    "0": 0,
    "1": 1,
    "0.5": 0.5,
    "True": True,
    "False": False,
    "None": None,
    "dots": ...,
    "text": "1.0",
    "NaN": math.nan,
    "infinity": math.inf,
    "negative infinity": -math.inf,
    "imaginary": 1j,
    "too large for a float": 10**400,
    "np.int64": np.int64(1),
    "np.True_": np.True_,
    "np.float16": np.float16(1),
    "array of text": np.array(["1"]),
    "torch number": torch.tensor(1.0),
    "torch half": torch.tensor(1.0, dtype=torch.bfloat16),
    "torch meta": torch.ones((), device="meta"),
    "NaN tensor": torch.full((3,), math.nan),
    "[1.0]": [1.0],
    "[]": [],
    "()": (),
    "[[], []]": [[], []],
    "[None]": [None],
    "[[1, 2], [3]]": [[1, 2], [3]],
    "a list of itself": itself(),
    "{}": {},
    "long": [1.0] * 100_000,
    "range": range(10**15),
    "object": object(),
    "hostile": Hostile(),
    "hostile in a list": [Hostile(), Hostile()],
    "type": float,
    "function": print,
}
NUMBERS = {
    "0",
    "1",
    "0.5",
    "np.int64",
    "torch number",
    "[1.0]",
    "no function",
}  # in some dictionary right
FAILURES = {
    "an error": raising(ValueError("by hand")),
    "an error without words": raising(Silent()),
    "an exit": raising(SystemExit(1)),
    "endless recursion": endless,
    "wrong arity": lambda: 1.0,
    "a generator": lambda *arguments: (x for x in [1.0, 2.0]),
    "a generator function": lambda *arguments: iter([1.0]),
    "a coroutine": later,
    "a class": object,
    "a class of lists": list,
    "no function": 1.0,
    "a hostile object": Hostile(),
    "text": "answer",
}
