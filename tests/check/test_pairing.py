"""Checkers of "The pairing theorem": reference, stub, and a hint for each known mistake."""

import math
from itertools import pairwise, product

import pytest
import torch
from torch.func import grad
from torch.nn import functional

from gaugelib import EGD, check, gradient_flow, hessian
from tests.check.judged import (
    each_mistake,
    gets_its_own_hint,
    is_told_what_to_do,
    passes_every_time,
)


def halving_epochs(p, decay, lr, steps):
    return math.log(2) / (p * decay * lr * steps)


def lost_share(p, decay, lr, factor, steps, epochs):
    """Step by step."""
    left = 1.0
    for epoch in range(epochs):
        left *= math.exp(-p * decay * lr * factor**epoch * steps)
    return 1 - left


def keeps_gauge(start, metric, penalty):
    return start == metric == penalty


def egd_step(weights, grads, lr, decay):
    return [
        w * torch.exp(-lr * w.sign() * g) * math.exp(-lr * decay) for w, g in zip(weights, grads)
    ]


def multiplied(exponent):
    """A step whose factor is e^exponent(w, g, lr, decay)."""
    return lambda weights, grads, lr, decay: [
        w * exponent(w, g, lr, decay).exp() for w, g in zip(weights, grads)
    ]


def into_the_tensors(weights, grads, lr, decay):
    for w, new in zip(weights, egd_step(weights, grads, lr, decay)):
        w.copy_(new)
    return weights


def into_the_list(weights, grads, lr, decay):
    weights[:] = egd_step(weights, grads, lr, decay)
    return weights


def emptied(weights, grads, lr, decay):
    stepped = egd_step(weights, grads, lr, decay)
    weights.clear()
    return stepped


def massive_modes(widths, dead):
    return sum(widths[1:-1]) - dead


def two_eigenvalues(y, decay):
    return 2 * y - 2 * decay, 2 * decay


def shared(weight, p, q):
    norms = weight.abs().pow(p).sum(1, keepdim=True) ** (1 / p)
    return norms ** (q - p) * weight.abs() ** p


def mirror_charge(w_in, w_out, p, q):
    return shared(w_in, p, q).sum(1) - shared(w_out, p, q).sum(0)


def column_norms(w_in, w_out, p, q):
    return shared(w_in, p, q).sum(1) - w_out.norm(p=p, dim=0) ** q


def own_norm(w_in, w_out, p, q):
    norms = w_in.norm(p=p, dim=1)
    return norms**q - norms ** (q - p) * w_out.abs().pow(p).sum(0)


def fixes_gauge(step, arm):
    periods = {"never": math.inf, "once": math.inf, "every": 1, "every 10": 10}
    return arm != "never" and (step == 0 or step % periods[arm] == 0)


def shifted(step, arm):
    """After the step instead of before it."""
    return step > 0 and fixes_gauge(step - 1, arm)


def gain_share(never, once, every):
    a, b, c = (curve[:, -1].mean() for curve in (never, once, every))
    return (a - b) / (a - c)


def at_first(never, once, every):
    return gain_share(*(curve[:, :1] for curve in (never, once, every)))


def over_all(never, once, every):
    return gain_share(*(curve.mean(1, keepdim=True) for curve in (never, once, every)))


