"""Extra problems on soft gauge fixing: heat in two units, slow waves, extremes, a lost bias."""

from functools import cache
from math import cos, pi, sqrt

import torch
from torch import nn
from torch.func import functional_call, grad, jvp

import gaugelib as gl
from gaugelib.soft import rates
from tools.teach import Answer, Problem, problem


def tex(number: float) -> str:
    """A number with all its digits, as a formula."""
    return f"{number:.10g}"


def chain(weights):
    """A chain of hidden neurons: its parameters, in float64, and its group."""
    links = [nn.Linear(1, 1, bias=False) for _ in weights]
    layers = [part for link in links for part in (link, nn.ReLU())][:-1]
    group = gl.mlp_group(nn.Sequential(*layers))
    params = {
        name: torch.full((1, 1), float(weight)).double()
        for name, weight in zip(group.shapes, weights)
    }
    return params, group


def pulled(params, group, strength):
    """The rates at which the imbalances change down the quadratic penalty, by differentiation."""
    slope = grad(lambda t: gl.soft_penalty(t, group, strength=strength))(params)
    velocity = {name: -part for name, part in slope.items()}
    return jvp(lambda t: gl.imbalance(t, group), (params,), (velocity,))[1]


@problem(title="Two springs", stars=1, minutes=15)
def two_springs(draw):
    """Two neurons in a chain: what the penalty does to both imbalances, and how fast it ends."""
    a, b, size = draw.choice([(8, 1, 2), (1, 8, 4), (4, 0.5, 1), (0.5, 4, 2)])
    kappa = draw.choice([0.125, 0.25, 0.5])
    params, group = chain((a, b, b))
    delta = a**2 - b**2
    first, second = -2 * kappa * (a**2 + b**2) * delta, 2 * kappa * b**2 * delta
    slowest = 2 * kappa * size**2

    def at_the_end():
        level = gl.minimum_norm(params, group, tol=1e-13).params
        return rates(level, group, strength=kappa)[0].item()

    answers = (
        Answer("rate of Δ₁ at first", first, lambda: pulled(params, group, kappa)[0].item(), mistakes=(
            (-2 * kappa * a**2 * delta, "the weight out of the first neuron pulls as well"),
            (first / 2, "the factor 2 of the square is missing"),
            (-first, "the penalty makes imbalance smaller"),
        )),
        Answer("rate of Δ₂ at first", second, lambda: pulled(params, group, kappa)[1].item(), mistakes=(
            (0.0, "a neuron in balance shares a weight with one that is not"),
            (-second, "less flows into the second neuron, or more: mind the sign"),
            (second / 2, "the factor 2 of the square is missing"),
        )),
        Answer("slowest rate at rest", slowest, at_the_end, tolerance=1e-6, mistakes=(
            (3 * slowest, "this is the fastest mode"),
            (2 * slowest, "the neighbour does not stay where it is"),
            (slowest / 2, "the factor 2 of the heat equation is missing"),
        )),
    )  # fmt: skip
    return Problem(
        question=rf"""
        A chain of two hidden ReLU neurons without biases has the three weights ${tex(a)}$, ${tex(b)}$ and ${tex(b)}$, in this order.
        Only the quadratic penalty pulls, with $\kappa={tex(kappa)}$.

        1. Write down $\Delta_1$, $\Delta_2$ and the matrix $\mathcal L$.
        2. At which rates do $\Delta_1$ and $\Delta_2$ change at first?
        3. The chain comes to rest where all three weights are equally large.
           At which rate does the slowest mode of imbalance die there?
        """,
        answers=answers,
        solution=rf"""
        1. $\Delta_1=a^2-b^2={tex(delta)}$ and $\Delta_2=b^2-b^2=0$, with $a={tex(a)}$ and $b={tex(b)}$.
           On the diagonal of $\mathcal L$ stand the squares of all weights of a neuron, off it minus the square of the weight that two neurons share: $\mathcal L=\begin{{pmatrix}}a^2+b^2&-b^2\\-b^2&2b^2\end{{pmatrix}}$.
        2. By {{in}}`thm-soft` $\dot\Delta=-2\kappa\mathcal L\Delta$, and $\Delta_2=0$, so $\dot\Delta_1=-2\kappa(a^2+b^2)\Delta_1={tex(first)}$ and $\dot\Delta_2=2\kappa b^2\Delta_1={tex(second)}$.
           The second neuron is in balance, and does not stay so.
        3. The product of the weights stays, ${tex(a * b * b)}$, so at rest each is ${tex(size)}$ and $\mathcal L={tex(size**2)}\begin{{pmatrix}}2&-1\\-1&2\end{{pmatrix}}$.
           On $(1,1)$ the matrix gives $1$, on $(1,-1)$ it gives $3$.
           The slowest rate is $2\kappa\cdot{tex(size**2)}\cdot1={tex(slowest)}$: both neurons too heavy on the same side.
        """,
        marks=(
            (2, r"both imbalances and $\mathcal L$, with the minus off the diagonal"),
            (2, r"$\dot\Delta=-2\kappa\mathcal L\Delta$, and both rates with their signs"),
            (1, "the weights at rest from the product"),
            (2, "both modes, and the slower one"),
        ),
    )


