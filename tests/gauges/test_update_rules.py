"""The networks and optimisers of the chapter's measurements do what torch's do."""

import pathlib
import sys

import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

sys.path.append(str(pathlib.Path(__file__).parents[2] / "benchmarks"))
import batched_networks as batched
import update_rules

SHAPES = ((5, 3), (4, 5), (2, 4))
PEERS = {
    "plain": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "root_mean_square": lambda p: torch.optim.RMSprop(p, lr=0.1),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1),
}


def slopes(steps):
    return [[torch.randn(2, *shape, dtype=torch.float64) for shape in SHAPES] for _ in range(steps)]


def moved_by_rule(name, gradients, rate=0.1):
    rule = getattr(update_rules, name)()
    weights = [torch.zeros_like(g) for g in gradients[0]]
    for g in gradients:
        weights = [w - rate * v for w, v in zip(weights, rule(g))]
    return weights


def moved_by_torch(make, gradients):
    weights = [torch.zeros_like(g) for g in gradients[0]]
    optimiser = make(weights)
    for g in gradients:
        for w, each in zip(weights, g):
            w.grad = each.clone()
        optimiser.step()
    return weights


@pytest.mark.parametrize("name", PEERS)
def test_each_rule_moves_as_torchs_optimiser(name):
    gradients = slopes(6)
    ours, theirs = moved_by_rule(name, gradients), moved_by_torch(PEERS[name], gradients)
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_signs_move_as_adam_without_memory():
    gradients = slopes(6)
    theirs = moved_by_torch(
        lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.0, 0.0), eps=0.0), gradients
    )
    for one, other in zip(moved_by_rule("sign", gradients), theirs):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_control_adam_with_memory_moves_otherwise():
    gradients = slopes(6)
    theirs = moved_by_torch(PEERS["adam"], gradients)
    assert (moved_by_rule("sign", gradients)[0] - theirs[0]).abs().max() > 0.05


def test_muon_goes_along_the_singular_vectors_with_nearly_equal_steps():
    gradients = slopes(3)
    for k, w in enumerate(moved_by_rule("muon", gradients[:1])):
        g = gradients[0][k]
        tall = max(1, g.shape[1] / g.shape[2]) ** 0.5
        u, s, vt = torch.linalg.svd(g, full_matrices=False)
        inner = u.mT @ w @ vt.mT / (-0.1 * tall)
        steps = inner.diagonal(dim1=1, dim2=2)
        torch.testing.assert_close(inner, torch.diag_embed(steps), rtol=0, atol=1e-9)
        assert float(steps[s > 0.1].min()) > 0.6
        assert float(steps.max()) < 1.3
    if hasattr(torch.optim, "Muon"):  # which computes in bfloat16
        ours = moved_by_rule("muon", gradients)
        for k, w in enumerate(ours):
            single = [[each[k][0].float()] for each in gradients]
            (theirs,) = moved_by_torch(
                lambda p: torch.optim.Muon(p, lr=0.1, weight_decay=0.0), single
            )
            assert (w[0] - theirs).norm() < 0.02 * theirs.norm()


def test_heavy_ball_moves_the_charge_by_squares_of_its_momentum_alone():
    """B(θ⊙m_t) = -η Σ_{j≥1} β^j B(m_{t-j}²) while B(θ⊙g) = 0, here for one unit by hand."""
    rate, beta = 0.1, 0.9
    w, v = torch.tensor(0.7).double(), torch.tensor(1.3).double()
    m, past, worst = torch.zeros(2).double(), [], 0.0
    for target in (2.0, -1.0, 0.5, 3.0, 1.0, -2.0):
        miss = w * v - target
        m = beta * m + miss * torch.stack([v, w])
        cross = w * m[0] - v * m[1]
        law = -rate * sum(beta**j * b for j, b in enumerate(reversed(past), 1))
        worst = max(worst, float(abs(cross - law)))
        past.append(m[0] ** 2 - m[1] ** 2)
        w, v = w - rate * m[0], v - rate * m[1]
    assert worst < 1e-13
    assert abs(float(cross)) > 1e-3


@pytest.mark.parametrize("loss", ["cross-entropy", "squared"])
def test_gradients_and_gauss_newton_of_many_networks_are_autograds(loss):
    weights = batched.he((3, 5, 4, 2), range(2))
    inputs = torch.randn(6, 3, dtype=torch.float64)
    targets = torch.eye(2, dtype=torch.float64)[torch.tensor([0, 1, 1, 0, 1, 0])]
    found = batched.gradient(weights, inputs, targets, loss)
    curved = batched.gauss_newton(weights, inputs, loss)
    for k in range(2):
        model = batched.network([w[k] for w in weights])
        params = dict(model.named_parameters())
        scores = model(inputs)
        each = nn.functional.cross_entropy(scores, targets)
        if loss == "squared":
            each = (scores - targets).square().sum() / 12
        for one, other in zip(torch.autograd.grad(each, params.values()), found):
            torch.testing.assert_close(other[k], one)
        jacobian = jacrev(lambda p, m=model: functional_call(m, p, (inputs,)))(params)
        odds = scores.detach().softmax(1)
        middle = torch.diag_embed(odds) - odds[:, :, None] * odds[:, None, :]
        if loss == "squared":
            middle = torch.eye(2).double().expand(6, 2, 2)
        for j, other in zip(jacobian.values(), curved):
            exact = torch.einsum("ncij,ncd,ndij->ij", j.detach(), middle, j.detach()) / 6
            torch.testing.assert_close(other[k], exact)


def test_flows_are_those_of_the_incidence_matrix():
    weights = [torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.tensor([[[5.0, 6.0]]])]
    assert batched.incidence(weights).tolist() == [[-2.0, 1.0]]
