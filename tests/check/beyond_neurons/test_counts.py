"""Checker of the dials of a transformer: answers, and the traced group."""

import pytest
import torch
from torch.nn import functional

from gaugelib import trace_group
from gaugelib.networks import small_transformer


def transformer_dials(blocks, width, heads, shared, size, inner, rotary, relu):
    keys = shared * size / 2 if rotary else shared * size
    return (2 * blocks + 1) * width + blocks * (keys + shared * size + inner * (1 + relu))


def with_parts(norms=lambda b: 2 * b + 1, keys=None, values=None, gates=lambda relu: 1 + relu):
    def count(b, w, h, s, c, n, rotary, relu):
        of_keys = (keys or (lambda h, s, c, r: s * c / 2 if r else s * c))(h, s, c, rotary)
        of_values = (values or (lambda h, s, c, r: s * c))(h, s, c, rotary)
        return norms(b) * w + b * (of_keys + of_values + n * gates(relu))

    return count


REFERENCES = {"transformer_dials": transformer_dials}
MISTAKES = {
    "transformer_dials": [
        (with_parts(norms=lambda b: 2 * b), "behind the last block has a gain"),
        (with_parts(norms=lambda b: b + 1), "each block has two normalisations"),
        (with_parts(norms=lambda b: 0), "the gains have dials, too"),
        (with_parts(norms=lambda b: 2 * b + 2), "the stream has none"),
        (with_parts(keys=lambda h, s, c, r: s * c), "mix the two channels of a pair"),
        (
            with_parts(values=lambda h, s, c, r: s * c / 2 if r else s * c),
            "turn queries and keys, and not the values",
        ),
        (
            lambda b, w, h, s, c, n, r, relu: transformer_dials(b, w, h, h, c, n, r, relu),
            "that counts query heads",
        ),
        (
            with_parts(keys=lambda h, s, c, r: (h + s) * c / (2 if r else 1)),
            "queries and keys have one dial between them",
        ),
        (with_parts(values=lambda h, s, c, r: 0), "keys have dials, and so have values"),
        (with_parts(keys=lambda h, s, c, r: 0), "keys have dials, and so have values"),
        (with_parts(gates=lambda relu: 1), "a ReLU lets a factor pass"),
        (with_parts(gates=lambda relu: 2), "not homogeneous grounds the gate"),
        (
            lambda b, w, h, s, c, n, r, relu: (
                transformer_dials(b, w, h, s, c, n, r, relu)
                - (b - 1) * (s * c * (1.5 if r else 2) + n * (1 + relu))
            ),
            "that is one block's share",
        ),
        (lambda *numbers: 10.0, "count the gains, the keys, the values and the inner channels"),
    ]
}


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("act", [functional.silu, functional.relu])
def test_the_formula_counts_what_is_traced(blocks, act):
    relu = act is functional.relu
    group = trace_group(small_transformer(act, blocks=blocks), torch.zeros(1, 3).long())
    assert group.units == transformer_dials(blocks, 8, 2, 1, 4, 6, 1, relu)
    assert group.units != transformer_dials(blocks, 8, 2, 2, 4, 6, 1, relu)  # control
