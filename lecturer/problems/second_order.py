"""Extra problems on second-order structure: lifted zeros, the flow's end, a sum, a decay."""

from fractions import Fraction
from math import hypot

import torch
from torch import nn
from torch.func import functional_call, grad

import gaugelib as gl
from gaugelib.curvature import hessian_product
from tools.teach import Answer, Problem, problem


def tex(number: float) -> str:
    """A number that is a fraction, as a formula."""
    part = Fraction(abs(number)).limit_denominator(4096)
    size = rf"\tfrac{{{part.numerator}}}{{{part.denominator}}}"
    return "-" * (number < 0) + (f"{part}" if part.denominator == 1 else size)


def along(objective, params, *direction):
    """The curvature of an objective along a direction, divided by its squared length."""
    line = torch.tensor(direction).double()
    return (line @ gl.hessian(objective, params) @ line / (line @ line)).item()


@problem(title="Two springs on one neuron", stars=1, minutes=20)
def neuron_springs(draw):
    """Decay and soft penalty at the minimum of one neuron, by hand."""
    y = draw.choice([2, 3, 4])
    lam, kappa = draw.choice([0.25, 0.5]), draw.choice([0.125, 0.25, 1])
    square, mu = y - lam, 2 * (y - lam)
    lifted, across, both = 2 * lam, 2 * square, 2 * lam + 2 * kappa * mu

    def decayed(t):
        fit = (t["v"] * t["w"].relu() - y).square() / 2
        return fit + lam / 2 * (t["w"].square() + t["v"].square())

    def pulled(t):
        return decayed(t) + kappa / 4 * (t["w"].square() - t["v"].square()).square()

    def minimum():
        t = {"w": torch.tensor(1.1 * y**0.5).double(), "v": torch.tensor(0.9 * y**0.5).double()}
        for _ in range(12):
            slope = torch.stack(list(grad(decayed)(t).values()))
            step = torch.linalg.solve(gl.hessian(decayed, t), slope)
            t = {name: t[name] - part for name, part in zip(t, step)}
        return t

    answers = (
        Answer("w² at the minimum", square, lambda: minimum()["w"].square().item(), mistakes=(
            (y, "this is a minimum without the decay"), (y - 2 * lam, "the decay counts once, for both equations are the same"),
        )),
        Answer("eigenvalue along the orbit, decay alone", lifted, lambda: along(decayed, minimum(), 1.0, -1.0), mistakes=(
            (0.0, "the decay is not constant along the orbit"), (lam, "the loss has a slope there, and its Hessian adds as much again"),
        )),
        Answer("the other eigenvalue", across, lambda: along(decayed, minimum(), 1.0, 1.0), mistakes=(
            (2 * y, "this is the sharpness at the balanced minimum without the decay"), (2 * y - 3 * lam, "the curvature of the decay itself is missing"),
        )),
        Answer("eigenvalue along the orbit, decay and penalty", both, lambda: along(pulled, minimum(), 1.0, -1.0), mistakes=(
            (2 * kappa * mu, "the two lifts add"), (lifted + kappa * mu, "the penalty lifts by 2κμ"),
        )),
    )  # fmt: skip
    marks = (
        (2, "balanced, and the size of the weights"), (2, "both eigenvalues with their eigenvectors"),
        (1, "why the minimum stays where it is"), (2, r"$2\lambda+2\kappa\mu$ along the orbit, nothing new across it"),
    )  # fmt: skip
    return Problem(
        question=rf"""
        The neuron $f(x)=v\,\mathrm{{relu}}(wx)$ learns $f(1)={y}$ with a weight decay of strength $\lambda={tex(lam)}$.
        Where $w>0$, this is $L+\lambda R_2=\tfrac12(wv-{y})^2+\tfrac\lambda2(w^2+v^2)$.

        1. Find its minimum with positive weights.
        2. Find both eigenvalues of the Hessian there, with their eigenvectors.
        3. The soft penalty $S=\frac\kappa4(w^2-v^2)^2$ with $\kappa={tex(kappa)}$ is added.
           Where is the minimum now, and what are the two eigenvalues?
        """,
        answers=answers,
        solution=rf"""
        1. The gradient vanishes where $(wv-y)v+\lambda w=0$ and $(wv-y)w+\lambda v=0$.
           The first times $w$ less the second times $v$ is $\lambda(w^2-v^2)=0$, so $w=v$.
           Then $w^2-y+\lambda=0$, so $w^2=v^2={tex(square)}$.
        2. On the diagonal of the Hessian stands $w^2+\lambda=y$, off it $2wv-y=y-2\lambda$.
           On $(1,-1)$, which is along $v_h=(w,-v)$, it gives $y-(y-2\lambda)=2\lambda={tex(lifted)}$, as {{in}}`thm-zero-modes` says.
           On $(1,1)$ it gives $y+(y-2\lambda)=2(y-\lambda)={tex(across)}$.
        3. The minimum is balanced, so $S$ is 0 there and has no slope: it stays where it is.
           $\mathcal L$ is the number $\mu=w^2+v^2={tex(mu)}$.
           The Hessian of $S$ is $2\kappa v_hv_h^\top$, which gives $2\kappa\mu$ along the orbit and 0 across it.
           So the eigenvalues are $2\lambda+2\kappa\mu={tex(both)}$ and, as before, ${tex(across)}$.
        """,
        marks=marks,
    )


