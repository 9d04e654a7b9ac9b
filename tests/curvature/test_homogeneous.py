"""Homogeneity: ⟨θ, ∇L⟩ = D E[f ℓ'], norms that grow, Hθ = (D-1)∇L + D E[f ℓ″∇f], and its limit."""

import itertools
import math

import pytest
import torch
from torch.func import jacrev
from torch.nn.functional import leaky_relu
from torch.testing import assert_close

from gaugelib import gradient_flow
from tests.curvature.vector import slope, slope_and_products, unflat
from tests.flow.problems import linear

KINDS = {"relu": torch.relu, "leaky": lambda z: leaky_relu(z, 0.2), "linear": linear}
LABELS = torch.tensor([1.0, -1.0] * 6, dtype=torch.float64)
LOSSES = {  # ℓ, ℓ' and ℓ″ in f, given y; the derivatives by hand
    "squares": (lambda f, y: (f - y) ** 2 / 2, lambda f, y: f - y, lambda f, y: 1 + 0 * f),
    "exponential": (
        lambda f, y: torch.exp(-y * f),
        lambda f, y: -y * torch.exp(-y * f),
        lambda f, y: y**2 * torch.exp(-y * f),
    ),
    "logistic": (
        lambda f, y: torch.log1p(torch.exp(-y * f)),
        lambda f, y: -y * torch.sigmoid(-y * f),
        lambda f, y: y**2 * torch.sigmoid(y * f) * torch.sigmoid(-y * f),
    ),
    "quartic": (lambda f, y: f**4 - y * f, lambda f, y: 4 * f**3 - y, lambda f, y: 12 * f**2),
}


class Homogeneous:
    """A network without biases, of degree D, with one output; or with biases, and of none."""

    def __init__(self, depth, kind="leaky", seed=0, biases=False):
        draw = torch.Generator().manual_seed(seed)
        widths = (3, *[4] * (depth - 1), 1)
        self.weights = [
            torch.randn(after, before, generator=draw, dtype=torch.float64)
            for before, after in itertools.pairwise(widths)
        ]
        self.x = torch.randn(12, 3, generator=draw, dtype=torch.float64)
        self.shift = 0.3 if biases else 0.0  # beside the first layer, no parameter of degree 1
        self.theta = torch.cat([weight.reshape(-1) for weight in self.weights])
        self.activation = KINDS[kind]

    def outputs(self, theta):
        like = {str(k): weight for k, weight in enumerate(self.weights)}
        x = self.x
        for k, weight in enumerate(unflat(theta, like).values()):
            x = x @ weight.T + self.shift
            x = self.activation(x) if k < len(self.weights) - 1 else x
        return x[:, 0]

    def loss(self, kind, y=LABELS):
        return lambda theta: LOSSES[kind][0](self.outputs(theta), y).mean()


def sides(net, depth, kind, y=LABELS):
    """⟨θ, ∇L⟩ and Hθ, and what the proposition says of them."""
    theta = net.theta
    gradient, products = slope_and_products(net.loss(kind, y), theta, theta[:, None])
    outputs, jac = net.outputs(theta), jacrev(net.outputs)(theta)
    first, then = (part(outputs, y) for part in LOSSES[kind][1:])
    euler = depth * (outputs * first).mean()
    bent = (depth - 1) * gradient + depth * (outputs * then) @ jac / len(outputs)
    return (theta @ gradient, euler), (products[:, 0], bent)


def apart(found, expected):
    return float((found - expected).norm() / expected.norm())


cases = pytest.mark.parametrize(
    ("depth", "activation"), [(1, "leaky"), (2, "relu"), (3, "leaky"), (4, "relu"), (5, "linear")]
)


@cases
@pytest.mark.parametrize("kind", LOSSES)
def test_both_identities_of_a_homogeneous_network(depth, activation, kind):
    for seed in range(3):
        net = Homogeneous(depth, activation, seed)
        (slope_of, euler), (product, bent) = sides(net, depth, kind)
        assert_close(slope_of, euler, rtol=1e-12, atol=1e-13)
        assert apart(product, bent) <= 1e-12


def test_in_whole_numbers_nothing_is_left_over():
    """D = 2 and squared loss: Hθ = ∇L + 2 Σ f∇f, at whole weights and inputs."""
    draw = torch.Generator().manual_seed(0)
    net = Homogeneous(2, "relu")
    net.theta = torch.randint(-3, 4, net.theta.shape, generator=draw).double()
    net.x = torch.randint(-3, 4, (16, 3), generator=draw).double()  # sixteen: a mean is exact
    y = torch.randint(-3, 4, (16,), generator=draw).double()
    net.x[:, 0], net.theta[:12:3] = 1.0, 0.5  # z is half an odd number: no unit is at its kink
    net.x[:, 1:] *= 2
    (_, _), (product, bent) = sides(net, 2, "squares", y)
    assert torch.equal(product, bent)


def test_control_another_degree_leaves_something_over():
    net = Homogeneous(3)
    for degree in (2, 4):
        (slope_of, euler), (product, bent) = sides(net, degree, "squares")
        assert abs(slope_of - euler) > 0.1
        assert apart(product, bent) > 0.1


