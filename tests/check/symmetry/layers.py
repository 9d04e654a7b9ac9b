"""Answers to the exercises on layered networks: the right ones, and mistakes with their hints."""

from itertools import pairwise

import torch


def with_ends(scales):
    one = torch.ones_like(scales[0][:1])
    return [one, *scales, one]


def rescale_layers(weights, biases, scales):
    ends = list(pairwise(with_ends(scales)))
    new = [w * after[:, None] / before for w, (before, after) in zip(weights, ends, strict=True)]
    return new, [b * after for b, (_, after) in zip(biases, ends, strict=True)]


def walk(weights, others):
    scales, before = [], torch.ones_like(weights[0][0])
    for old, new in zip(weights[:-1], others[:-1], strict=True):
        before = (new / old)[:, 0] * before[0]
        scales.append(before)
    return scales


def fits(weights, others, scales):
    if any((a <= 0).any() for a in scales):
        return False
    new, _ = rescale_layers(weights, [torch.zeros_like(w[:, 0]) for w in weights], scales)
    return all(torch.allclose(a, b) for a, b in zip(new, others, strict=True))


def recover_scales(weights, others):
    scales = walk(weights, others)
    return scales if fits(weights, others, scales) else False


def blind_to_signs(weights, others):
    sizes = [[w.abs() for w in ws] for ws in (weights, others)]
    scales = walk(*sizes)
    return scales if fits(*sizes, scales) else False


def rescale_gradients(weights, biases, scales):
    return rescale_layers(weights, biases, [1 / a for a in scales])


REFERENCES = {
    "rescale_layers": rescale_layers,
    "recover_scales": recover_scales,
    "rescale_gradients": rescale_gradients,
}


def first_layer_only(weights, biases, scales):
    new, shifted = rescale_layers(weights, biases, scales)
    return [new[0], *weights[1:]], [shifted[0], *biases[1:]]


def in_place(weights, biases, scales):
    weights[0] *= scales[0][:, None]
    return weights, biases


MISTAKES = {
    "rescale_layers": [
        (lambda w, b, a: (rescale_layers(w, b, a)[0], b), "biases belong"),
        (
            lambda w, b, a: (
                [x * s[:, None] for x, s in zip(w, with_ends(a)[1:], strict=True)],
                rescale_layers(w, b, a)[1],
            ),
            "have to divide",
        ),
        (
            lambda w, b, a: (
                [
                    x * after[:, None] * before
                    for x, (before, after) in zip(w, pairwise(with_ends(a)), strict=True)
                ],
                rescale_layers(w, b, a)[1],
            ),
            "not multiplied",
        ),
        (in_place, "wrote into its arguments"),
        (lambda w, b, a: w, "two lists"),
    ],
    "recover_scales": [
        (lambda w, v: [1 / a for a in walk(w, v)], "lead back"),
        (lambda w, v: [a.log() for a in walk(w, v)], "logarithms"),
        (
            lambda w, v: [(n / o)[:, 0] for o, n in zip(w[:-1], v[:-1], strict=True)],
            "first hidden layer is right",
        ),
        (lambda w, v: [torch.ones(len(x)).double() for x in w[:-1]], "does not lead"),
        (lambda w, v: w, "list of 1 vectors"),
        (lambda w, v: False, "you said they are not"),
        (walk, "rescale by your answer and compare"),
        (blind_to_signs, "differs in a sign"),
    ],
    "rescale_gradients": [
        (rescale_layers, "stretching a landscape"),
        (lambda w, b, a: (w, b), "its gradient does not"),
        (lambda w, b, a: (rescale_gradients(w, b, a)[0], b), "like any other"),
        (lambda w, b, a: ([0 * x for x in w], b), "divide each derivative"),
        (lambda w, b, a: w, "two lists"),
    ],
}
