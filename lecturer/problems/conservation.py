"""Problems on charges that a flow keeps and steps break."""

import math

import torch
from torch import nn
from torch.func import functional_call, grad

import gaugelib as gl
from tools.teach import Answer, Problem, problem

# w0, s0, w1, s1 with w0² − s0² = w1² − s1²; the outgoing weight is s times a square root of m.
HYPERBOLAS = ((4, 1, 8, 7), (5, 1, 7, 5), (7, 2, 9, 6), (7, 3, 11, 9))


def neuron(inputs: int):
    """A network of one hidden unit without biases, and its gauge group."""
    layers = nn.Linear(inputs, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False)
    model = nn.Sequential(*layers).double()
    return model, gl.mlp_group(model)


def moves(a, b, v, x1, x2) -> bool:
    """Whether a step moves the charge at all."""
    return v**2 * (x1**2 + x2**2) != (a * x1 + b * x2) ** 2


@problem(title="One step by hand", stars=1, minutes=15)
def one_step_by_hand(draw):
    """A unit with two inputs, one datum, one step."""
    a, b = draw.choice([(1, 2), (2, 1), (3, 1), (1, 3)])
    v, error, eta = draw.choice([1, 2]), draw.choice([-2, -1]), draw.choice([0.5, 0.25])
    data = [(1, 1), (1, -0.5), (2, -1), (-0.5, 1), (0.5, 1), (1, 0.5)]
    active = [x for x in data if a * x[0] + b * x[1] > 0 and moves(a, b, v, *x)]
    x1, x2 = draw.choice(active)
    sends = a * x1 + b * x2
    target = v * sends - error
    slopes = error * v * x1, error * v * x2, error * sends
    before = a**2 + b**2 - v**2
    change = eta**2 * (slopes[0] ** 2 + slopes[1] ** 2 - slopes[2] ** 2)
    start = {"0.weight": [[a, b]], "2.weight": [[v]]}
    start = {name: torch.tensor(value).double() for name, value in start.items()}

    def moved():
        model, group = neuron(2)
        datum = torch.tensor([[x1, x2]]).double()

        def loss(params):
            return (functional_call(model, params, (datum,)) - target).square().sum() / 2

        downhill = grad(loss)(start)
        after = {name: w - eta * downhill[name] for name, w in start.items()}
        return tuple(gl.charge(params, group).item() for params in (start, after))

    return Problem(
        question=rf"""
        The neuron $f(x)=v\,\mathrm{{relu}}(w_1x_1+w_2x_2)$ has $(w_1,w_2)=({a},{b})$ and $v={v}$.
        It sees one datum, $x=({x1:g},{x2:g})$ with the target ${target:g}$, and the loss is $L=\frac12(f-{target:g})^2$.

        1. Check the Ward identity of the hidden unit in numbers.
        2. What is its charge $\Delta$ (for $p=2$)?
        3. What is the charge after one step of gradient descent with $\eta={eta}$?
           Use a law of the chapter, and say what you did not have to compute.
        """,
        answers=(
            Answer("the charge", before, lambda: moved()[0], mistakes=(
                ((a + b) ** 2 - v**2, "squares are added, not the square of a sum"),
                (v**2 - a**2 - b**2, "out minus in, and not in minus out"),
            )),
            Answer("the charge after the step", before + change, lambda: moved()[1], mistakes=(
                (before, "the flow conserves, a step does not"),
                (before - change, "the sign: incoming squares count plus"),
                (before + change / eta, "the law has the square of the step"),
            )),
        ),
        solution=rf"""
        The unit sends $z={a}\cdot({x1:g})+{b}\cdot({x2:g})={sends:g}>0$, so $f={v * sends:g}$ and the error is $r=f-{target:g}={error}$.
        The slopes are $\partial_{{w_1}}L=r\,v\,x_1={slopes[0]:g}$, $\partial_{{w_2}}L=r\,v\,x_2={slopes[1]:g}$ and $\partial_vL=r\,z={slopes[2]:g}$.

        1. In: ${a}\cdot({slopes[0]:g})+{b}\cdot({slopes[1]:g})={a * slopes[0] + b * slopes[1]:g}$.
           Out: ${v}\cdot({slopes[2]:g})={v * slopes[2]:g}$, the same.
        2. $\Delta={a}^2+{b}^2-{v}^2={before}$.
        3. By {{prf:ref}}`prop-step` the charge changes by exactly $\eta^2$ times the difference of the squared slopes,
           ${eta}^2\,\big(({slopes[0]:g})^2+({slopes[1]:g})^2-({slopes[2]:g})^2\big)={change:g}$, so it is ${before + change:g}$.
           The weights after the step are not needed.
        """,
        marks=(
            (2, "the three slopes"),
            (1, "both sides of the Ward identity agree"),
            (1, "the charge, in minus out"),
            (2, "the law of one step, with $\\eta^2$ and signs"),
            (1, "the new weights are not needed"),
        ),
    )  # fmt: skip