@problem(title="Where the flow ends", stars=1, minutes=15)
def flow_end(draw):
    """What gradient flow keeps, how sharp its end is, and what one step does to it."""
    steps = {
        (2, 0, 1.5): (0.25, 0.5), (0, 2, 1.5): (0.25, 0.5), (3, 1, 7.5): (0.0625, 0.125),
        (1, 3, 7.5): (0.0625, 0.125), (4, 2, 2.5): (0.125, 0.1875), (2, 4, 4.5): (0.125, 0.1875),
    }  # fmt: skip
    w, v, y = draw.choice([*steps])
    eta = draw.choice(steps[w, v, y])
    delta, error = w**2 - v**2, w * v - y
    sharp, moved = hypot(delta, 2 * y), delta * (1 - (eta * error) ** 2)
    start = {"w": torch.tensor(w).double(), "v": torch.tensor(v).double()}

    def loss(t):
        return (t["w"] * t["v"] - y).square() / 2

    def end_of_flow():
        path = gl.gradient_flow(loss, start, until=25 / sharp, steps=200, saved=2)
        return torch.linalg.eigvalsh(gl.hessian(loss, path.at(-1)))[-1].item()

    def after_a_step():
        slope = grad(loss)(start)
        t = {name: start[name] - eta * slope[name] for name in start}
        return (t["w"].square() - t["v"].square()).item()

    answers = (
        Answer("sharpness where the flow ends", sharp, end_of_flow, tolerance=1e-5, mistakes=(
            (w**2 + v**2, "this is the size at the start; the flow keeps Δ, not S"),
            (2 * y, "this is the flattest minimum, which is balanced"),
            (delta**2 + 4 * y**2, "the root is missing"),
        )),
        Answer("Δ after the first step", moved, after_a_step, mistakes=(
            (delta, "only the flow keeps it"),
            (delta * (1 + (eta * error) ** 2), "a step takes imbalance away: mind the sign"),
            (delta * (1 - eta * abs(error)), "the factor has the square of the error"),
        )),
    )  # fmt: skip
    marks = (
        (2, "the flow keeps the imbalance, and the root"), (1, "two over the sharpness"),
        (1, "the imbalance after a step"), (2, "compares with the limit, and says that steps end elsewhere than the flow"),
    )  # fmt: skip
    return Problem(
        question=rf"""
        The linear network $f=wv$ starts at $w={w}$, $v={v}$ and learns the target $y={tex(y)}$ with the loss $L=\frac12(wv-y)^2$.

        1. How sharp is the minimum where gradient flow ends?
        2. Which number must the step size of gradient descent stay below, so that it can come to rest at that minimum?
        3. What is $\Delta=w^2-v^2$ after the first step of gradient descent with $\eta={tex(eta)}$?
        4. Can gradient descent with this $\eta$ come to rest at the minimum of the first question?
           Is that where it has to end?
        """,
        answers=answers,
        solution=rf"""
        1. The flow keeps $\Delta={w}^2-{v}^2={delta}$ and ends at $wv=y$, where the sharpness is $w^2+v^2=\sqrt{{\Delta^2+4y^2}}=\sqrt{{{tex(delta**2)}+{tex(4 * y**2)}}}={tex(sharp)}$ ({{in}}`prop-edge`).
        2. Near the minimum each step multiplies the error by $1-\eta\lambda_{{\max}}$, so $\eta<2/\lambda_{{\max}}={tex(2 / sharp)}$.
        3. The error is $e=wv-y={tex(error)}$, and $\Delta'=\Delta(1-\eta^2e^2)={tex(moved)}$.
        4. {"It could" if eta < 2 / sharp else "It could not"}, for $\eta={tex(eta)}$ is {"below" if eta < 2 / sharp else "not below"} the limit ${tex(2 / sharp)}$.
           But each step with an error changes the imbalance, so gradient descent is on its way to another minimum than the flow, and the sharpness of that one decides whether it can stay.
        """,
        marks=marks,
    )