def test_control_a_network_with_fixed_biases_has_no_degree():
    (slope_of, euler), (product, bent) = sides(Homogeneous(3, biases=True), 3, "squares")
    assert abs(slope_of - euler) > 0.1
    assert apart(product, bent) > 0.1


def test_control_neither_has_tanh():
    net = Homogeneous(3)
    net.activation = torch.tanh
    (slope_of, euler), (product, bent) = sides(net, 3, "squares")
    assert abs(slope_of - euler) > 0.1
    assert apart(product, bent) > 0.1


# --- growth of the norm ---


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("kind", ["exponential", "squares"])
def test_along_gradient_flow_the_norm_grows_by_the_integral(depth, kind):
    """|θ|²/2 at the end, against Simpson's rule for -D E[f ℓ'] along the way."""
    net = Homogeneous(depth, "linear")
    flow = gradient_flow(
        lambda made: net.loss(kind)(made["theta"]),
        {"theta": 0.5 * net.theta},
        until=0.5,
        steps=400,
        saved=401,
    )
    speeds, norms = [], []
    for k in range(len(flow)):
        theta = flow.at(k)["theta"]
        outputs = net.outputs(theta)
        speeds.append(-depth * float((outputs * LOSSES[kind][1](outputs, LABELS)).mean()))
        norms.append(float(theta.square().sum()) / 2)
    weights = [1, *[4, 2] * 199, 4, 1]
    integral = 0.5 / 400 / 3 * sum(w * v for w, v in zip(weights, speeds))
    assert math.isclose(norms[-1] - norms[0], integral, rel_tol=1e-7)
    assert abs(norms[-1] - norms[0]) > 1e-2
    assert not math.isclose(norms[-1] - norms[0], integral / depth, rel_tol=0.1)  # the control


# --- an exponential loss ---


def by_margins(net, depth, y=LABELS):
    """Hθ, and its sum over the examples by their margins z."""
    loss = net.loss("exponential", y)
    product = slope_and_products(loss, net.theta, net.theta[:, None])[1][:, 0]
    z = y * net.outputs(net.theta)
    each = -(y * torch.exp(-z))[:, None] * jacrev(net.outputs)(net.theta)
    return product, -(depth * z - depth + 1) @ each / len(z), z


@cases
def test_with_an_exponential_loss_each_margin_has_its_own_factor(depth, activation):
    """Exactly, for labels ±1 and for any others."""
    for seed, y in itertools.product(range(3), (LABELS, 0.7 * LABELS + 0.4)):
        product, expected, _ = by_margins(Homogeneous(depth, activation, seed), depth, y)
        assert apart(product, expected) <= 1e-12


def aligned(net, depth, y=LABELS):
    """How far Hθ is from -(Dz - D + 1)∇L with the smallest margin z, relative to it."""
    product, _, z = by_margins(net, depth, y)
    expected = -(depth * z.min() - depth + 1) * slope(net.loss("exponential", y), net.theta)
    return apart(product, expected)


@pytest.mark.parametrize("depth", [2, 3])
def test_with_equal_margins_it_is_a_multiple_of_the_gradient(depth):
    """An input and labels that make all margins equal: y = 1/f, so that every z is 1."""
    net = Homogeneous(depth)
    y = 1 / net.outputs(net.theta)
    assert aligned(net, depth, y) <= 1e-12
    assert aligned(net, depth) > 0.01  # the control: with labels ±1 they are not


def test_it_is_a_limit_along_a_ray():
    """Where the signs are right and θ is made longer, only the smallest margin carries gradient."""
    net = Homogeneous(3, seed=2)
    y, start, found = net.outputs(net.theta).sign(), net.theta, []
    for factor in (1.0, 2.0, 3.0, 4.0):
        net.theta = factor * start
        found.append(aligned(net, 3, y))
    assert all(after < before for before, after in itertools.pairwise(found))
    assert found[0] > 0.1
    assert found[-1] < 1e-3


def test_it_is_a_slow_limit_of_training():
    """The error falls as 1/z, and z as log(1/L): descent with steps of the size of 1/L."""
    net = Homogeneous(2, "leaky", seed=1)
    y = torch.where(net.x[:, 0] + 0.3 * net.x[:, 1] > 0, 1.0, -1.0).double()
    net.x[:, 0] += 0.5 * y
    loss, found = net.loss("exponential", y), []
    for count in range(1, 301):
        value = loss(net.theta)
        net.theta = net.theta - 0.02 * slope(loss, net.theta) / value.clamp(max=1.0)
        if count in (100, 200, 300):
            found.append((float((y * net.outputs(net.theta)).min()), aligned(net, 2, y)))
    margins, errors = zip(*found)
    assert margins[0] < 10 < margins[1] < 100 < margins[2]
    assert errors[0] > 0.1 > errors[1] > errors[2] > 1e-4  # small, and far from rounding
    assert all(0.1 < z * error < 1.5 for z, error in found)