@problem(title="The slowest wave", stars=2, minutes=20)
def slowest_wave(draw):
    """A chain of equal weights: its slowest mode under the penalty and on the dials."""
    depth = draw.choice([3, 4, 6])
    size = draw.choice([0.25, 1, 2])
    kappa = draw.choice([0.25, 0.5, 2])
    params, group = chain([size] * depth)
    c, root = cos(pi / depth), {3: r"\tfrac12", 4: r"\tfrac{\sqrt2}2", 6: r"\tfrac{\sqrt3}2"}[depth]
    on_weights, on_dials = 4 * kappa * size**2 * (1 - c), kappa * (1 - c)
    off = cos(pi / (depth + 1))

    def found(kind):
        return lambda: rates(params, group, strength=kappa, kind=kind)[0].item()

    answers = (
        Answer("slowest rate under the penalty", on_weights, found("imbalance"), mistakes=(
            (4 * kappa * size**2 * (1 + c), "this is the fastest mode"),
            (4 * kappa * size**2 * (1 - off), "the depth is the number of weights"),
            (on_weights / 2, "the factor 2 of the heat equation is missing"),
        )),
        Answer("slowest rate on the dials", on_dials, found("log-ratio"), mistakes=(
            (kappa * (1 + c), "this is the fastest mode"),
            (kappa * (1 - off), "the depth is the number of weights"),
            (2 * on_dials, "the dials turn at half the strength"),
        )),
    )  # fmt: skip
    return Problem(
        question=rf"""
        A chain of ${depth - 1}$ hidden ReLU neurons without biases has ${depth}$ weights, all equal to ${tex(size)}$.
        Its imbalance is disturbed a little.

        1. Show that the vectors with the entries $\sin\frac{{\pi kj}}{{{depth}}}$, $j=1,\dots,{depth - 1}$, are eigenvectors of $\mathcal L$, for $k=1,\dots,{depth - 1}$.
        2. At which rate does the slowest mode die under the quadratic penalty with $\kappa={tex(kappa)}$?
        3. At which rate does it die if the log-ratios turn the dials instead, $\dot\alpha=-\frac\kappa2u$, with the same $\kappa$?
        4. For which size of the weights are both equally fast, whatever the depth?
        """,
        answers=answers,
        solution=rf"""
        Let $q={tex(size)}$ be the weights and $L={depth}$ their number.

        1. Each neuron has $2q^2$ on the diagonal of $\mathcal L$ and $-q^2$ for each neighbour.
           Put $x_j=\sin\frac{{\pi kj}}L$; then $x_0=x_L=0$, so a missing neighbour may be counted as one with the entry 0.
           Since $\sin(s-t)+\sin(s+t)=2\sin s\cos t$, we get $(\mathcal Lx)_j=q^2(2x_j-x_{{j-1}}-x_{{j+1}})=2q^2\big(1-\cos\tfrac{{\pi k}}L\big)\,x_j$.
        2. The smallest eigenvalue has $k=1$, and by {{in}}`prop-rates` the rate is $2\kappa\mu=4\kappa q^2\big(1-\cos\frac\pi{{{depth}}}\big) ={tex(4 * kappa * size**2)}\,\big(1-{root}\big)\approx{on_weights:.4f}$.
        3. The network is layered with $L$ weight layers, so the rate is $\kappa\big(1-\cos\frac\pi{{{depth}}}\big)={tex(kappa)}\,\big(1-{root}\big) \approx{on_dials:.4f}$.
        4. The two differ by the factor $4q^2$, so they are equal for $q=\frac12$.
           Smaller weights conduct worse, and the penalty is slower than the dials; larger weights conduct better, and it is faster.
        """,
        marks=(
            (2, "the eigenvectors, with both ends of the chain"),
            (2, "the smallest eigenvalue and the rate under the penalty"),
            (1, "the rate on the dials"),
            (1, r"equal for weights $\frac12$, with a reason"),
        ),
    )


