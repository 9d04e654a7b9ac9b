"""Checker of what rounding one layer costs: answers, and what they are of."""

import pytest
import torch

from gaugelib.gauges import quantise


def layer_errors(weight, sensitivity, bits, largest=None, twelve=12):
    codes = largest or 2 ** (bits - 1) - 1
    steps = [weight.abs().max(), weight.abs().amax(1, keepdim=True), weight]
    return [((q / codes) ** 2 / twelve * sensitivity).sum() for q in steps]


def with_codes(codes):
    return lambda w, s, bits: layer_errors(w, s, bits, largest=codes(bits))


def over(twelve):
    return lambda w, s, bits: layer_errors(w, s, bits, twelve=twelve)


def part(place, change):
    """The right numbers but for one of them."""

    def answer(w, s, bits):
        numbers = layer_errors(w, s, bits)
        numbers[place] = change(w, s, 12 * (2 ** (bits - 1) - 1) ** 2, numbers)
        return numbers

    return answer


def by_column(w, s, twelve, numbers):
    return (w.abs().amax(0).square() * s).sum() / twelve


def steps_not_squared(w, s, bits):
    tops = [w.abs().max(), w.abs().amax(1, keepdim=True), w.abs()]
    return [(q / (2 ** (bits - 1) - 1) / 12 * s).sum() for q in tops]


def at_a_random_sign(w, s, bits):
    """The largest weight, not the largest size: wrong unless it is positive."""
    return [(w.max().clamp(min=0) ** 2 * s).sum() / 12 / (2 ** (bits - 1) - 1) ** 2,
            *layer_errors(w, s, bits)[1:]]  # fmt: skip


REFERENCES = {"layer_errors": layer_errors}
MISTAKES = {
    "layer_errors": [
        (lambda *given: layer_errors(*given)[::-1], "the order"),
        (with_codes(lambda bits: 2 ** (bits - 1)), "not 128"),
        (with_codes(lambda bits: 2**bits - 1), "not 2^b − 1"),
        (with_codes(lambda bits: 2**bits), "not 2^b."),
        (with_codes(lambda bits: 127), "for 8 bits only"),
        (over(4), "that is the worst error"),
        (over(1), "not q²"),
        (over(3), "yours is for 0 to q"),
        (lambda w, s, b: [e / w.numel() for e in layer_errors(w, s, b)], "that is their mean"),
        (lambda *given: [e.sqrt() for e in layer_errors(*given)], "that is the root"),
        (lambda w, s, b: layer_errors(w, s * s, b), "is a square already"),
        (lambda w, s, b: layer_errors(w, 0 * s + 1, b), "the sensitivities are missing"),
        (steps_not_squared, "the step is squared"),
        (part(0, lambda w, s, twelve, e: e[1]), "the first has one step for the whole layer"),
        (part(0, lambda w, s, twelve, e: e[2]), "the first is the error"),
        (at_a_random_sign, "the largest weight may be negative"),
        (
            part(1, lambda w, s, t, e: (w.amax(1, keepdim=True) ** 2 * s).sum() / t),
            "the largest weight of a row may be negative",
        ),
        (part(1, by_column), "a step for each column"),
        (part(1, lambda w, s, twelve, e: e[0]), "the second has a step for each row"),
        (part(1, lambda w, s, twelve, e: e[2]), "the second is an error"),
        (
            part(2, lambda w, s, twelve, e: w.square().sum() * s.mean() / twelve),
            "with the square of its own weight",
        ),
        (part(2, lambda w, s, twelve, e: e[1]), "the error with one step a row"),
        (part(2, lambda w, s, twelve, e: e[0]), "the error with one step;"),
        (part(2, lambda w, s, twelve, e: e[0] / 9), "added up"),
        (lambda *given: layer_errors(*given)[:2], "return three numbers"),
    ],
}


@pytest.mark.parametrize("per_channel", [False, True])
def test_the_formula_is_the_mean_square_over_many_layers_that_are_rounded(per_channel):
    draw = torch.Generator().manual_seed(0)
    size, count, bits = 60, 400, 8
    x = torch.randn(size, generator=draw).double()
    found, expected = 0.0, 0.0
    for _ in range(count):
        weight = torch.randn(2, size, generator=draw).double()
        change = (quantise(weight, bits, per_channel=per_channel) - weight) @ x
        found += float(change.square().sum())
        errors = layer_errors(weight, x.square().expand(2, size), bits)
        expected += float(errors[1 if per_channel else 0])
    assert found / expected == pytest.approx(1, abs=0.1)
    assert abs(found / expected - 3) > 1  # control: the worst error instead of the mean square


def test_bound_one_step_a_row_one_step_a_layer_are_in_this_order_and_equal_for_equal_sizes():
    draw = torch.Generator().manual_seed(1)
    for _ in range(20):
        weight, seen = (torch.randn(3, 5, generator=draw).double() for _ in range(2))
        one, by_row, least = layer_errors(weight, seen.square(), 8)
        assert least < by_row < one
    equal = layer_errors(weight.sign(), seen.square(), 8)
    torch.testing.assert_close(equal[0], equal[1])
    torch.testing.assert_close(equal[0], equal[2])


def test_in_a_chain_of_single_weights_every_gauge_has_the_bound():
    w = torch.tensor([0.3, -2.0, 5.0]).double()
    for scales in ([1.0, 1.0], [10.0, 0.1], [3.0, 7.0]):
        a = torch.tensor([1.0, *scales, 1.0]).double()
        moved = w * a[1:] / a[:-1]
        seen = [(moved.prod() / m).square()[None, None] for m in moved]
        errors = [layer_errors(m[None, None], s, 8) for m, s in zip(moved, seen)]
        for one, by_row, least in errors:
            assert float(one) == pytest.approx(9 / (12 * 127**2))
            assert float(by_row) == pytest.approx(float(one))
            assert float(least) == pytest.approx(float(one))
