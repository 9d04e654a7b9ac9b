"""From a silent start."""

import math
from functools import cache

import torch
from scipy.optimize import minimize_scalar

from tools.teach import Answer, Problem, problem


@cache
def settled(w, v, target):
    """Where gradient flow of half the squared error takes two weights: Runge and Kutta."""

    def velocity(w, v):
        return (target - w * v) * v, (target - w * v) * w

    for _ in range(4000):
        step = 0.1 / (w * w + v * v + abs(target))
        a, b = velocity(w, v)
        c, d = velocity(w + step * a / 2, v + step * b / 2)
        e, f = velocity(w + step * c / 2, v + step * d / 2)
        g, h = velocity(w + step * e, v + step * f)
        w += step * (a + 2 * c + 2 * e + g) / 6
        v += step * (b + 2 * d + 2 * f + h) / 6
        if abs(target - w * v) < 1e-12:
            break
    return w, v


def steepest(w, v, target):
    """The largest eigenvalue of the Hessian of half the squared error of two weights."""
    mixed = 2 * w * v - target
    return (w * w + v * v + math.sqrt((w * w - v * v) ** 2 + 4 * mixed**2)) / 2


@problem(title="From a silent start", stars=2, minutes=25)
def silent_start(draw):
    """Chapters 1, 2, 3 and 6."""
    w, v = draw.choice([(3, 2), (4, 3), (4, 2), (5, 2), (5, 3), (5, 4)])
    target, charge, sharp = w * v, w * w - v * v, w * w + v * v
    share = draw.choice([2, 3])
    few = share * sharp  # steps of 2/few are stable

    def ended():
        return settled(math.sqrt(charge), 0.0, target)

    def lightest():
        found = minimize_scalar(
            lambda dial: steepest(w * math.exp(dial), v * math.exp(-dial), target),
            bounds=(-2, 2),
            method="bounded",
            options={"xatol": 1e-9},
        )
        return float(found.fun)

    def first_step():
        start = torch.tensor([math.sqrt(charge), 0.0], dtype=torch.float64)
        slope = torch.func.grad(lambda point: (point[0] * point[1] - target) ** 2 / 2)(start)
        after = start - slope / few
        return float((after[0] ** 2 - after[1] ** 2) / charge)

    return Problem(
        question=rf"""
        The neuron $f(x)=v\,\mathrm{{relu}}(wx)$ with $w>0$ learns one value, $L=\frac12(f(1)-{target})^2$.
        It starts with $w=\sqrt{{{charge}}}$ and $v=0$.

        1. Where does gradient flow end, and what is the largest eigenvalue of the Hessian there?
        2. With which steps $\eta$ does the error $wv-{target}$ die out if gradient descent starts close enough to that point?
        3. Which point on the orbit of the end has the smallest largest eigenvalue, and what is it?
           How is the neuron to be rescaled from the end, and what has become of its charge?
        4. Gradient descent with a small step $\eta$ starts at the same place as the flow.
           Is $\Delta=w^2-v^2$ larger or smaller after the first step, and by which factor for $\eta=\frac1{{{few}}}$?""",
        answers=(
            Answer(
                "$v$ at the end",
                value=v,
                computed=lambda: ended()[1],
                tolerance=1e-6,
                mistakes=(
                    (math.sqrt(target), "the minimum-norm gauge, which the charge forbids"),
                    (w, "the two weights are exchanged"),
                ),
            ),
            Answer(
                "largest eigenvalue at the end",
                value=sharp,
                computed=lambda: steepest(*ended(), target),
                tolerance=1e-6,
                mistakes=(
                    (2 * target, "that of the balanced minimum"),
                    (charge, "that of the start's norm: there the Hessian is another"),
                ),
            ),
            Answer(
                "smallest largest eigenvalue on the orbit",
                value=2 * target,
                computed=lightest,
                tolerance=1e-6,
                mistakes=(
                    (target, "the square of one of the weights only"),
                    (sharp, "that of the end of the flow"),
                ),
            ),
            Answer(
                r"factor of $\Delta$ in the first step",
                value=1 - (target / few) ** 2,
                computed=first_step,
                mistakes=(
                    (1, "the flow conserves the charge; a step of finite length does not"),
                    (1 + (target / few) ** 2, "the squares in and out are exchanged"),
                ),
            ),
        ),
        solution=rf"""
        1. The flow conserves $\Delta=w^2-v^2={charge}$, and it cannot come to rest before $wv={target}$: the gradient is $(wv-{target})\,(v,w)$, and $w^2\ge\Delta>0$.
           From $wv={target}$ and $w^2-v^2={charge}$ follows $w={w}$, $v={v}$; as $w$ never changes its sign, this is the only solution.
           At a minimum the Hessian is $\begin{{pmatrix}}v\\w\end{{pmatrix}}\begin{{pmatrix}}v&w\end{{pmatrix}}$, with the eigenvalues 0, along the orbit, and $w^2+v^2={sharp}$.
        2. Near that point a step multiplies the error $wv-{target}$ by $1-{sharp}\,\eta$ to first order, and nothing pulls along the orbit; so it comes to rest, there or at a neighbouring minimum, if $\eta<2/{sharp}$, and not if $\eta>2/{sharp}$.
        3. On the orbit $wv={target}$, all points are minima, and $w^2+v^2\ge2wv={2 * target}$ with equality at $w=v=\sqrt{{{target}}}$: the minimum-norm gauge is also the flattest.
           The scale is $a=\sqrt{{v/w}}=\sqrt{{{v}/{w}}}$, and the charge is zero there: rescaling leaves the function alone, not the charge.
        4. At the start $\nabla L=(-{target}v,-{target}w)=(0,-{target}\sqrt{{{charge}}})$.
           So $v$ moves and $w$ does not, and $\Delta'={charge}-\eta^2\cdot{target**2}\cdot{charge}$: the charge becomes smaller by the factor $1-{target**2}\,\eta^2=1-({target}/{few})^2\approx{1 - (target / few) ** 2:.4f}$.
           (This is $1-\tau^2$ with $\tau=\eta\,(wv-{target})$ at the start.)""",
        marks=(
            (4, "the conserved charge and the product give the end of the flow"),
            (2, "why it ends there: no other resting point, no change of sign"),
            (4, "the Hessian at a minimum and its eigenvalues"),
            (3, "the bound for the step"),
            (4, "the flattest point of the orbit, with a reason"),
            (3, "the scale, and the charge there"),
            (5, "the first step: only one weight moves; the factor of the charge"),
        ),
    )