def curvatures_add_up(seed: int, bias: bool) -> bool:
    """Whether the orbit's curvatures add up as claimed and stay in another gauge, on networks."""
    coins = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1, bias=bias)).double()
    group = gl.mlp_group(model)
    for _ in range(3):
        params = {n: torch.randn(s, generator=coins).double() for n, s in group.shapes.items()}
        x, y = (torch.randn(20, k, generator=coins).double() for k in (3, 1))

        def loss(t, x=x, y=y):
            return (functional_call(model, t, (x,)) - y).square().mean() / 2

        def curvatures(t):
            tangents = [gl.generator(t, unit, group) for unit in torch.eye(group.units).double()]
            pairs = [(v, hessian_product(loss, t, v)) for v in tangents]
            return torch.stack([sum((v[n] * bent[n]).sum() for n in v) for v, bent in pairs])

        here = curvatures(params)
        there = curvatures(gl.rescale(params, group.random(generator=coins, log_std=0.5), group))
        outputs = functional_call(model, params, (x,))
        gaps = *(here - there), here.sum() + 2 * (outputs * (outputs - y)).mean()
        if max(abs(gap.item()) for gap in gaps) > 1e-8:
            return False
    return True


@problem(title="What the curvatures add up to", stars=2, minutes=25)
def curvature_sum(draw):
    """The orbit's curvatures: the same in every gauge, with a sum that the outputs know."""
    seed = draw.randrange(10**6)
    marks = (
        (2, "how the tangent and the Hessian change along the orbit"), (2, "the curvature by the weights out of the unit"),
        (2, "the sum over the last layer, and where the missing bias is used"), (1, "the sign, as a sentence about the outputs"),
    )  # fmt: skip
    return Problem(
        question=r"""
        Let every hidden unit be positively homogeneous, let $L$ depend on the outputs only, and let it be twice differentiable where you stand.

        1. Show that the curvature along the orbit, $v_h^\top\mathbf Hv_h$, is the same number at every point of the orbit.
        2. Let the network have one hidden layer, hidden biases or none, and one output without a bias, and let $L=\mathbb E[\ell(f)]$.
           Show that $\sum_hv_h^\top\mathbf Hv_h=-2\,\mathbb E[f\,\ell'(f)]$.
        3. When is this sum positive?
           Say it in a sentence about the outputs.
        """,
        witness=lambda: curvatures_add_up(seed, bias=False),
        control=lambda: curvatures_add_up(seed, bias=True),
        solution=r"""
        1. The entries of $v_h$ are $B_{he}\theta_e$, so at $g_a\theta=D_a\theta$ the tangent is $D_av_h$.
           By {in}`prop-derivatives` the Hessian there is $D_a^{-1}\mathbf HD_a^{-1}$, and $(D_av_h)^\top D_a^{-1}\,\mathbf H\,D_a^{-1}(D_av_h)=v_h^\top\mathbf Hv_h$.
        2. By {in}`prop-curved` and the Ward identity each term is $-2\langle g_{\mathrm{in}},w_{\mathrm{in}}\rangle =-2\langle g_{\mathrm{out}},w_{\mathrm{out}}\rangle$.
           The weights out of the hidden units are all the weights $v$ of the last layer, each once, so the sum is $-2\langle\nabla_vL,v\rangle$.
           The output is linear in them and has no bias, $f=\langle v,x_{\mathrm{hidden}}\rangle$, so $\langle\nabla_vL,v\rangle=\mathbb E[\ell'(f)\,\langle x_{\mathrm{hidden}},v\rangle] =\mathbb E[f\,\ell'(f)]$.
        3. $\mathbb E[f\ell'(f)]$ is the derivative of $\mathbb E[\ell(cf)]$ by $c$ at $c=1$.
           So the sum is positive if and only if the loss falls when all outputs are made a little larger by one common factor: where the network answers too timidly.
        """,
        marks=marks,
    )


def at_a_critical_point(size: float, bias: float, lam: float):
    """Tangent and Hessian of a neuron at a critical point of a loss and a decay of its weights.

    The loss is made to fit: a linear function of two outputs whose gradient is minus that of the
    decay, which exists because the two weights are equally large, and squares around it.
    """
    numbers = zip("wbv", (size, bias, -size))
    params = {name: torch.tensor(float(number)).double() for name, number in numbers}
    x = torch.tensor([3.0, 4.0]).double()  # the neuron is active on both
    slant = lam * torch.tensor([-1.0, 1.0]).double()

    def outputs(t):
        return t["v"] * (t["w"] * x + t["b"]).relu()

    fitted = outputs(params)

    def objective(t):
        decay = lam / 2 * (t["w"].square() + t["v"].square())
        return slant @ outputs(t) + (outputs(t) - fitted).square().sum() / 2 + decay

    assert all(abs(slope.item()) < 1e-12 for slope in grad(objective)(params).values())
    tangent = torch.stack([params["w"], params["b"], -params["v"]])
    return tangent, gl.hessian(objective, params)


