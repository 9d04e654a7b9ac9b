"""Checkers of Hθ and of the way apart of two identical units: answers, and what they are of."""

import pytest
import torch

from gaugelib import check, hessian


def through(w_in, w_out, x):
    """Outputs, what a hidden unit passes on, and its inputs."""
    before = x @ w_in.T
    return before.clamp(min=0) @ w_out.T, before.clamp(min=0), (before > 0).to(before)


def carried(w_in, w_out, x, errors):
    """Mean over the rows of errors times the slopes of the outputs."""
    _, hidden, open_ = through(w_in, w_out, x)
    return ((errors @ w_out) * open_).T @ x / len(x), errors.T @ hidden / len(x)


def mixed(slope, product, whole=lambda x, y: 1.0):
    """So much of the gradient and so much of the outputs carried back, times a number."""

    def answer(w_in, w_out, x, y):
        f = through(w_in, w_out, x)[0]
        parts = zip(carried(w_in, w_out, x, f - y), carried(w_in, w_out, x, f))
        return [whole(x, y) * (slope * g + product * p) for g, p in parts]

    return answer


homogeneous_product = mixed(1, 2)


def summed_product(w_in, w_out, x, y):
    return mixed(1, 2 * len(x))(w_in, w_out, x, y)


def into_the_tensors(w_in, w_out, x, y):
    first, second = homogeneous_product(w_in, w_out, x, y)
    return w_in.copy_(first), w_out.copy_(second)


def apart(first, second, length=1.0):
    """Unit 0 moves by these multiples of ĉ and of 1, unit 1 by the opposite."""

    def answer(w_in, w_out, g_in, g_out):
        into, out = torch.zeros_like(w_in), torch.zeros_like(w_out)
        c = g_in[0] / w_out[0, 0]
        into[0], out[0, 0] = first * c / c.norm(), second
        into[1], out[0, 1] = -into[0], -out[0, 0]
        return length * into, length * out

    return answer


fastest_exit = apart(0.5, -0.5)


def together(w_in, w_out, g_in, g_out):
    into, out = fastest_exit(w_in, w_out, g_in, g_out)
    return into.abs(), out.abs()


def downhill(w_in, w_out, g_in, g_out):
    size = (g_in.square().sum() + g_out.square().sum()).sqrt()
    return -g_in / size, -g_out / size


def without_the_sign_of_v(w_in, w_out, g_in, g_out):
    return fastest_exit(w_in, w_out.abs(), g_in, g_out)


REFERENCES = {"homogeneous_product": homogeneous_product, "fastest_exit": fastest_exit}
MISTAKES = {
    "homogeneous_product": [
        (mixed(0, 2), "where is (D − 1)∇L?"),
        (mixed(1, 0), "where is the term with f″?"),
        (mixed(1, 1), "multiplied by D = 2"),
        (mixed(2, 2), "by D − 1 = 1"),
        (mixed(2, 1), "D belongs to the product"),
        (mixed(3, 2), "subtracted once"),
        (mixed(-1, 2), "the sign of the gradient"),
        (mixed(3, 0), "goes with f itself"),
        (mixed(2, 4), "twice too long"),
        (mixed(0.5, 1), "half of it"),
        (mixed(1, 4), "the product is that of"),
        (mixed(1, 2, lambda x, y: len(x)), "the loss is a mean over the rows"),
        (summed_product, "the product is a mean over the rows"),
        (lambda a, b, x, y: (a, b), "the weights themselves"),
        (lambda a, b, x, y: (2 * a, b), "as if they were its errors"),
        (lambda a, b, x, y: a, "return two tensors"),
        (into_the_tensors, "wrote into its arguments"),
        (
            lambda a, b, x, y: mixed(1, 2, lambda x, y: 1 / y.shape[1])(a, b, x, y),
            "the outputs are added up",
        ),
    ],
    "fastest_exit": [
        (apart(0.5, 0.5), "steepest way up"),
        (without_the_sign_of_v, "here v < 0"),
        (apart(0.5**0.5, 0.0), "its curvature is 0"),
        (apart(0.0, 0.5**0.5), "its curvature is 0"),
        (apart(0.4, -(0.34**0.5)), "is possible"),
        (together, "stays within Fix"),
        (downhill, "the others stay"),
        (apart(0.5, -0.5, 2**0.5), "√2 too long"),
        (apart(0.5, -0.5, 0.01), "its length is 0.01"),
        (lambda a, b, *slopes: (0 * a, 0 * b), "moves nothing"),
        (lambda a, b, *slopes: a, "return two tensors"),
    ],
}