@problem(title="Two learning rates", stars=2, minutes=20)
def two_learning_rates(draw):
    """A layer that moves faster than the other."""
    w0, s0, w1, s1 = draw.choice(HYPERBOLAS)
    root = draw.choice([2, 3])
    faster, v0, v1 = root**2, root * s0, root * s1
    target, kept = w1 * v1, w0**2 - s0**2

    def landed():
        w, v, step = float(w0), float(v0), 0.05 / (faster * w1**2 + v1**2)

        def speed(w, v):
            slope = w * v - target
            return -slope * v, -faster * slope * w

        for _ in range(1200):
            a = speed(w, v)
            b = speed(w + step / 2 * a[0], v + step / 2 * a[1])
            c = speed(w + step / 2 * b[0], v + step / 2 * b[1])
            d = speed(w + step * c[0], v + step * c[1])
            w += step / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0])
            v += step / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1])
        return w, v

    def plain(delta):  # where a conserved w² − v² would lead
        return math.sqrt((delta + math.sqrt(delta**2 + 4 * target**2)) / 2)

    return Problem(
        question=rf"""
        In the network $f(x)=v\,\mathrm{{relu}}(wx)$ the outgoing weight has a learning rate ${faster}$ times as large as the incoming one; in the limit of small steps

        $$\dot w=-\partial_wL,\qquad \dot v=-{faster}\,\partial_vL .$$

        The loss is $L=\frac12(wv-{target})^2$, and training starts at $(w,v)=({w0},{v0})$.

        1. Show that $w^2-v^2$ is not conserved, and find a number $w^2-\dots$ that is.
        2. What is it here?
        3. Where does training end?
        """,
        answers=(
            Answer("the conserved number, with $w^2$ in it once", kept, lambda: landed()[0] ** 2 - landed()[1] ** 2 / faster, 1e-6, mistakes=(
                (w0**2 - v0**2, "the charge of equal rates, which moves here"),
                (w0**2 - faster * v0**2, "the square is divided by the rate, not multiplied"),
            )),
            Answer("the weight w in the end", w1, lambda: landed()[0], 1e-6, mistakes=(
                (plain(w0**2 - v0**2), "as if the rates were equal"),
                (math.sqrt(target), "nothing pulls towards balance"),
            )),
        ),
        solution=rf"""
        1. The Ward identity $w\,\partial_wL=v\,\partial_vL$ does not know about learning rates.
           Along the flow $\frac{{d}}{{dt}}w^2=-2w\,\partial_wL$ and $\frac{{d}}{{dt}}v^2=-2\cdot{faster}\,v\,\partial_vL$.
           So $\frac{{d}}{{dt}}(w^2-v^2)=2\cdot{faster - 1}\,v\,\partial_vL$, which is not zero before the data are fitted, while $\frac{{d}}{{dt}}\big(w^2-\frac{{v^2}}{{{faster}}}\big)=0$.
        2. $w^2-\frac{{v^2}}{{{faster}}}={w0}^2-\frac{{{v0}^2}}{{{faster}}}={kept}$.
        3. The conserved number is positive, so $w$ keeps its sign, and the flow can rest only where $wv={target}$; there $w^2-\frac{{v^2}}{{{faster}}}={kept}$.
           With $s=w^2$ this is $s-\frac{{{target}^2}}{{{faster}\,s}}={kept}$, that is $s^2-{kept}\,s-{(target // root) ** 2}=0$, whose positive root is $s={w1**2}$.
           So $w={w1}$ and $v={v1}$.
        """,
        marks=(
            (1, "the rate of $w^2-v^2$, not zero"),
            (2, "each square divided by its own learning rate"),
            (1, "its value"),
            (2, "two equations at the end, and their positive root"),
        ),
    )  # fmt: skip