@problem(title="A decay that forgets the biases", stars=3, minutes=25)
def forgetful_decay(draw):
    """An argument about a decay of the weights alone, with an error to find."""
    size, bias = draw.choice([1, 2, 3]), draw.choice([-2, -1, 1, 2])
    lam = draw.choice([0.125, 0.25, 0.5])
    quotient = 2 * lam * 2 * size**2 / (2 * size**2 + bias**2)

    tangent, bend = at_a_critical_point(size, bias, lam)

    def lifted(bias_held: float) -> bool:
        wanted = 2 * lam * tangent * torch.tensor([1.0, bias_held, 1.0])
        return torch.allclose(bend @ tangent, wanted, atol=1e-10)

    answers = (
        Answer("curvature along the orbit over the squared length", quotient, lambda: (tangent @ bend @ tangent / tangent.square().sum()).item(), mistakes=(
            (2 * lam, "so it would be if the bias decayed as well"),
            (quotient / 2, "loss and decay contribute the same, each its half"),
            (2 * lam * size**2 / (size**2 + bias**2), "the outgoing weights belong to the tangent, too"),
        )),
    )  # fmt: skip
    marks = (
        (2, "the gradient of the loss is 0 at the biases"), (1, "weights in and weights out are equally long"),
        (3, r"$2\lambda Pv_h$, and an eigenvector if and only if the bias is 0"), (2, "the quotient, with all entries of the tangent in its length"),
    )  # fmt: skip
    return Problem(
        question=rf"""
        It is a common habit to let a decay act on the weights alone, and to leave the biases free.
        Somebody trains a connected ReLU network with hidden biases in this way to a critical point of $L+\frac\lambda2\sum_{{\text{{weights}}}}\theta_e^2$, and writes:

        > At a critical point $\nabla L=-\lambda\theta$.
        > By {{in}}`prop-curved` $\mathbf Hv_h=-A_h\nabla L=\lambda A_h\theta=\lambda v_h$, and the decay adds $\lambda v_h$.
        > So each $v_h$ is an eigenvector with the eigenvalue $2\lambda$.

        1. Find the error.
        2. Which two numbers of each unit are equal at such a point?
        3. To what does the Hessian of the whole objective take $v_h$?
           For which units is $v_h$ an eigenvector?
        4. A unit has incoming weights of length ${size}$ and the bias ${bias}$, and $\lambda={tex(lam)}$.
           Compute the curvature along its orbit, divided by $\|v_h\|^2$.
        """,
        answers=answers,
        witness=lambda: lifted(bias_held=0.0),
        control=lambda: lifted(bias_held=1.0),
        solution=rf"""
        Write $P\theta$ for the parameters with all biases replaced by 0.

        1. The decay does not see the biases, so $\nabla L=-\lambda P\theta$: it is 0 at the biases, and not $-\lambda b$.
        2. By the Ward identity $0=\langle v_h,\nabla L\rangle=-\lambda\langle v_h,P\theta\rangle =-\lambda\big(\|w_{{\mathrm{{in}}}}\|^2-\|w_{{\mathrm{{out}}}}\|^2\big)$, biases not counted in $w_{{\mathrm{{in}}}}$.
           So the weights in are as long as the weights out.
        3. $\mathbf Hv_h=-A_h\nabla L=\lambda PA_h\theta=\lambda Pv_h$, because both matrices are diagonal, and the decay adds $\lambda Pv_h$.
           So $v_h$ goes to $2\lambda Pv_h=2\lambda\,(w_{{\mathrm{{in}}}},\,0,\,-w_{{\mathrm{{out}}}})$.
           If $b_h=0$, this is $2\lambda v_h$.
           If $b_h\ne0$, it is no multiple of $v_h$: the entry of the bias would ask for the factor 0, and those of the weights, which are not all 0, for $2\lambda$.
        4. By the second part the weights out have the length ${size}$, too, so $\|Pv_h\|^2=2\cdot{size}^2={2 * size**2}$ and $\|v_h\|^2={2 * size**2}+{bias**2}={2 * size**2 + bias**2}$.
           The curvature is $v_h^\top2\lambda Pv_h=2\lambda\|Pv_h\|^2$, and divided by $\|v_h\|^2$ it is $2\lambda\cdot{tex(2 * size**2 / (2 * size**2 + bias**2))}={tex(quotient)}$: less than $2\lambda$, for the bias moves without being held.
        """,
        marks=marks,
    )
