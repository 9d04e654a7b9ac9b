"""Where three weights end."""

import math

import torch

import gaugelib as gl
from tools.teach import Answer, Problem, problem


def flowing(start, target):
    """Where gradient flow of half the squared error takes three weights in a row: Runge and Kutta."""

    def velocity(point):
        w, v, u = point
        miss = target - w * v * u
        return miss * v * u, miss * w * u, miss * w * v

    def moved(point, slope, step):
        return tuple(x + step * s for x, s in zip(point, slope))

    point = start
    for _ in range(4000):
        step = 0.5 / sum((target / x) ** 2 for x in point)
        k1 = velocity(point)
        k2 = velocity(moved(point, k1, step / 2))
        k3 = velocity(moved(point, k2, step / 2))
        k4 = velocity(moved(point, k3, step))
        slope = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4)]
        point = moved(point, slope, step)
        if abs(target - point[0] * point[1] * point[2]) < 1e-10:
            break
    return point


@problem(title="Where three weights end", stars=2, minutes=25)
def three_weights(draw):
    """Chapters 2 to 4."""
    base = draw.choice([2, 3])
    w, v, u = draw.choice([(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
    w, v, u = base**w, base**v, base**u
    target = base**3
    back = min(w, v, u) ** 2 * draw.choice([0.5, 0.75])  # how far the squares are set back
    first, second, third = (f"{x * x - back:g}" for x in (w, v, u))
    decay = draw.choice([0.05, 0.1, 0.2])
    start = tuple(math.sqrt(x * x - back) for x in (w, v, u))
    charges = w * w - v * v, v * v - u * u
    norm, least = w * w + v * v + u * u, 3 * base**2

    def lightest():
        end = flowing(start, target)
        params = {
            f"{2 * k}.weight": torch.tensor([[x]], dtype=torch.float64) for k, x in enumerate(end)
        }
        chain = [torch.nn.Linear(1, 1, bias=False) for _ in range(3)]
        model = torch.nn.Sequential(chain[0], torch.nn.ReLU(), chain[1], torch.nn.ReLU(), chain[2])
        group = gl.mlp_group(model.double())
        light = gl.minimum_norm(params, group, tol=1e-13)
        return float(gl.weight_norm(light.params, group, 2)) ** 2

    def halved():  # Euler's steps of the decay alone, on one charge
        charge, time, step = 1.0, 0.0, 1e-3 / decay
        while charge > 0.25:
            charge *= math.exp(-2 * decay * step)
            time += step
        return time

    return Problem(
        question=rf"""
        Three positive weights in a row, $f(x)=u\,\mathrm{{relu}}(v\,\mathrm{{relu}}(wx))$, learn one value, $L=\frac12(f(1)-{target})^2$, by gradient flow.
        At the start $w^2={first}$, $v^2={second}$, $u^2={third}$.

        1. Which two numbers does the flow conserve, and what are they here?
        2. Where does the flow end?
           It does end, at $L=0$; do not integrate anything, and show that there is no other answer.
        3. How far is the sum of squares at the end above the smallest one on the orbit of the end?
        4. Now the flow is that of $L+\lambda R_2$ with $R_2=\frac12(w^2+v^2+u^2)$ and $\lambda={decay:g}$.
           After which time is a quarter of each charge left?""",
        answers=(
            Answer(
                "first charge $w^2-v^2$",
                value=charges[0],
                computed=lambda: (lambda end: end[0] ** 2 - end[1] ** 2)(flowing(start, target)),
                tolerance=1e-4,
                mistakes=(
                    (-charges[0], "out minus in, the other sign"),
                    (charges[0] + charges[1], "the two charges added: what the outer weights keep"),
                ),
            ),
            Answer(
                "$u$ at the end",
                value=u,
                computed=lambda: flowing(start, target)[2],
                tolerance=1e-4,
                mistakes=tuple(
                    (other, "the lightest network's weight, as if the charges were zero")
                    if other == base
                    else (other, "the weight of another layer")
                    for other in (w, v)
                ),
            ),
            Answer(
                "how far above the smallest sum of squares",
                value=norm - least,
                computed=lambda: sum(x * x for x in flowing(start, target)) - lightest(),
                tolerance=1e-4,
                mistakes=(
                    (0, "the end is lightest only if the charges are zero"),
                    (norm, "the sum of squares itself"),
                ),
            ),
            Answer(
                "time after which a quarter is left",
                value=math.log(4) / (2 * decay),
                computed=halved,
                tolerance=5e-3,
                mistakes=(
                    (math.log(4) / decay, "the rate of the weights, λ, in place of 2λ"),
                    (math.log(4 / 3) / (2 * decay), "when a quarter is lost, not left"),
                ),
            ),
        ),
        solution=rf"""
        1. Gradient flow ($p=2$) conserves what flows in minus what flows out at each of the two hidden units: $w^2-v^2={charges[0]}$ and $v^2-u^2={charges[1]}$.
           (Any two independent combinations of these count, such as $w^2-u^2$.)
        2. At the end $wvu={target}$, and both charges are what they were.
           With $q=u^2$ this is $q\,(q{charges[1]:+d})\,(q{charges[0] + charges[1]:+d})={target**2}$.
           The weights stay positive: a weight that came to zero would make the product zero, and there $L$ would be larger than at the start, but $L$ falls.
           So all three factors are positive, and where they are, the left-hand side rises with $q$: there is one solution at most.
           It is $q={u * u}$, for ${u * u}\cdot{v * v}\cdot{w * w}={target**2}$.
           The flow ends at $w={w}$, $v={v}$, $u={u}$.
        3. The orbit of the end consists of the chains of positive weights with the product {target}.
           The lightest of them is balanced at both units, $w=v=u={base}$, with the sum of squares ${least}$.
           At the end the sum is ${norm}$, which is ${norm - least}$ above.
        4. Metric and penalty have the same exponent, so each charge is multiplied by $e^{{-\lambda pt}}=e^{{-2\lambda t}}$, whatever the loss does.
           A quarter is left when $2\lambda t=\log4$, at $t=\log4/{2 * decay:g}\approx{math.log(4) / (2 * decay):.3g}$.""",
        marks=(
            (4, "the two charges, with their values"),
            (4, "product and charges together: an equation for one unknown"),
            (3, "the end of the flow"),
            (3, "why there is no other: the weights stay positive, and the left-hand side rises"),
            (5, "the lightest chain has equal weights; the difference"),
            (4, "the law of decay of a charge, with the factor p = 2"),
            (2, "the time"),
        ),
    )
