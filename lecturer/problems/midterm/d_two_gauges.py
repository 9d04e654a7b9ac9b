"""One step in two gauges."""

import math

import torch

from tools.teach import Answer, Problem, problem


@problem(title="One step in two gauges", stars=2, minutes=18)
def two_gauges(draw):
    """Chapters 1 to 3, and coupled weight decay."""
    w, v = draw.choice([(4, 1), (8, 2), (9, 1), (2, 8), (1, 9)])
    miss = draw.choice([2, 3])
    target = w * v - miss
    rate = 1 / (2 * miss)  # so that rate times miss is one half
    decay = 1 / (4 * rate)  # and rate times decay a quarter
    charge = w * w - v * v
    root = round(math.sqrt(w * v))

    def stepped(start, shrink):
        point = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad((point[0] * point[1] - target) ** 2 / 2, point)
        after = (1 - rate * shrink) * point.detach() - rate * slope
        return float(after[0] ** 2 - after[1] ** 2), float((slope**2).sum())

    return Problem(
        question=rf"""
        The neuron $f(x)=v\,\mathrm{{relu}}(wx)$ is at $(w,v)=({w},{v})$ and learns one value, $L=\frac12(f(1)-{target})^2$, by gradient descent with the step $\eta=\frac1{{{2 * miss}}}$.
        Let $\Delta=w^2-v^2$.

        1. What is $\Delta$ after one step?
        2. What is it after one step, from the same start, with coupled weight decay, $\theta'=(1-\eta\lambda)\theta-\eta\nabla L$ and $\lambda={decay:g}$?
        3. Before the step, somebody rescales the neuron to its minimum-norm gauge.
           What is $\|\nabla L\|^2$ there, and what was it before?
           What is $\Delta$ after one step from there, for any $\eta$ and $\lambda$?""",
        answers=(
            Answer(
                r"$\Delta$ after one step",
                value=charge * 0.75,
                computed=lambda: stepped((w, v), 0)[0],
                mistakes=(
                    (charge, "the flow conserves it; a step of finite length does not"),
                    (charge * 1.25, "the squares of the two derivatives are exchanged"),
                ),
            ),
            Answer(
                r"$\Delta$ after one step with decay",
                value=charge * 5 / 16,
                computed=lambda: stepped((w, v), decay)[0],
                mistakes=(
                    (charge * 9 / 16, "the decay alone, without the step's own drift"),
                    (charge / 2, "the factor of the decay is squared: 9/16, not 3/4"),
                ),
            ),
            Answer(
                r"$\|\nabla L\|^2$ in the minimum-norm gauge",
                value=2 * miss**2 * w * v,
                computed=lambda: stepped((root, root), 0)[1],
                mistakes=(
                    (miss**2 * (w * w + v * v), "that of the start"),
                    (miss**2 * w * v, "one of the two derivatives only"),
                ),
            ),
        ),
        solution=rf"""
        The error is $wv-{target}={miss}$, so $\partial_wL={miss}v={miss * v}$ and $\partial_vL={miss}w={miss * w}$, and $\Delta={w * w}-{v * v}={charge}$.

        1. One step changes the charge by exactly $\eta^2\big((\partial_wL)^2-(\partial_vL)^2\big)=\eta^2\,{miss}^2\,(v^2-w^2)=-\frac14\Delta$.
           So it becomes $\frac34\cdot({charge})={charge * 0.75:g}$.
        2. With decay the same difference is that to $(1-\eta\lambda)^2\Delta=\big(\frac34\big)^2\Delta$.
           So it becomes $\big(\frac9{{16}}-\frac14\big)\Delta=\frac5{{16}}\cdot({charge})={charge * 5 / 16:g}$.
        3. In the minimum-norm gauge $w=v=\sqrt{{{w}\cdot{v}}}={root}$, and the function, and with it the error, is the same.
           There $\|\nabla L\|^2={miss}^2\,(w^2+v^2)={miss**2}\cdot{2 * w * v}={2 * miss**2 * w * v}$; before it was ${miss**2}\cdot{w * w + v * v}={miss**2 * (w * w + v * v)}$.
           At $w=v$ both derivatives are equal, so a step of any length, with or without decay, takes equal weights to equal weights: $\Delta=0$.""",
        marks=(
            (3, "error, gradient and charge at the start"),
            (4, "the change of the charge in one step, and its value"),
            (4, "the charge with decay: the factor squared, and the same drift"),
            (3, "the minimum-norm gauge, and the same error there"),
            (2, "both squared gradients"),
            (2, "equal weights stay equal"),
        ),
    )