@problem(title="Behind a normalisation", stars=3, minutes=25)
def behind_a_normalisation(draw):
    """Another symmetry, another conserved number, another law of one step."""
    seed, eta = draw.randrange(2**31), 0.1

    def holds(normalised: bool) -> bool:
        chance = torch.Generator().manual_seed(seed)
        u, v = (torch.randn(n, generator=chance).double() for n in (4, 1))
        x, y = (torch.randn(12, *n, generator=chance).double() for n in ((4,), ()))

        def loss(u):
            z = x @ u
            z = (z - z.mean()) / z.std() if normalised else z
            return (v * torch.tanh(z) - y).square().mean()

        slope = grad(loss)(u)
        after = u - eta * slope
        still = (u @ slope).abs() < 1e-12
        grown = after.square().sum() - u.square().sum() - eta**2 * slope.square().sum()
        return bool(still and grown.abs() < 1e-12)

    return Problem(
        question=r"""
        A normalisation divides what a neuron receives by its standard deviation over the batch.
        So if $u$ are the weights into such a neuron (no bias), the loss does not change when all of them are multiplied by the same $c>0$: $L(cu)=L(u)$, all other parameters held fixed.
        The activation behind the normalisation may be any, tanh too.

        1. Show that $\langle u,\nabla_uL\rangle=0$ wherever $L$ is differentiable.
        2. Show that gradient flow conserves $\|u\|^2$.
        3. Show that one step of gradient descent changes it by exactly $\eta^2\|\nabla_uL\|^2$, so that $\|u\|$ can only grow.
        4. Compare with a hidden ReLU unit: which of these three statements has a counterpart, and what is different about the sign in the third?
        """,
        solution=r"""
        1. Differentiate $L(cu)=L(u)$ with respect to $c$ at $c=1$; the chain rule gives $\langle u,\nabla_uL\rangle=0$.
        2. Along $\dot u=-\nabla_uL$ we have $\frac{d}{dt}\|u\|^2=2\langle u,\dot u\rangle=-2\langle u,\nabla_uL\rangle=0$.
        3. $\|u-\eta\nabla_uL\|^2=\|u\|^2-2\eta\,\langle u,\nabla_uL\rangle+\eta^2\|\nabla_uL\|^2$, and the middle term vanishes.
           The last is not negative, so no step makes $\|u\|$ smaller.
        4. All three have one: the Ward identity ({prf:ref}`thm-ward`), the conserved charge ({prf:ref}`thm-conserved`) and the law of one step ({prf:ref}`prop-step`).
           In a ReLU unit the dial multiplies what flows in and divides what flows out, so both sides appear with opposite signs, and the term of a step is a difference that can have either sign.
           Here nothing is divided in return, only one side appears, and the term is never negative.
        """,
        marks=(
            (2, "the derivative of the symmetry at $c=1$"),
            (2, "the flow conserves the norm"),
            (2, "the exact law of one step, and its sign"),
            (2, "all three counterparts, and one side instead of two"),
        ),
        witness=lambda: holds(normalised=True),
        control=lambda: holds(normalised=False),
    )