def problem(seed=0, outputs=1, hidden=4):
    draw = torch.Generator().manual_seed(seed)
    shapes = (hidden, 3), (outputs, hidden), (40, 3), (40, outputs)
    return [torch.randn(s, generator=draw).double() for s in shapes]


def fit(x, y, act=torch.relu):
    return lambda theta: (act(x @ theta["w"].T) @ theta["v"].T - y).square().sum(1).mean() / 2


def flat(parts):
    return torch.cat([part.reshape(-1) for part in parts])


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_product_asked_for_is_the_dense_one(outputs):
    w, v, x, y = problem(outputs=outputs)
    dense = hessian(fit(x, y), {"w": w, "v": v}) @ flat([w, v])
    assert (flat(homogeneous_product(w, v, x, y)) - dense).abs().max() < 1e-12 * dense.abs().max()


def test_control_a_bent_activation_is_not_of_degree_2():
    w, v, x, y = problem()
    dense = hessian(fit(x, y, torch.tanh), {"w": w, "v": v}) @ flat([w, v])
    assert (flat(homogeneous_product(w, v, x, y)) - dense).abs().max() > 0.1 * dense.abs().max()


def twins(seed=0, sign=1.0):
    """Two of four units alike, and the dense Hessian on what moves these two apart."""
    w, v, x, y = problem(seed)
    w[1], v[0, :2] = w[0], sign * v[0, 0].abs()
    return w, v, x, y


def normal_block(w, v, x, y, act=torch.relu):
    rows = []
    for k in range(4):  # three weights in and one out
        into, out = torch.zeros_like(w), torch.zeros_like(v)
        (into[0] if k < 3 else out[0])[k if k < 3 else 0] = 0.5**0.5
        into[1], out[0, 1] = -into[0], -out[0, 0]
        rows.append(flat([into, out]))
    basis = torch.stack(rows)
    return basis @ hessian(fit(x, y, act), {"w": w, "v": v}) @ basis.T


def slopes_of(w, v, x, y, act=torch.relu):
    return torch.func.grad(fit(x, y, act))({"w": w, "v": v})


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_least_curvature_is_that_of_the_direction_asked_for(sign):
    w, v, x, y = twins(sign=sign)
    slopes = slopes_of(w, v, x, y)
    values = torch.linalg.eigvalsh(normal_block(w, v, x, y))
    size = slopes["w"][0].norm() / v[0, 0].abs()
    expected = size * torch.tensor([-1.0, 0, 0, 1.0]).double()
    torch.testing.assert_close(values, expected, rtol=1e-12, atol=1e-12)
    way = flat(fastest_exit(w, v, slopes["w"], slopes["v"]))
    curvature = way @ hessian(fit(x, y), {"w": w, "v": v}) @ way
    assert float(curvature) == pytest.approx(-float(size), rel=1e-12)


def test_control_of_a_bent_activation_the_block_is_another():
    w, v, x, y = twins()
    values = torch.linalg.eigvalsh(normal_block(w, v, x, y, torch.tanh))
    size = slopes_of(w, v, x, y, torch.tanh)["w"][0].norm() / v[0, 0].abs()
    assert (values[0] + size).abs() > 0.01 * size


def test_at_a_critical_point_with_v_not_0_the_block_is_zero():
    w, v, x, _ = twins()
    y = through(w, v, x)[0]
    assert normal_block(w, v, x, y).abs().max() < 1e-14
    assert hessian(fit(x, y), {"w": w, "v": v}).abs().max() > 0.1


def test_where_v_is_0_the_gradient_of_w_does_not_tell():
    w, v, x, y = twins()
    v[0, :2] = 0.0
    assert slopes_of(w, v, x, y)["w"][0].norm() == 0
    assert torch.linalg.eigvalsh(normal_block(w, v, x, y))[0] < -0.01


def test_gradient_descent_leaves_faster_that_way_than_any_other():
    w, v, x, y = twins()
    slopes = slopes_of(w, v, x, y)

    def distance(way):
        theta = {name: x + 1e-6 * step for (name, x), step in zip({"w": w, "v": v}.items(), way)}
        for _ in range(20):
            pull = torch.func.grad(fit(x, y))(theta)
            theta = {n: theta[n] - 0.02 * pull[n] for n in theta}
        return float(
            torch.cat([theta["w"][0] - theta["w"][1], theta["v"][0, :1] - theta["v"][0, 1]]).norm()
        )

    given = w, v, slopes["w"], slopes["v"]
    best = distance(fastest_exit(*given))
    others = [apart(0.5, 0.5), apart(0.5**0.5, 0.0), apart(0.0, 0.5**0.5)]
    assert all(distance(other(*given)) < 0.99 * best for other in others)
    assert check.fastest_exit(apart(-0.5, 0.5))  # the same way, backwards
