"""Checkers of a paired step and of an experiment: reference, stub, a hint for each mistake."""

import math
from functools import partial

import torch

from gaugelib import EGD


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


def norms_after(norms, x, z, slopes, lr, decay, *, keep=None, middle=-2.0, last=None, own=None):
    """The gradient made in full, with the parts of the square one by one."""
    kept = 1 - lr * decay
    grad = torch.einsum("bi,bj->ij", slopes, x)
    paired = torch.einsum("bi,bi->i", slopes, z)
    ends = grad.pow(2).sum(1) if own is None else own(x, slopes)
    first = kept**2 if keep is None else keep(kept)
    factor = lr**2 if last is None else last(lr)
    return first * norms + middle * lr * kept * paired + factor * ends


def undamped(norms, x, z, slopes, lr, decay):
    """The decay forgotten in the middle."""
    paired = torch.einsum("bi,bi->i", slopes, z)
    return norms_after(norms, x, z, slopes, lr, decay) - 2 * lr**2 * decay * paired


REFERENCES = {
    "norms_after": norms_after,
    "egd_step": egd_step,
    "fixes_gauge": fixes_gauge,
    "gain_share": gain_share,
}


MISTAKES = {
    "norms_after": [
        (partial(norms_after, middle=2.0), "downhill"),
        (partial(norms_after, middle=0.0), "middle term too"),
        (partial(norms_after, middle=-1.0), "comes twice"),
        (partial(norms_after, last=lambda lr: 0.0), "are missing"),
        (partial(norms_after, last=lambda lr: lr), "squared with it"),
        (partial(norms_after, keep=lambda kept: kept), "square is in the sums"),
        (undamped, "of the middle term as well"),
        (
            partial(norms_after, own=lambda x, d: (d**2).T @ (x**2).sum(1)),
            "pairs of two examples",
        ),
        (
            partial(norms_after, own=lambda x, d: (d**2).sum(0) * (x**2).sum()),
            "Cauchy and Schwarz",
        ),
        (lambda norms, *rest: norms, "row by row"),
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


def test_a_seed_with_a_small_gain_moves_the_mean_of_ratios_but_not_the_ratio_of_means():
    never, every = torch.tensor([[1.0], [0.101]]), torch.tensor([[0.5], [0.1]])
    once = torch.tensor(
        [[0.5], [0.111]]
    )  # the second seed, whose arms hardly differ, is off by .01
    assert 0.95 < gain_share(never, once, every) < 1
    assert ((never - once) / (never - every)).mean() < -1