@problem(title="What momentum remembers", stars=2, minutes=20)
def what_momentum_remembers(draw):
    """An argument that takes a gradient at the wrong place."""
    w, v = draw.choice([(2, 1), (3, 1), (1, 2), (3, 2), (1, 3)])
    error, eta, beta = draw.choice([-2, -1, 1]), draw.choice([0.25, 0.125]), 0.5
    target = w * v - error
    left = -(eta * error**2 * (v**2 - w**2))
    start = torch.tensor([w, v]).double()

    def loss(t):
        return (t[0] * t[1] - target).square() / 2

    def remembered():
        old = grad(loss)(start)
        product = (start - eta * old) * old
        return (product[0] - product[1]).item()

    def term():
        old = grad(loss)(start)
        here = start - eta * old
        product = here * (grad(loss)(here) + beta * old)
        return -2 * eta * (product[0] - product[1]).item()

    return Problem(
        question=rf"""
        Momentum makes the steps $m_k=\beta m_{{k-1}}+\nabla L(\theta_k)$, $\theta_{{k+1}}=\theta_k-\eta\,m_k$, with $m_{{-1}}=0$.
        A student argues that it conserves the charge with $p=2$ as well as plain steps do:

        > "Each $m_k$ is a sum of gradients with factors.
        > Every gradient satisfies the Ward identity, and the identity is linear in the gradient.
        > So $B(\theta_k\odot m_k)=0$, and the term with $\eta$ vanishes in each step, as without momentum."

        1. Where is the error?
        2. Take two weights, $L=\frac12(wv-{target})^2$, start at $(w,v)=({w},{v})$ and make the first step with $\eta={eta}$.
           What is $B(\theta_1\odot\nabla L(\theta_0))$, that is $w_1\,\partial_wL(\theta_0)-v_1\,\partial_vL(\theta_0)$?
        3. Let $\beta=\frac12$.
           In the square of the second step the middle term is $-2\eta\,B(\theta_1\odot m_1)$, and without momentum it would vanish.
           What is it here?
        """,
        answers=(
            Answer("the identity that fails", left, remembered, mistakes=(
                (0, "the gradient and the weights belong to different points"),
                (-left, "the sign of the step"),
                (left / eta, "the factor of the step is missing"),
            )),
            Answer("the middle term of the second step", -2 * eta * beta * left, term, mistakes=(
                (0, "it would vanish for plain steps only"),
                (-2 * eta * left, "the memory carries the factor β"),
                (-eta * beta * left, "the square of a sum has twice the product"),
            )),
        ),
        solution=rf"""
        1. The identity is linear in the gradient, but gradient and weights must belong to the *same* point: $B(\theta\odot\nabla L(\theta))=0$.
           In $m_k$ there are gradients from earlier points, and $B(\theta_k\odot\nabla L(\theta_j))$ need not vanish for $j<k$.
        2. $\theta_1=\theta_0-\eta\nabla L(\theta_0)$, so by the identity at $\theta_0$ only $-\eta\,B(\nabla L(\theta_0))^2$ is left.
           The error is $r=wv-{target}={error}$ and the slopes are $\partial_wL=rv={error * v}$ and $\partial_vL=rw={error * w}$.
           So it is $-{eta}\,\big(({error * v})^2-({error * w})^2\big)={left:g}$.
        3. $m_1=\nabla L(\theta_1)+\beta\,\nabla L(\theta_0)$, and the first part obeys the identity at $\theta_1$.
           So the middle term is $-2\eta\beta\,B(\theta_1\odot\nabla L(\theta_0))=-2\cdot{eta}\cdot\frac12\cdot({left:g})={-2 * eta * beta * left:g}$.
           It is of the order $\eta^2$, as is the whole change in a plain step; but it comes in every step from some $1/(1-\beta)$ earlier gradients, and if $\beta$ is near 1 that is much more.
        """,
        marks=(
            (3, "gradient and weights belong to different points"),
            (2, "the identity at the start leaves the squares of the slopes"),
            (1, "its value"),
            (2, "the middle term of the second step, with $2$, $\\eta$ and $\\beta$"),
        ),
    )  # fmt: skip
