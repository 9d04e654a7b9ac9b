"""Gradient descent of many small networks: on a page, by shared weights, and without either."""

import math

import pytest
import torch
from sympy.combinatorics import CyclicGroup, SymmetricGroup
from torch.func import grad

from gaugelib import GaugeError
from gaugelib.equivariance import (
    barriers,
    deep_sets,
    descend,
    equivariant_space,
    natural,
    teacher_gradient,
    teacher_loss,
    trivial,
)

F64 = torch.float64


def channel(n):
    group = SymmetricGroup(n)
    return equivariant_space([natural(group), natural(group), trivial(group)])


def starts(count, n=3, seed=0):
    draw = torch.Generator().manual_seed(seed)
    a, b = 0.7 * torch.randn(2, count, generator=draw, dtype=F64)
    return deep_sets(a, b, n=n)


def delta(W):
    return W[..., 0, 0] - W[..., 0, 1]


def test_a_deep_sets_channel_is_two_numbers_and_its_outputs_weight():
    W, v = deep_sets(0.1, -0.7, 2.0, n=4)
    eye, ones = torch.eye(4, dtype=F64), torch.ones(4, 4, dtype=F64)
    torch.testing.assert_close(W, 0.8 * eye - 0.7 * ones)
    assert torch.equal(W.diagonal(), torch.full((4,), 0.1, dtype=F64))  # no rounding of a - b + b
    assert torch.equal(v, torch.full((4,), 2.0, dtype=F64))
    assert channel(4).distance({"0.weight": W, "2.weight": v[None]}) == 0.0
    W[0, 1] = 0.0
    assert channel(4).distance({"0.weight": W, "2.weight": v[None]}) > 0.1


def test_it_takes_batches_dtypes_and_no_other_shapes():
    a = torch.zeros(5, 1, dtype=torch.float32)
    W, v = deep_sets(a, torch.ones(4, dtype=torch.float32), 0.5)
    assert (W.shape, v.shape, W.dtype, v.dtype) == (
        (5, 4, 3, 3),
        (5, 4, 3),
        torch.float32,
        torch.float32,
    )
    assert deep_sets(1, 2)[0].dtype == F64
    with pytest.raises(GaugeError, match="shapes that do not broadcast"):
        deep_sets(torch.zeros(2), torch.zeros(3))
    with pytest.raises(GaugeError, match="n must be a positive whole number, found 0"):
        deep_sets(1.0, 2.0, n=0)


def test_one_step_without_a_space_is_against_the_gradient():
    (W, v), teacher = starts(6), deep_sets(1.0, 0.2)
    run = descend(W, v, teacher, lr=0.1, steps=1)
    dW, dv = teacher_gradient(W, v, teacher)
    torch.testing.assert_close(run.W, torch.stack([W, W - 0.1 * dW]))
    torch.testing.assert_close(run.v, torch.stack([v, v - 0.1 * dv]))
    torch.testing.assert_close(run.loss[1], teacher_loss(run.W[1], run.v[1], teacher))
    fixed = descend(W, v, teacher, lr=0.1, steps=1, train_v=False)
    torch.testing.assert_close(fixed.W, run.W)
    assert torch.equal(fixed.v[1], v)