REFERENCES = {
    "halving_epochs": halving_epochs,
    "lost_share": lost_share,
    "keeps_gauge": keeps_gauge,
    "egd_step": egd_step,
    "massive_modes": massive_modes,
    "two_eigenvalues": two_eigenvalues,
    "mirror_charge": mirror_charge,
    "fixes_gauge": fixes_gauge,
    "gain_share": gain_share,
}
MISTAKES = {
    "halving_epochs": [
        (lambda p, decay, lr, steps: halving_epochs(1, decay, lr, steps), "not at λ"),
        (lambda p, decay, lr, steps: halving_epochs(2, decay, lr, steps), "right for p = 2"),
        (lambda p, decay, lr, steps: 1 / (p * decay * lr * steps), "share 1/e"),
        (lambda p, decay, lr, steps: halving_epochs(p, decay, lr, 1), "those are steps"),
        (lambda p, decay, lr, steps: halving_epochs(p, decay, 1, 1), "that is a time"),
        (lambda p, decay, lr, s: 1 - math.exp(-p * decay * lr * s), "lost in an epoch"),
        (lambda *args: 0.9 * halving_epochs(*args), "not halved then"),
    ],
    "lost_share": [
        (lambda *args: 1 - lost_share(*args), "what is left"),
        (lambda p, decay, lr, f, s, n: lost_share(p, decay, lr, 1, s, n), "shrinks after every"),
        (lambda p, decay, lr, f, s, n: lost_share(p, decay, f * lr, f, s, n), "the full η"),
        (lambda p, decay, lr, f, s, n: lost_share(p, decay, lr, f, s, 999), "never ends"),
        (lambda p, *args: lost_share(1, *args), "not at λ"),
        (lambda *args: -math.log(1 - lost_share(*args)), "the exponent λpt"),
        (lambda *args: 100 * lost_share(*args), "not a percentage"),
        (lambda *args: 0.5 * lost_share(*args), "add up the learning rates"),
    ],
    "keeps_gauge": [
        (lambda g, m, q: m == q, "a matched pair"),
        (lambda g, m, q: g == m, "without a penalty"),
        (lambda g, m, q: g == q, "where training ends"),
        (lambda g, m, q: True, "law of mismatch"),
        (lambda g, m, q: False, "there are flows"),
        (lambda g, m, q: g == m == q == 2, "start 1, metric 1, penalty 1"),
        (lambda g, m, q: "yes", "True or False"),
    ],
    "egd_step": [
        (multiplied(lambda w, g, lr, decay: -lr * (g + decay)), "needs the sign"),
        (multiplied(lambda w, g, lr, decay: -lr * (w.sign() * g + decay * w)), "beside λ"),
        (multiplied(lambda w, g, lr, decay: -lr * w.sign() * (g + decay)), "weights of both signs"),
        (
            lambda ws, gs, lr, decay: [
                new - lr * decay * w for new, w in zip(egd_step(ws, gs, lr, 0), ws)
            ],
            "not subtracted",
        ),
        (
            lambda ws, gs, lr, decay: [w - lr * decay * w for w in egd_step(ws, gs, lr, 0)],
            "after the step",
        ),
        (
            lambda ws, gs, lr, decay: [w - lr * (g + decay * w) for w, g in zip(ws, gs)],
            "that is SGD",
        ),
        (multiplied(lambda w, g, lr, decay: -lr * (w * g + decay)), "not W itself"),
        (lambda ws, gs, lr, decay: egd_step(ws, gs, -lr, decay), "uphill"),
        (into_the_tensors, "wrote into its arguments"),
        (into_the_list, "wrote into its arguments"),
        (emptied, "wrote into its arguments"),
        (lambda ws, gs, lr, decay: ws[0], "a list of tensors"),
        (lambda ws, gs, lr, decay: ws, "entry by entry"),
    ],
    "massive_modes": [
        (lambda widths, dead: sum(widths[1:-1]), "no weights left"),
        (lambda widths, dead: sum(widths[1:]) - dead, "read by the world"),
        (lambda widths, dead: sum(widths[:-1]) - dead, "come from the world"),
        (lambda widths, dead: len(widths) - 2, "for each layer"),
        (lambda widths, dead: sum(m * n for m, n in pairwise(widths)), "counts weights"),
        (lambda widths, dead: 1, "that are not zero"),
    ],
    "two_eigenvalues": [
        (lambda y, decay: (0, 2 * y), "without the penalty"),
        (lambda y, decay: (2 * y + decay, decay), "moves the minimum"),
        (lambda y, decay: (2 * y - 3 * decay, decay), "the point is right"),
        (lambda y, decay: (4 * decay, 2 * y - 4 * decay), "not 2w"),
        (lambda y, decay: (decay + y, decay - y), "a saddle"),
        (lambda y, decay: (y, y), "at the minimum w = v"),
        (lambda y, decay: (y, y, y), "two numbers"),
        (lambda y, decay: y, "two numbers"),
    ],
    "mirror_charge": [
        (lambda *args: -mirror_charge(*args), "upside down"),
        (column_norms, "that row's norm counts"),
        (own_norm, "with that of the unit"),
        (lambda w_in, w_out, p, q: mirror_charge(w_in, w_out, p, p), "where is q?"),
        (lambda w_in, w_out, p, q: mirror_charge(w_in, w_out, q, q), "where is p?"),
        (lambda w_in, w_out, p, q: mirror_charge(w_in, w_out, 1, 2), "right for p = 1"),
        (lambda w_in, w_out, p, q: mirror_charge(w_in, w_out, p, 2 * p - q), "not p − q"),
        (lambda *args: mirror_charge(*args) / args[-1], "1/q goes"),
        (lambda w_in, w_out, p, q: w_in.sum(1), "with c = θ"),
    ],
    "fixes_gauge": [
        (lambda step, arm: arm == "once" and step == 1, "counted from 0"),
        (shifted, "counted from 0"),
        (
            lambda step, arm: fixes_gauge(step, arm) and (arm == "once" or step > 0),
            "the first step too",
        ),
        (
            lambda step, arm: fixes_gauge(step + (arm == "every 10"), arm),
            "after every tenth step",
        ),
        (
            lambda step, arm: arm.startswith("every") or fixes_gauge(step, arm),
            "compare the whole name",
        ),
        (lambda step, arm: False, "you fix before none"),
        (lambda step, arm: arm, "True or False"),
    ],
    "gain_share": [
        (lambda a, b, c: -gain_share(a, b, c), "is reversed"),
        (lambda a, b, c: 1 - gain_share(a, b, c), "share that is left"),
        (lambda a, b, c: 1 / gain_share(a, b, c), "upside down"),
        (lambda a, b, c: ((a - b) / (a - c))[:, -1].mean(), "mean of ratios"),
        (lambda a, b, c: b[:, -1].mean() / a[:, -1].mean(), "those are losses"),
        (lambda a, b, c: c[:, -1].mean() / b[:, -1].mean(), "ratio of losses"),
        (lambda a, b, c: (a - b)[:, -1].mean(), "in units of the loss"),
        (at_first, "before the first step"),
        (over_all, "over all epochs"),
        (lambda a, b, c: ((a - b) / (a - c))[:, -1], "average over the seeds"),
        (lambda a, b, c: 0.5, "of means at the last epoch"),
    ],
}


