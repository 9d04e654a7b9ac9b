"""The mean loss over normal inputs, exactly, and its gradient."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch.func import grad

from gaugelib import GaugeError
from gaugelib.equivariance import deep_sets, teacher_gradient, teacher_loss

F64 = torch.float64


def network(n, d, seed, batch=(), dtype=F64):
    draw = torch.Generator().manual_seed(seed)
    W = torch.randn(*batch, n, d, generator=draw, dtype=dtype)
    return W, torch.randn(*batch, n, generator=draw, dtype=dtype)


def outputs(W, v, x):
    return (x @ W.mT).relu() @ v


def by_quadrature(W, v, teacher):
    """In the plane: the loss is of degree 2 in |x|, whose square has the mean 2."""
    rows, weights = torch.cat([W, teacher[0]]).numpy(), torch.cat([v, -teacher[1]]).numpy()
    kinks = np.arctan2(rows[:, 1], rows[:, 0])
    kinks = np.concatenate([kinks + math.pi / 2, kinks - math.pi / 2]) % (2 * math.pi)
    ends = [0.0, *sorted(kinks), 2 * math.pi]

    def integrand(angle):
        x = np.array([math.cos(angle), math.sin(angle)])
        return (np.maximum(rows @ x, 0) @ weights) ** 2

    pieces = [quad(integrand, *pair, epsabs=1e-13)[0] for pair in itertools.pairwise(ends)]
    return sum(pieces) / (2 * math.pi)


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_the_integral_over_the_plane(seed):
    student, teacher = network(3, 2, seed), network(2, 2, seed + 100)
    expected = by_quadrature(*student, teacher)
    assert teacher_loss(*student, teacher).item() == pytest.approx(expected, rel=1e-11)
    assert teacher_loss(*student, network(2, 2, seed + 101)).item() != pytest.approx(expected)


@pytest.mark.parametrize("d", [1, 3, 5])
def test_the_loss_is_the_mean_over_drawn_inputs(d):
    student, teacher = network(4, d, 1), network(2, d, 2)
    x = torch.randn(400_000, d, generator=torch.Generator().manual_seed(3), dtype=F64)
    losses = (outputs(*student, x) - outputs(*teacher, x)).square() / 2
    error = 5 * losses.std() / math.sqrt(len(x))
    assert abs(losses.mean() - teacher_loss(*student, teacher)) < error
    wider = 1.05**2 * losses.mean()  # what inputs of another variance would give
    assert abs(wider - teacher_loss(*student, teacher)) > error


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_the_gradient_is_that_of_the_loss_by_autograd(d):
    W, v = network(4, d, 5, batch=(3,))
    teacher = network(3, d, 6, batch=(3,))
    slopes = teacher_gradient(W, v, teacher)
    expected = grad(lambda W, v: teacher_loss(W, v, teacher).sum(), argnums=(0, 1))(W, v)
    for ours, theirs in zip(slopes, expected):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)


def test_the_gradient_is_that_of_the_mean_error_of_drawn_inputs():
    (W, v), teacher = network(3, 3, 7), network(2, 3, 8)
    x = torch.randn(400_000, 3, generator=torch.Generator().manual_seed(9), dtype=F64)
    miss = outputs(W, v, x) - outputs(*teacher, x)
    on = x @ W.mT > 0
    each = miss[:, None, None] * (v * on)[:, :, None] * x[:, None]
    error = 5 * each.std(dim=0) / math.sqrt(len(x))
    dW, dv = teacher_gradient(W, v, teacher)
    assert ((each.mean(0) - dW).abs() < error).all()
    each = miss[:, None] * (x @ W.mT).relu()
    assert ((each.mean(0) - dv).abs() < 5 * each.std(dim=0) / math.sqrt(len(x))).all()


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["parallel", "opposite"])
def test_the_gradient_is_right_where_units_are_parallel_or_opposite(sign):
    W = torch.tensor([[1.0, 2.0, -1.0], [sign * 0.5, sign * 1.0, sign * -0.5]], dtype=F64)
    v, (T, u) = torch.tensor([0.7, -1.2], dtype=F64), network(2, 3, 4)
    dW, _ = teacher_gradient(W, v, (T, u))
    for i, k in itertools.product(range(2), range(3)):
        step = torch.zeros_like(W)
        step[i, k] = 1e-5
        rise = teacher_loss(W + step, v, (T, u)) - teacher_loss(W - step, v, (T, u))
        assert dW[i, k].item() == pytest.approx(rise.item() / 2e-5, abs=1e-8)


def with_many_digits(W, v, teacher):
    """Loss and gradient by the formula with the arc cosine, in 60 digits."""
    mp = mpmath.MPContext()
    mp.dps = 60
    rows = [[mp.mpf(x) for x in row] for row in torch.cat([W, teacher[0]]).tolist()]
    q = [mp.mpf(x) for x in torch.cat([v, -teacher[1]]).tolist()]

    def dot(a, b):
        return mp.fsum(x * y for x, y in zip(a, b))

    norm = [mp.sqrt(dot(row, row)) for row in rows]
    loss, slopes = mp.mpf(0), [[mp.mpf(0)] * len(rows[0]) for _ in v]
    for i, j in itertools.product(range(len(rows)), repeat=2):
        cosine = dot(rows[i], rows[j]) / norm[i] / norm[j]
        angle = mp.acos(max(-1, min(1, cosine)))
        shape = mp.sin(angle) + (mp.pi - angle) * mp.cos(angle)
        loss += q[i] * q[j] * norm[i] * norm[j] * shape / (4 * mp.pi)
        if i < len(v):
            for k in range(len(rows[0])):
                outward = norm[j] * mp.sin(angle) * rows[i][k] / norm[i]
                part = outward + (mp.pi - angle) * rows[j][k]
                slopes[i][k] += q[i] * q[j] * part / (2 * mp.pi)
    return float(loss), torch.tensor([[float(x) for x in row] for row in slopes], dtype=F64)


@pytest.mark.parametrize("angle", [1e-3, 1e-6, 1e-9, 1e-12, math.pi - 1e-9])
def test_it_is_right_where_units_are_nearly_parallel(angle):
    W = torch.tensor([[1.0, 0.0], [math.cos(angle), math.sin(angle)]], dtype=F64)
    v, teacher = torch.tensor([1.0, -1.0], dtype=F64), network(2, 2, 0)
    loss, slopes = with_many_digits(W, v, teacher)
    assert teacher_loss(W, v, teacher).item() == pytest.approx(loss, abs=1e-15)
    ours, _ = teacher_gradient(W, v, teacher)
    torch.testing.assert_close(ours, slopes, rtol=0, atol=2e-15)


def test_the_arc_cosine_in_float64_would_lose_half_of_the_digits():
    angle = 1e-9
    cosine = torch.tensor(math.cos(angle), dtype=F64)
    assert torch.arccos(cosine) == 0.0


def test_a_teacher_is_a_minimum_of_its_own_loss():
    W, v = network(3, 4, 1)
    assert abs(teacher_loss(W, v, (W, v))) < 1e-15
    for slope in teacher_gradient(W, v, (W, v)):
        assert slope.abs().max() < 1e-15
    order = torch.tensor([2, 0, 1])
    scale = torch.tensor([2.0, 0.5, 8.0], dtype=F64)
    other = W[order] * scale[:, None], v[order] / scale
    assert abs(teacher_loss(*other, (W, v))) < 1e-15
    assert teacher_loss(W[order], v, (W, v)) > 1e-2


def test_rotated_inputs_have_the_same_loss():
    (W, v), (T, u) = network(3, 4, 1), network(2, 4, 2)
    Q, _ = torch.linalg.qr(network(4, 4, 3)[0])
    loss = teacher_loss(W, v, (T, u))
    torch.testing.assert_close(teacher_loss(W @ Q, v, (T @ Q, u)), loss)
    assert abs(teacher_loss(W @ Q, v, (T, u)) - loss) > 1e-2


def test_batches_broadcast_and_each_network_is_by_itself():
    W, v = network(3, 3, 1, batch=(4, 1))
    T, u = network(2, 3, 2, batch=(5,))
    loss = teacher_loss(W, v, (T, u))
    dW, dv = teacher_gradient(W, v, (T, u))
    assert (loss.shape, dW.shape, dv.shape) == ((4, 5), (4, 5, 3, 3), (4, 5, 3))
    for i, j in itertools.product(range(4), range(5)):
        alone = W[i, 0], v[i, 0], (T[j], u[j])
        torch.testing.assert_close(loss[i, j], teacher_loss(*alone))
        torch.testing.assert_close((dW[i, j], dv[i, j]), teacher_gradient(*alone))


def test_float32_gives_float32():
    student, teacher = network(3, 3, 1, dtype=torch.float32), network(2, 3, 2, dtype=torch.float32)
    wide = tuple(x.double() for x in student), tuple(x.double() for x in teacher)
    loss = teacher_loss(*student, teacher)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), teacher_loss(*wide[0], wide[1]), rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(
        teacher_gradient(*student, teacher), teacher_gradient(*wide[0], wide[1])
    ):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-5)


def test_a_unit_without_first_weights_has_a_loss_but_no_gradient():
    W, v = network(3, 3, 1)
    W[1] = 0
    teacher = network(2, 3, 2)
    rest = [0, 2]
    loss = teacher_loss(W, v, teacher)
    torch.testing.assert_close(loss, teacher_loss(W[rest], v[rest], teacher))
    with pytest.raises(GaugeError, match=r"unit \[1\] has first weights 0 .* no gradient there"):
        teacher_gradient(W, v, teacher)
    step = torch.tensor([1e-6, 0, 0], dtype=F64)
    slopes = []
    for sign in (1, -1):
        there = W.clone()
        there[1] = sign * step
        slopes.append((teacher_loss(there, v, teacher) - loss) / (sign * 1e-6))
    assert abs(slopes[0] - slopes[1]) > 1e-2  # a kink: another slope on each side


def test_a_unit_that_is_zero_on_both_sides_has_the_gradient_zero():
    W, v = network(3, 3, 1)
    W[1], v[1] = 0, 0
    teacher = network(2, 3, 2)
    dW, dv = teacher_gradient(W, v, teacher)
    assert torch.equal(dW[1], torch.zeros(3, dtype=F64))
    assert dv[1] == 0
    rest = teacher_gradient(W[[0, 2]], v[[0, 2]], teacher)
    torch.testing.assert_close((dW[[0, 2]], dv[[0, 2]]), rest)


def test_a_teacher_with_a_unit_of_zeros_is_one_without_it():
    student, (T, u) = network(3, 3, 1), network(2, 3, 2)
    more = torch.cat([T, torch.zeros(1, 3, dtype=F64)]), torch.cat([u, torch.ones(1, dtype=F64)])
    torch.testing.assert_close(teacher_loss(*student, more), teacher_loss(*student, (T, u)))
    torch.testing.assert_close(teacher_gradient(*student, more), teacher_gradient(*student, (T, u)))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((3, 2), (2,), (3, 2), (3,)), r"the student's weights must have shapes .* found \(3, 2\)"),
        (((3, 2), (3,), (3, 2), (2,)), "the teacher's weights must have shapes"),
        (((3,), (3,), (3, 2), (3,)), "the student's weights must have shapes"),
        (((3, 2), (), (3, 2), (3,)), "the student's weights must have shapes"),
        (((3, 2), (3,), (3, 4), (3,)), "different inputs: 2 and 4"),
        (((5, 3, 2), (4, 3), (3, 2), (3,)), "the batch dimensions of these shapes do not fit"),
        (((5, 3, 2), (5, 3), (4, 3, 2), (3,)), "the batch dimensions of these shapes do not fit"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(shapes, message):
    W, v, T, u = (torch.ones(shape, dtype=F64) for shape in shapes)
    for ask in (teacher_loss, teacher_gradient):
        with pytest.raises(GaugeError, match=message):
            ask(W, v, (T, u))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    (W, v), (T, u) = deep_sets(1.0, 0.5), deep_sets(0.5, bad)
    for arguments, who in (((T, v, (W, u)), "student"), ((W, v, (T, u)), "teacher")):
        with pytest.raises(GaugeError, match=f"the {who}'s weights must be finite"):
            teacher_loss(*arguments)
    with pytest.raises(GaugeError, match="must be finite numbers of a floating dtype"):
        teacher_loss(torch.ones(2, 2, dtype=torch.int64), v[:2], (W[:2, :2], v[:2]))


def test_nothing_that_is_given_is_changed():
    student, teacher = network(3, 3, 1), network(2, 3, 2)
    before = [x.clone() for x in (*student, *teacher)]
    teacher_loss(*student, teacher), teacher_gradient(*student, teacher)
    for one, two in zip((*student, *teacher), before):
        assert torch.equal(one, two)


@pytest.mark.parametrize("size", [2.0**-900, 2.0**-600, 2.0**-30, 2.0**600, 2.0**900])
def test_the_angle_is_the_same_for_networks_of_any_size(size):
    """Powers of two round nothing; squares of the numbers would leave the range of float64."""
    W, v = network(3, 3, 1)
    nothing = torch.zeros(1, 3, dtype=F64), torch.zeros(1, dtype=F64)
    slopes = teacher_gradient(W, v, nothing)[0]
    assert torch.equal(teacher_gradient(size * W, v, nothing)[0], size * slopes)
    assert not torch.equal(teacher_gradient(size * W + size * W[:1], v, nothing)[0], size * slopes)


def test_float16_and_float32_beside_float64_are_taken_in_float64():
    (W, v), teacher = network(3, 3, 1, dtype=torch.float32), network(2, 3, 2)
    assert torch.equal(teacher_loss(W, v, teacher), teacher_loss(W.double(), v.double(), teacher))
    assert teacher_gradient(W.half(), v, teacher)[0].dtype == F64


@pytest.mark.parametrize("teacher", [None, torch.eye(2, dtype=F64), (*network(2, 2, 1), 1.0)])
def test_a_teacher_that_is_no_pair_is_refused(teacher):
    with pytest.raises(GaugeError, match="must be a pair"):
        teacher_loss(*network(2, 2, 1), teacher)