def extremes_kept(seed: int, sigma, tries: int) -> bool:
    """Whether no extreme imbalance grows outwards, down loss and penalty, on drawn networks."""
    coins = torch.Generator().manual_seed(seed)
    layers = [nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1)]
    group = gl.mlp_group(nn.Sequential(*layers))
    model = nn.Sequential(*(sigma() if isinstance(part, nn.ReLU) else part for part in layers))
    model.double()
    for _ in range(tries):
        params = {n: torch.randn(s, generator=coins).double() for n, s in group.shapes.items()}
        x, y = (torch.randn(20, k, generator=coins).double() for k in (2, 1))

        def pull(t, x=x, y=y):
            missed = functional_call(model, t, (x,)) - y
            return 5 * missed.square().mean() + gl.soft_penalty(t, group, strength=0.05)

        velocity = {name: -slope for name, slope in grad(pull)(params).items()}
        charge, rate = jvp(lambda t: gl.charge(t, group), (params,), (velocity,))
        top, low = charge.argmax(), charge.argmin()
        rises = charge[top] >= 0 and rate[top] > 1e-8
        falls = charge[low] <= 0 and rate[low] < -1e-8
        if rises or falls:
            return False
    return True


@problem(title="No new extremes", stars=3, minutes=25)
def no_new_extremes(draw):
    """The heat equation has a maximum principle, whatever the network learns meanwhile."""
    seed = draw.randrange(10**6)
    return Problem(
        question=r"""
        Let every hidden unit be positively homogeneous, let $L$ depend on the outputs only and be differentiable, and let $S$ be the quadratic penalty with $\kappa>0$, biases counted.
        Learning follows $\dot\theta=-\nabla(L+S)$.

        1. Let $k$ be a unit of the largest imbalance, $\Delta_k=\max_h\Delta_h$, and let $\Delta_k\ge0$.
           Show that $\dot\Delta_k\le0$ at that moment.
        2. Conclude that $\max(0,\max_h\Delta_h)$ never increases, and say the same of the smallest imbalance.
        3. Why does it need $\Delta_k\ge0$?
        """,
        witness=lambda: extremes_kept(seed, nn.ReLU, 5),
        control=lambda: extremes_kept(seed, nn.Tanh, 40),
        solution=r"""
        By {in}`thm-soft` $\dot\Delta=-2\kappa\mathcal L\Delta$, with no term of the loss, and $\mathcal L=B\,\mathrm{diag}(\theta^2)\,B^\top$ gives $(\mathcal L\Delta)_k=\sum_eB_{ke}\,\theta_e^2\,(B^\top\Delta)_e$.

        1. A parameter $e$ between $k$ and another hidden unit $h$ contributes $\theta_e^2(\Delta_k-\Delta_h)$, whichever way it points: the two signs of $B$ multiply to $+1$ for $k$ itself and to $-1$ for $h$.
           That is at least 0, because $\Delta_k$ is the largest.
           A parameter between $k$ and an input, an output or the ground behind a bias contributes $\theta_e^2\Delta_k$, which is at least 0, because $\Delta_k\ge0$.
           A weight that leads from $k$ to itself has $B_{ke}=0$ and contributes nothing.
           So $(\mathcal L\Delta)_k\ge0$ and $\dot\Delta_k\le0$.
        2. Let $M(t)=\max(0,\max_h\Delta_h(t))$.
           A maximum of finitely many differentiable functions has at each moment a derivative to the right, the largest of the derivatives of those that attain it.
           Those that attain $M$ are the constant 0, with the derivative 0, and units with $\Delta_k=\max_h\Delta_h=M\ge0$, with a derivative of at most 0 by the first part.
           So the derivative of $M$ to the right is nowhere positive, and a continuous function with this property does not increase.
           With $-\Delta$ in the place of $\Delta$, which obeys the same equation, $\min(0,\min_h\Delta_h)$ never decreases.
        3. Inputs, outputs and the ground count as 0.
           If all imbalances are negative, the largest one can rise towards 0: a single neuron has $\dot\Delta=-2\kappa(r^2+s^2)\Delta>0$.
        """,
        marks=(
            (1, r"$\dot\Delta=-2\kappa\mathcal L\Delta$ holds while the network learns"),
            (2, "a shared parameter contributes a difference that is not negative"),
            (1, "inputs, outputs and biases contribute with the sign of the imbalance"),
            (2, "from the unit that is largest now to the maximum over all time"),
            (1, r"what $\Delta_k\ge0$ is needed for, and the smallest imbalance"),
        ),
    )