@pytest.mark.parametrize("name", REFERENCES)
def test_the_reference_passes_every_time(name):
    passes_every_time(name, REFERENCES[name])


@pytest.mark.parametrize(("name", "wrong", "hint"), each_mistake(MISTAKES))
def test_each_known_mistake_gets_its_own_hint(name, wrong, hint):
    gets_its_own_hint(name, wrong, hint, MISTAKES[name])


@pytest.mark.parametrize("name", REFERENCES)
def test_an_unfilled_stub_is_told_what_to_do(name):
    is_told_what_to_do(name)


def test_every_checker_of_the_chapter_has_three_known_mistakes():
    from gaugelib.check import control, pairing, penalty

    assert set(REFERENCES) == set(MISTAKES)
    assert set(REFERENCES) <= {*dir(pairing), *dir(penalty), *dir(control)}
    assert all(len({hint for _, hint in cases}) >= 3 for cases in MISTAKES.values())


def test_a_count_of_epochs_may_be_rounded_and_a_law_of_steps_is_as_good_as_that_of_the_flow():
    assert check.halving_epochs(lambda *args: math.ceil(halving_epochs(*args)))
    assert check.halving_epochs(
        lambda p, decay, lr, steps: math.log(2) / -math.log1p(-lr * decay) / (p * steps)
    )


def test_the_numbers_of_the_papers_setting():
    assert round(halving_epochs(2, 1e-4, 1e-3, 1875)) == 1848
    assert round(halving_epochs(1, 5e-6, 0.1, 1875)) == 739
    assert f"{lost_share(2, 1e-4, 1e-3, 0.95, 1875, 30):.1%}" == "0.6%"
    assert f"{lost_share(1, 5e-6, 0.1, 0.95, 1875, 30):.1%}" == "1.5%"


def leaky(z):
    return functional.leaky_relu(z, 0.3)


def small_net(seed, activation=leaky):
    draw = torch.Generator().manual_seed(seed)
    x, y, w, v = (torch.randn(s, generator=draw).double() for s in ((6, 3), (6, 2), (4, 3), (2, 4)))

    def loss(theta):
        return (activation(x @ theta["w"].T) @ theta["v"].T - y).square().mean() / 2

    return {"w": w, "v": v}, loss


