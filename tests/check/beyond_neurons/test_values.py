"""Checker of shared value channels: answers, and the traced group."""

import torch
from torch.nn import functional

import gaugelib as gl
from gaugelib.networks import small_transformer


def parts(w_v, w_o, size):
    return w_v.square().sum(1), w_o.square().sum(0).reshape(len(w_v) // size, -1, size)


def value_scales(w_v, w_o, size):
    into, out = parts(w_v, w_o, size)
    return (out.sum(1).flatten() / into) ** 0.25


def changed(reduce, power=0.25):
    def answer(w_v, w_o, size):
        into, out = parts(w_v, w_o, size)
        return (reduce(out, w_v, w_o, size) / into) ** power

    return answer


def summed(out, *_):
    return out.sum(1).flatten()


def dealt(out, w_v, w_o, size):
    return w_o.square().sum(0).reshape(-1, len(w_v) // size, size).sum(0).flatten()


def absolute(w_v, w_o, size):
    out = w_o.abs().sum(0).reshape(len(w_v) // size, -1, size).sum(1).flatten()
    return (out / w_v.abs().sum(1)) ** 0.5


REFERENCES = {"value_scales": value_scales}
MISTAKES = {
    "value_scales": [
        (lambda w_v, w_o, size: torch.ones(len(w_v)), "nothing was moved"),
        (changed(summed, -0.25), "upside down"),
        (changed(summed, 0.5), "that overshoots"),
        (changed(summed, 0.125), "half of the way"),
        (changed(dealt), "yours are dealt out in turn"),
        (changed(lambda out, *_: out[:, 0].flatten()), "counts one query head"),
        (changed(lambda out, *_: out.mean(1).flatten()), "and not a mean"),
        (absolute, "it is p = 1"),
        (
            lambda w_v, w_o, size: (
                (w_o.square().sum() / w_v.square().sum()).repeat(len(w_v)) ** 0.25
            ),
            "not the same for all",
        ),
        (lambda w_v, w_o, size: -value_scales(w_v, w_o, size), "a scale is positive"),
        (lambda w_v, w_o, size: 3 * value_scales(w_v, w_o, size), "are not balanced"),
        (lambda w_v, w_o, size: torch.ones(2, 3), "return one scale for each"),
    ]
}


def test_the_scales_balance_the_value_channels_of_a_traced_transformer():
    model = small_transformer(functional.silu)
    group = gl.trace_group(model, torch.zeros(2, 4).long())
    draw = torch.Generator().manual_seed(0)
    theta = {n: torch.randn(w.shape, generator=draw).double() for n, w in model.named_parameters()}
    found = value_scales(theta["1.attention.v.weight"], theta["1.attention.o.weight"], 4)
    scales, where = group.identity(), group.layers["1.attention.v"]
    scales[where] = found
    moved = gl.rescale(theta, scales, group)
    assert gl.imbalance(moved, group)[where].abs().max() < 1e-10
    assert gl.imbalance(theta, group)[where].abs().max() > 1  # control: before, they are not