@problem(title="The bias that was left out", stars=2, minutes=20)
def forgotten_bias(draw):
    """A penalty that leaves the bias out: the kink moves, and an argument is mended."""
    w, v = draw.choice([(4, 1), (1, 4), (2, 0.5), (0.5, 2)])
    b, x = draw.choice([-2, -1, 1, 2]), draw.choice([5, 6, 8])
    slope = w * v
    root = sqrt(slope)
    kink, output = -b / root, slope * x + root * b
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1, bias=False))
    group = gl.mlp_group(model)
    numbers = {"0.weight": [[w]], "0.bias": [b], "2.weight": [[v]]}
    start = {name: torch.tensor(value).double() for name, value in numbers.items()}

    @cache
    def end():
        def penalty(t):
            return gl.soft_penalty(t, group, include_bias=False)

        return gl.gradient_flow(penalty, start, until=4 / slope, steps=64, saved=2).at(-1)

    def kink_of():
        t = end()
        return (-t["0.bias"] / t["0.weight"][0]).item()

    def output_of():
        at = torch.tensor([[float(x)]]).double()
        return functional_call(model, end(), (at,)).item()

    answers = (
        Answer("the kink at rest", kink, kink_of, tolerance=1e-3, mistakes=(
            (-b / w, "this is the kink at the start: the bias stays, the weight does not"),
            (-b / v, "the weight in front is not exchanged for the one behind"),
            (b / root, "the kink is where wx + b is zero: mind the sign"),
        )),
        Answer(f"f({x}) at rest", output, output_of, tolerance=1e-3, mistakes=(
            (slope * x + v * b, "this is the output at the start"),
            (slope * x, "the bias counts, times the weight behind"),
        )),
    )  # fmt: skip
    return Problem(
        question=rf"""
        The neuron $f(x)=v\,\mathrm{{relu}}(wx+b)$ has $w={tex(w)}$, $v={tex(v)}$ and $b={tex(b)}$.
        A colleague balances its weights by the flow of $S=\frac\kappa4(w^2-v^2)^2$ alone, and writes:

        > The penalty is a squared charge, and the gradient of a squared charge is vertical.
        > So by {{in}}`thm-soft` the neuron computes the same function all along.

        1. Where is the kink of $f$ when the flow has come to rest, and what is $f({x})$ then?
        2. Which properties of $f$ did survive?
        3. Find the error in the argument, and mend the penalty.
        """,
        answers=answers,
        solution=rf"""
        1. $\partial S/\partial b=0$, so $b={tex(b)}$ stays.
           The weights move with $\dot w=-\kappa\Delta w$ and $\dot v=\kappa\Delta v$ for $\Delta=w^2-v^2$, so $wv={tex(slope)}$ stays, and at rest $w=v={tex(root)}$.
           The kink is at $-b/w={tex(kink)}$; at the start it was at ${tex(-b / w)}$.
           To the right of it $f(x)=wvx+vb$, so $f({x})={tex(output)}$; at the start it was ${tex(slope * x + v * b)}$.
        2. The slope $wv$ of the one side stays, and the other side stays level at 0.
           The kink moves, so the function does not stay.
        3. The charge of {{in}}`thm-soft` counts the bias, $\Delta=w^2+b^2-v^2$, and its gradient is $2(w,b,-v)=2v_h$.
           The gradient of the colleague's difference is $2(w,0,-v)$.
           A dial moves the bias together with the weight in front, so this is not vertical unless $b=0$: what is squared here is not the charge.
           With the bias in it, $S=\frac\kappa4(w^2+b^2-v^2)^2$ keeps the function, and balances $w^2+b^2$ against $v^2$.
        """,
        marks=(
            (1, "the bias does not move"),
            (2, "the weights at rest from the product"),
            (1, "kink and output at rest"),
            (1, "the slope survives, the kink does not"),
            (2, "a dial moves the bias: the gradient is not vertical, and how to mend it"),
        ),
    )