def imbalance(theta, p):
    return theta["w"].abs().pow(p).sum(1) - theta["v"].abs().pow(p).sum(0)


def left_at_half_time(p, q, activation):
    """Share of each imbalance after the time in which, by the checker's law, one half is left."""
    start, loss = small_net(0, activation)
    decay, lr, steps = 0.7, 1e-3, 100
    until = halving_epochs(p, decay, lr, steps) * lr * steps
    path = gradient_flow(loss, start, until=until, steps=400, p=p, decay=decay, decay_p=q)
    return imbalance(path.at(-1), p) / imbalance(start, p)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_the_time_asked_for_halves_every_imbalance(p):
    left = left_at_half_time(p, p, leaky)
    torch.testing.assert_close(left, torch.full_like(left, 0.5), rtol=1e-4, atol=0)


@pytest.mark.parametrize(("q", "activation"), [(2.0, leaky), (1.0, torch.tanh)])
def test_control_another_penalty_or_a_bent_activation_do_not_halve_it(q, activation):
    assert (left_at_half_time(1.0, q, activation) - 0.5).abs().max() > 1e-2


def balanced(theta, p):
    """The same function with Δ = 0: one hidden layer has it in closed form."""
    a = (theta["v"].abs().pow(p).sum(0) / theta["w"].abs().pow(p).sum(1)) ** (1 / (2 * p))
    return {"w": theta["w"] * a[:, None], "v": theta["v"] / a}


def rate_of_imbalance(g, p, q, decay=0.7):
    """How fast the flow leaves the gauge g at a start in it."""
    start, loss = small_net(1)
    start = balanced(start, g)
    slopes = grad(loss)(start)
    velocity = {
        n: -(x.abs() ** (2 - p)) * (slopes[n] + decay * x.sign() * x.abs() ** (q - 1))
        for n, x in start.items()
    }
    h = 1e-5
    after, before = ({n: x + t * velocity[n] for n, x in start.items()} for t in (h, -h))
    return (imbalance(after, g) - imbalance(before, g)) / (2 * h)


@pytest.mark.parametrize(("g", "p", "q"), list(product((1, 2), repeat=3)))
def test_a_gauge_is_left_at_once_unless_all_three_exponents_agree(g, p, q):
    leaving = rate_of_imbalance(g, p, q).abs().max()
    assert leaving < 1e-8 if keeps_gauge(g, p, q) else leaving > 1e-2


def test_the_step_asked_for_is_the_librarys():
    draw = torch.Generator().manual_seed(0)
    before, slope = (torch.randn(4, 3, generator=draw).double() for _ in range(2))
    weight = torch.nn.Parameter(before.clone())
    weight.grad = slope
    EGD([weight], lr=0.3, weight_decay=0.2).step()
    expected = egd_step([before], [slope], 0.3, 0.2)[0]
    torch.testing.assert_close(weight.detach(), expected, rtol=1e-14, atol=0)
    other = egd_step([before], [slope], 0.3, 0.0)[0] * (1 - 0.3 * 0.2)
    assert (weight - other).abs().max() > 1e-3