@pytest.mark.parametrize("metric", ["inherited", "raw"])
def test_one_step_on_the_page_is_that_of_the_shared_numbers(metric):
    (W, v), teacher, space = starts(1, n=4), deep_sets(1.0, 0.2, n=4), channel(4)
    a, b = W[0, 0, 0], W[0, 0, 1]

    def loss(a, b, c):
        eye = torch.eye(4, dtype=F64)
        return teacher_loss((a - b) * eye + b, c * torch.ones(4, dtype=F64), teacher)

    slopes = grad(loss, argnums=(0, 1, 2))(a, b, torch.ones((), dtype=F64))
    counts = (1, 1, 1) if metric == "raw" else (4, 12, 4)
    moved = [x - 0.05 * s / m for x, s, m in zip((a, b, 1.0), slopes, counts)]
    run = descend(W[0], v[0], teacher, lr=0.05, steps=1, space=space, metric=metric)
    W1, v1 = deep_sets(*moved, n=4)
    torch.testing.assert_close(run.W[1], W1, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(run.v[1], v1, rtol=1e-10, atol=1e-12)
    other = descend(
        W[0],
        v[0],
        teacher,
        lr=0.05,
        steps=1,
        space=space,
        metric="inherited" if metric == "raw" else "raw",
    )
    assert (other.W[1] - W1).abs().max() > 1e-3


def test_the_inherited_metric_is_the_gradient_projected_on_the_page():
    (W, v), teacher, space = starts(5), deep_sets(-0.5, 1.0), channel(3)
    dW, dv = teacher_gradient(W, v, teacher)
    near = space.project({"0.weight": dW, "2.weight": dv[..., None, :]})
    run = descend(W, v, teacher, lr=0.1, steps=1, space=space)
    torch.testing.assert_close(run.W[1], W - 0.1 * near["0.weight"])
    torch.testing.assert_close(run.v[1], v - 0.1 * near["2.weight"][..., 0, :])
    torch.testing.assert_close(near["0.weight"], dW)  # which is there already: an invariant teacher


def test_the_projection_matters_where_the_teacher_has_not_the_symmetry():
    (W, v), space = starts(5), channel(3)
    draw = torch.Generator().manual_seed(1)
    teacher = torch.randn(2, 3, generator=draw, dtype=F64), torch.ones(2, dtype=F64)
    on = descend(W, v, teacher, lr=0.1, steps=3, space=space)
    off = descend(W, v, teacher, lr=0.1, steps=3)
    params = {"0.weight": off.W[-1], "2.weight": off.v[-1][..., None, :]}
    assert (space.distance(params) > 1e-2).all()
    assert (on.W[-1] - off.W[-1]).abs().max() > 1e-2


def test_on_the_page_equal_weights_stay_equal_to_the_last_bit():
    (W, v), teacher, space = starts(5), deep_sets(-0.5, 1.0), channel(3)
    run = descend(W, v, teacher, lr=0.05, steps=300, space=space, every=100)
    params = {"0.weight": run.W, "2.weight": run.v[..., None, :]}
    assert space.distance(params).max() == 0.0


def test_without_a_constraint_it_stays_on_the_page_up_to_rounding():
    (W, v), teacher, space = starts(20), deep_sets(-0.5, 1.0), channel(3)
    free = descend(W, v, teacher, lr=0.05, steps=300)
    bound = descend(W, v, teacher, lr=0.05, steps=300, space=space)
    torch.testing.assert_close(free.W[-1], bound.W[-1], rtol=0, atol=1e-12)
    noise = 1e-3 * torch.randn(W.shape, generator=torch.Generator().manual_seed(0), dtype=F64)
    away = descend(W + noise, v, teacher, lr=0.05, steps=300)
    assert (away.W[-1] - bound.W[-1]).abs().max() > 1e-3


def test_the_inherited_metric_keeps_the_side_and_raw_sharing_does_not():
    (W, v), teacher, space = starts(50), deep_sets(-0.5, 1.0), channel(3)
    (wall,) = barriers(space)
    sides = {}
    for metric in ("inherited", "raw"):
        run = descend(W, v, teacher, lr=0.02, steps=600, space=space, metric=metric, every=1)
        side = wall.side({"0.weight": run.W, "2.weight": run.v[..., None, :]})
        sides[metric] = (side.sign() != side[0].sign()).any(dim=0)
    assert not sides["inherited"].any()
    assert sides["raw"].any()


def test_the_loss_goes_down():
    (W, v), teacher = starts(20), deep_sets(1.0, 0.2)
    for more in ({}, {"space": channel(3)}, {"space": channel(3), "metric": "raw"}):
        run = descend(W, v, teacher, lr=0.01, steps=50, every=10, **more)
        assert (run.loss.diff(dim=0) < 0).all()
    assert (run.loss[-1] > 0).all()


@pytest.mark.parametrize(
    ("steps", "every", "kept"),
    [(0, None, [0]), (5, None, [0, 5]), (5, 2, [0, 2, 4, 5]), (4, 2, [0, 2, 4]), (3, 9, [0, 3])],
)
def test_the_start_every_so_many_steps_and_the_end_are_recorded(steps, every, kept):
    (W, v), teacher = starts(2), deep_sets(1.0, 0.2)
    run = descend(W, v, teacher, lr=0.1, steps=steps, every=every)
    assert run.steps.tolist() == kept
    every_step = descend(W, v, teacher, lr=0.1, steps=steps, every=1)
    for name in ("W", "v", "loss"):
        assert torch.equal(getattr(run, name), getattr(every_step, name)[kept])
    assert torch.equal(run.W[0], W)


def test_each_network_may_have_its_own_step_and_teacher():
    W, v = starts(3)
    teacher = deep_sets(torch.tensor([1.0, -0.5, 0.3], dtype=F64), 0.2)
    rates = torch.tensor([0.1, 0.2, 0.05], dtype=F64)
    for space in (None, channel(3)):
        run = descend(W, v, teacher, lr=rates, steps=5, space=space)
        for k in range(3):
            one = teacher[0][k], teacher[1][k]
            alone = descend(W[k], v[k], one, lr=float(rates[k]), steps=5, space=space)
            torch.testing.assert_close(run.W[:, k], alone.W)
            torch.testing.assert_close(run.loss[:, k], alone.loss)


def test_float32_stays_float32():
    W, v = (x.to(torch.float32) for x in starts(4))
    teacher = tuple(x.to(torch.float32) for x in deep_sets(1.0, 0.2))
    for more in ({}, {"space": channel(3)}, {"space": channel(3), "metric": "raw"}):
        run = descend(W, v, teacher, lr=0.05, steps=3, **more)
        assert {run.W.dtype, run.v.dtype, run.loss.dtype} == {torch.float32}


def test_a_run_that_diverges_ends_in_numbers_that_are_not_finite():
    run = descend(*starts(2), deep_sets(1.0, 0.2), lr=50.0, steps=60)
    assert not run.loss[-1].isfinite().any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": -1}, "steps >= 0 and every >= 1, found -1"),
        ({"steps": 2.5}, "must be whole numbers, .* found 2.5 and None"),
        ({"every": 0}, "steps >= 0 and every >= 1, found 3 and 0"),
        ({"every": 1.5}, "must be whole numbers, .* found 3 and 1.5"),
        ({"lr": 0.0}, "lr must be finite and > 0, found 0 among"),
        ({"lr": math.nan}, "lr must be finite and > 0, found nan among"),
        ({"lr": math.inf}, "lr must be finite and > 0"),
        ({"lr": torch.tensor([0.1, 0.1, 0.1])}, r"one for each network of the batch \(2,\), found"),
        ({"metric": "euclidean"}, "metric must be one of .*, found 'euclidean'"),
        ({"metric": "raw"}, "raw sharing asks for a space"),
        ({"space": channel(4)}, "the space must be one of the weights"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(GaugeError, match=message):
        descend(*starts(2), deep_sets(1.0, 0.2), **{"lr": 0.1, "steps": 3, **change})


def test_a_space_with_biases_or_more_layers_is_refused():
    group = SymmetricGroup(3)
    rho, one = natural(group), trivial(group)
    for space in (
        equivariant_space([rho, rho, one], bias=True),
        equivariant_space([rho, rho, rho, one]),
        equivariant_space([rho, rho, rho]),
    ):
        with pytest.raises(GaugeError, match="the space must be one of the weights"):
            descend(*starts(2), deep_sets(1.0, 0.2), lr=0.1, steps=1, space=space)


def test_a_start_that_is_not_in_the_space_is_refused():
    W, v = starts(2)
    W[1, 0, 2] += 1e-9
    with pytest.raises(GaugeError, match=r"the start must be in the space; it is 9.*e-10 away"):
        descend(W, v, deep_sets(1.0, 0.2), lr=0.1, steps=1, space=channel(3))
    group = CyclicGroup(3)
    cyclic = equivariant_space([natural(group), natural(group), trivial(group)])
    assert descend(*starts(2), deep_sets(1.0, 0.2), lr=0.1, steps=1, space=cyclic).steps[-1] == 1


def test_a_start_too_large_to_be_compared_with_the_space_is_refused():
    W, v = deep_sets(1e200, 5e199)
    assert descend(W, v, (W, v), lr=0.1, steps=0, space=channel(3)).steps.tolist() == [0]
    W[0, 1] = -W[0, 1]  # the distance from the space is infinite, and so is the length of W
    with pytest.raises(GaugeError, match="the start must be in the space"):
        descend(W, v, (W, v), lr=0.1, steps=0, space=channel(3))


@pytest.mark.parametrize("space", [None, channel(3)])
def test_a_teacher_in_float64_makes_it_a_descent_in_float64(space):
    W, v = (x.float() for x in starts(2))
    teacher = deep_sets(1.0, 0.2)
    run = descend(W, v, teacher, lr=0.1, steps=3, space=space)
    other = descend(W.double(), v.double(), teacher, lr=0.1, steps=3, space=space)
    assert run.W.dtype == F64
    assert torch.equal(run.W, other.W)
    assert torch.equal(run.loss, other.loss)


def test_numbers_of_a_channel_are_not_cut_to_whole_ones():
    with pytest.raises(GaugeError, match=r"must be of a floating dtype, found .*int64"):
        deep_sets(torch.tensor(1), 0.5)
    half, wide = torch.tensor(1.0, dtype=torch.float16), torch.tensor(0.1, dtype=F64)
    assert deep_sets(half, wide)[0][0, 1] == 0.1
    for n in (0, 2.0, True, "3"):
        with pytest.raises(GaugeError, match="n must be a positive whole number"):
            deep_sets(1.0, 0.5, n=n)


def test_nothing_that_is_given_is_changed():
    (W, v), (T, u) = starts(2), deep_sets(1.0, 0.2)
    before = [x.clone() for x in (W, v, T, u)]
    descend(W, v, (T, u), lr=0.1, steps=3)
    descend(W, v, (T, u), lr=0.1, steps=3, space=channel(3))
    for one, two in zip((W, v, T, u), before):
        assert torch.equal(one, two)