def trained(decay, dead=(), activation=torch.relu):
    """A network at a critical point of the penalised loss, close to a teacher and off the kinks."""
    draw = torch.Generator().manual_seed(1)
    x, w, v = (torch.randn(s, generator=draw).double() for s in ((20, 3), (5, 3), (2, 5)))
    teacher = balanced({"w": w, "v": v}, 2)
    for unit in dead:
        teacher["w"][unit], teacher["v"][:, unit] = 0.0, 0.0
    y = (activation(x @ teacher["w"].T) @ teacher["v"].T).detach()
    theta = {n: value.requires_grad_() for n, value in teacher.items()}

    def loss(theta):
        error = activation(x @ theta["w"].T) @ theta["v"].T - y
        return error.square().mean() / 2 + decay * sum(t.square().sum() for t in theta.values()) / 2

    search = torch.optim.LBFGS(
        theta.values(),
        max_iter=2000,
        tolerance_grad=1e-11,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        search.zero_grad()
        loss(theta).backward()
        return loss(theta)

    search.step(closure)
    return {n: x.detach() for n, x in theta.items()}, loss


def massive(theta, loss, decay):
    values = torch.linalg.eigvalsh(hessian(loss, theta))
    return int(((values / decay - 2).abs() < 1e-5).sum())


@pytest.mark.parametrize("dead", [(), (1,), (0, 3)])
def test_that_many_eigenvalues_are_twice_the_decay(dead):
    theta, loss = trained(0.001, dead)
    assert max(slope.abs().max() for slope in grad(loss)(theta).values()) < 1e-8
    assert massive(theta, loss, 0.001) == massive_modes([3, 5, 2], len(dead))


def test_control_no_mode_is_massive_for_tanh_or_away_from_a_critical_point():
    bent, loss = trained(0.001, activation=torch.tanh)
    assert massive(bent, loss, 0.001) == 0
    theta, loss = trained(0.001)
    assert massive({n: 1.1 * x for n, x in theta.items()}, loss, 0.001) == 0


def two_weights(y, decay, scale=0.5):
    """The eigenvalues where gradient descent ends, its slopes written out by hand."""
    w, v = 1.2, 0.9
    for _ in range(3000):
        slopes = (w * v - y) * v, (w * v - y) * w
        w -= 0.1 * (slopes[0] + 2 * scale * decay * w)
        v -= 0.1 * (slopes[1] + 2 * scale * decay * v)
    theta = {"w": torch.tensor(w).double(), "v": torch.tensor(v).double()}

    def loss(theta):
        penalty = scale * (theta["w"] ** 2 + theta["v"] ** 2)
        return (theta["w"] * theta["v"] - y) ** 2 / 2 + decay * penalty

    return torch.linalg.eigvalsh(hessian(loss, theta))


def test_the_two_eigenvalues_asked_for_are_those_of_the_minimum():
    for y, decay in ((3.0, 0.1), (2.0, 0.4)):
        expected = torch.tensor(sorted(two_eigenvalues(y, decay))).double()
        torch.testing.assert_close(two_weights(y, decay), expected, rtol=1e-6, atol=1e-9)
    assert [round(x, 12) for x in two_eigenvalues(3, 0.1)] == [5.8, 0.2]
    other = two_weights(3.0, 0.1, scale=1.0)
    assert (other - torch.tensor([0.2, 5.8]).double()).abs().max() > 0.1


def along_the_dial(w_in, w_out, p, q):
    """The slope of R in log a at a = 1, by a difference quotient."""

    def penalty(unit, log):
        a = torch.ones(len(w_in)).double()
        a[unit] = math.exp(log)
        rows = torch.cat([(w_in * a[:, None]).norm(p=p, dim=1), (w_out / a).norm(p=p, dim=1)])
        return rows.pow(q).sum() / q

    h = 1e-5
    slopes = [(penalty(k, h) - penalty(k, -h)) / (2 * h) for k in range(len(w_in))]
    return torch.stack(slopes)


@pytest.mark.parametrize(("p", "q"), [(1.0, 2.0), (2.0, 1.0), (1.5, 3.0), (2.0, 2.0)])
def test_the_charge_asked_for_is_the_slope_of_the_penalty_along_the_dial(p, q):
    draw = torch.Generator().manual_seed(3)
    w_in, w_out = (torch.randn(s, generator=draw).double() for s in ((4, 3), (2, 4)))
    slope = along_the_dial(w_in, w_out, p, q)
    torch.testing.assert_close(slope, mirror_charge(w_in, w_out, p, q), rtol=1e-7, atol=1e-7)
    if p != q:
        assert (slope - column_norms(w_in, w_out, p, q)).abs().max() > 1e-2
        assert (slope - own_norm(w_in, w_out, p, q)).abs().max() > 1e-2


def test_a_seed_with_a_small_gain_moves_the_mean_of_ratios_but_not_the_ratio_of_means():
    never, every = torch.tensor([[1.0], [0.101]]), torch.tensor([[0.5], [0.1]])
    once = torch.tensor(
        [[0.5], [0.111]]
    )  # the second seed, whose arms hardly differ, is off by .01
    assert 0.95 < gain_share(never, once, every) < 1
    assert ((never - once) / (never - every)).mean() < -1
