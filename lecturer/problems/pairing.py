"""Problems on the pairing of a weight decay with a flow."""

import math
from functools import cache

import torch
from torch import nn
from torch.func import functional_call, grad, hessian, jvp

import gaugelib as gl
from tools.teach import Answer, Problem, problem

# Starts (w, v), what the flow makes of them, and by how much the charge has fallen.
MEASURED = (
    (3.5, 0.5, 2, 1, 4), (4.5, 0.5, 3, 2, 4), (7, 1, 4, 2, 4),
    (5.5, 1.5, 4, 3, 4), (6, 2, 5, 3, 2), (2.75, 0.75, 2, 1.5, 4),
)  # fmt: skip


def neuron(inputs: int) -> gl.GaugeGroup:
    """The gauge group of one hidden unit without biases."""
    layers = nn.Linear(inputs, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False)
    return gl.mlp_group(nn.Sequential(*layers))


def of(w, v) -> dict[str, torch.Tensor]:
    """Its parameters: a list of incoming weights, and the outgoing one."""
    return {"0.weight": torch.tensor([w]).double(), "2.weight": torch.tensor([[v]]).double()}


def rate(charge, loss, params, p: float, strength=None) -> torch.Tensor:
    """How fast a charge changes along the flow of metric p, each step divided by a strength."""
    slopes = grad(loss)(params)
    speed = {name: -(x.abs() ** (2 - p)) * slopes[name] for name, x in params.items()}
    divided = {name: x / strength[name] for name, x in speed.items()} if strength else speed
    return jvp(charge, (params,), (divided,))[1]


@problem(title="A measured ratio", stars=1, minutes=15)
def measured_ratio(draw):
    """From the measured product of two weights to the weights."""
    w0, v0, w1, v1, factor = draw.choice(MEASURED)
    lam = draw.choice([0.05, 0.1, 0.2])
    halvings = round(math.log2(factor)) / (2 * lam)
    time, product = halvings * math.log(2), w1 * v1
    first, last = w0**2 - v0**2, w1**2 - v1**2
    group = neuron(1)

    @cache
    def run(strength):  # any loss of the product will do: this one is not the problem's
        def loss(t):
            return strength * (t["0.weight"] * t["2.weight"] - 2).square().sum()

        options = {"until": time, "steps": 64, "decay": lam, "saved": 2}
        return gl.gradient_flow(loss, of([w0], v0), **options).at(-1)

    def charge():
        return gl.charge(run(1 / 128), group).item()

    def weight():  # turn the dial of a neuron with the measured product until its charge fits
        wanted, low, high = charge(), -5.0, 5.0
        for _ in range(45):
            middle = (low + high) / 2
            found = gl.rescale(of([1.0], product), torch.tensor([math.exp(middle)]), group)
            low, high = (middle, high) if gl.charge(found, group) < wanted else (low, middle)
        return found["0.weight"].item()

    return Problem(
        question=rf"""
        The neuron $f(x)=v\,\mathrm{{relu}}(wx)$ learns by gradient flow with a weight decay, $\dot\theta=-\nabla(L+\lambda R_2)$ with $\lambda={lam}$, from $w={w0}$ and $v={v0}$.
        Nobody has told you the loss $L$, only that it depends on the outputs alone.
        At the time $t={halvings:g}\log2$ somebody measures that $wv={product:g}$, with both weights positive.

        1. What is the charge $w^2-v^2$ at that time?
        2. What is $w$?
        3. What would the ratio $w/v$ be at that time if there were no loss at all?
        """,
        answers=(
            Answer("the charge", last, charge, 1e-6, mistakes=(
                (first / math.sqrt(factor), "the rate λ of the weights, not 2λ of squares"),
                (first, "the charge is conserved without a decay only"),
            )),
            Answer("the weight w", w1, weight, 1e-6, mistakes=(
                (w0 / math.sqrt(factor), "the weight shrunk as if there were no loss"), (v1, "w and v exchanged"),
            )),
            Answer("the ratio without a loss", w0 / v0, lambda: (run(0)["0.weight"] / run(0)["2.weight"]).item(), 1e-6, mistakes=(
                (1, "a decay alone does not balance"), (w1 / v1, "the ratio with the loss"),
            )),
        ),
        solution=rf"""
        1. By {{prf:ref}}`thm-pairing` with $p=2$ the charge is $\Delta(t)=\Delta(0)\,e^{{-2\lambda t}}$, whatever the loss is.
           Here $\Delta(0)={w0}^2-{v0}^2={first:g}$ and $2\lambda t={2 * lam * halvings:g}\log2$, so $e^{{-2\lambda t}}=\frac1{{{factor}}}$ and $\Delta(t)={last:g}$.
        2. Two equations for two unknowns, $w^2-v^2={last:g}$ and $wv={product:g}$.
           With $s=w^2$ they say $s-{product**2:g}/s={last:g}$, that is $s^2-{last:g}\,s-{product**2:g}=0$.
           The positive root is $s={w1**2:g}$, so $w={w1:g}$ (and $v={v1:g}$).
        3. Without a loss every weight is multiplied by $e^{{-\lambda t}}$ ({{prf:ref}}`prop-decay-alone`), so the ratio is what it was, ${w0}/{v0}$.
        """,
        marks=(
            (2, "the law of the charge with the rate $2\\lambda$"), (1, "the charge at the time asked for"),
            (2, "two equations for $w$ and $v$, and the positive root"), (1, "the ratio stays without a loss, with the reason"),
        ),
    )  # fmt: skip


@problem(title="Two colleagues", stars=2, minutes=15)
def two_colleagues(draw):
    """Two flows with the other's penalty each."""
    a, b, c = draw.choice([(3, 4, 5), (5, 12, 13), (8, 15, 17), (6, 8, 10), (7, 24, 25)])
    lam, seed = draw.choice([0.5, 0.25, 0.125]), draw.randrange(2**31)
    one, two = -2 * lam * (a + b - c), 2 * lam * a * b

    def found(outgoing, p, q):
        chance = torch.Generator().manual_seed(seed)
        x, y = (torch.rand(8, *n, generator=chance).double() for n in ((2,), ()))

        def loss(t):
            f = t["2.weight"][0, 0] * torch.relu(x @ t["0.weight"][0])
            penalty = sum(weight.abs().pow(q).sum() for weight in t.values()) / q
            return (f - y).square().mean() + lam * penalty

        params, group = of([float(a), float(b)], float(outgoing)), neuron(2)
        return rate(lambda t: gl.charge(t, group, p), loss, params, p).item()

    return Problem(
        question=rf"""
        Two colleagues train a network and look at one hidden unit without a bias, with two weights in and one weight out.
        Its incoming weights are ${a}$ and ${b}$ for both; $\lambda={lam}$.

        - Anna follows gradient flow (metric $p=2$) and adds $\lambda R_1=\lambda\sum_e|\theta_e|$ to the loss; her unit has the outgoing weight ${c}$.
        - Ben follows $\dot\theta=-|\theta|\odot\nabla(L+\lambda R_2)$ (metric $p=1$); his unit has the outgoing weight ${a + b}$.

        Each says: "My unit is balanced for the exponent of my flow, and so it will stay."

        1. Verify that each unit is balanced for its own exponent.
        2. At what rate does Anna's charge $\Delta^{{(2)}}$ change at this moment?
        3. At what rate does Ben's charge $\Delta^{{(1)}}$ change?
        4. Say for each of them what to change, and change nothing about the flow.
        """,
        answers=(
            Answer("the rate of Anna's charge", one, lambda: found(c, 2, 1), mistakes=(
                (0, "the right-hand side has the penalty's charge"), (one / 2, "the factor p = 2 is missing"),
                (-one, "the sign: a decay takes away"),
            )),
            Answer("the rate of Ben's charge", two, lambda: found(a + b, 1, 2), mistakes=(
                (0, "the right-hand side has the penalty's charge"), (2 * two, "the factor is p, and not q"),
                (-two, "the sign: here the penalty's charge is negative"),
            )),
        ),
        solution=rf"""
        1. Anna: $\Delta^{{(2)}}={a}^2+{b}^2-{c}^2=0$.
           Ben: $\Delta^{{(1)}}={a}+{b}-{a + b}=0$.
        2. By {{prf:ref}}`prop-mismatch`, $\dot\Delta^{{(p)}}=-\lambda p\,\Delta^{{(q)}}$; the loss does not enter.
           Anna has $p=2$, $q=1$ and $\Delta^{{(1)}}={a}+{b}-{c}={a + b - c}$, so the rate is $-{lam}\cdot2\cdot{a + b - c}={one:g}$.
        3. Ben has $p=1$, $q=2$ and $\Delta^{{(2)}}={a}^2+{b}^2-{a + b}^2=-2\cdot{a}\cdot{b}={-2 * a * b}$, so the rate is $-{lam}\cdot({-2 * a * b})={two:g}$.
        4. They have each other's penalty: Anna needs $R_2$ with her gradient flow, Ben needs $R_1$ with his.
           Then the charge is fed by itself, and zero stays zero ({{prf:ref}}`cor-kept`).
        """,
        marks=(
            (1, "both units are balanced for their own exponents"),
            (2, "the law of a mismatch, with the right exponents on each side"), (1, "Anna's rate"),
            (1, "Ben's rate with its sign"), (1, "exchange the penalties"),
        ),
    )  # fmt: skip


@problem(title="A decay for every layer", stars=3, minutes=30)
def decay_for_every_layer(draw):
    """The theorem for strengths that differ, and the mass gap with it."""
    seed, p = draw.randrange(2**31), draw.choice([1.0, 1.5, 2.0])

    def law_holds(divided: bool) -> bool:
        chance = torch.Generator().manual_seed(seed)
        layers = nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)
        model = nn.Sequential(*layers).double()
        group, lam = gl.mlp_group(model), 0.3
        shapes = group.shapes.items()
        params = {n: torch.randn(s, generator=chance).double() for n, s in shapes}
        strength = {n: torch.rand(s, generator=chance).double() + 0.5 for n, s in shapes}
        x, y = (torch.randn(9, n, generator=chance).double() for n in (3, 2))

        def charge(theta):
            return group.collect({n: strength[n] * v.abs() ** p for n, v in theta.items()})

        def loss(theta):
            weighed = sum((strength[n] * v.abs() ** p).sum() for n, v in theta.items()) / p
            return (functional_call(model, theta, (x,)) - y).square().mean() + lam * weighed

        moved = rate(charge, loss, params, p, strength if divided else None)
        return torch.allclose(moved, -lam * p * charge(params), rtol=1e-9, atol=1e-9)

    def curvature_is_known() -> bool:
        ell, lam = torch.tensor([0.5, 2.0]).double(), 0.25

        def loss(t):
            return (t[0] * t[1] - 3).square() / 2 + lam / 2 * (ell * t.square()).sum()

        t = torch.tensor([5.5, 1.375]).double().sqrt()
        assert grad(loss)(t).abs().max() < 1e-12  # a critical point
        along = t * torch.tensor([1.0, -1.0])
        return torch.allclose(hessian(loss)(t) @ along, 2 * lam * ell * along, rtol=1e-9)

    return Problem(
        question=r"""
        Many recipes give each layer a weight decay of its own.
        Let every parameter $e$ have a strength $\ell_e>0$, and put

        $$R^\ell(\theta)=\frac1p\sum_e\ell_e\,|\theta_e|^p,\qquad \Delta^\ell=B\,(\ell\odot|\theta|^p).$$

        Let every hidden unit be positively homogeneous and let $L$ depend on the outputs only.

        1. Show that $\Delta^\ell_h$ is the slope of $R^\ell$ along the dial of unit $h$, and that $\theta$ has the smallest $R^\ell$ on its orbit if and only if $\Delta^\ell=0$.
        2. Find a factor $m_e>0$ for each parameter such that along the flow $\dot\theta_e=-m_e\,|\theta_e|^{2-p}\,\partial_e(L+\lambda R^\ell)$, as long as no weight is zero, $\dot\Delta^\ell=-\lambda p\,\Delta^\ell$.
        3. Let $p=2$, and let $\theta$ be a critical point of $L+\lambda R^\ell$ where $L$ is twice differentiable.
           Show that its Hessian $\mathbf H_\lambda$ satisfies $\mathbf H_\lambda v_h=2\lambda\,\ell\odot v_h$ for $v_h=(B_{he}\,\theta_e)_e$.
        """,
        solution=r"""
        1. The dials $\alpha$ multiply $|\theta_e|^p$ by $e^{p(B^\top\alpha)_e}$, so along the orbit
           $F(\alpha)=\frac1p\sum_e\ell_e|\theta_e|^p\,e^{p(B^\top\alpha)_e}$.
           Its gradient at 0 is $\sum_eB_{he}\,\ell_e|\theta_e|^p=\Delta^\ell_h$.
           $F$ is a sum of exponentials of linear functions with positive factors, so it is convex, and 0 is a global minimum if and only if the gradient at 0 vanishes.
        2. Take $m_e=1/\ell_e$.
           Then
           $$\frac{d}{dt}\,\ell_e|\theta_e|^p=\ell_e\,p\,|\theta_e|^{p-1}\,\mathrm{sgn}(\theta_e)\,\dot\theta_e=-p\,\theta_e\,\partial_e(L+\lambda R^\ell)=-p\,\theta_e\,\partial_eL-\lambda p\,\ell_e|\theta_e|^p ,$$
           for $\theta_e\,\partial_eR^\ell=\ell_e|\theta_e|^p$.
           Apply $B$: by the Ward identity ({prf:ref}`thm-ward`) $B(\theta\odot\nabla L)=0$, and $-\lambda p\,\Delta^\ell$ is left.
        3. Differentiate the Ward identity of unit $h$, $\sum_eB_{he}\,\theta_e\,\partial_eL=0$, by $\theta_{e'}$:
           $\;B_{he'}\,\partial_{e'}L+\sum_e(\partial_{e'}\partial_eL)\,B_{he}\,\theta_e=0$.
           So the Hessian of $L$ takes $v_h$ to $-B_h\odot\nabla L$.
           At the critical point $\nabla L=-\lambda\,\ell\odot\theta$, so this is $\lambda\,\ell\odot v_h$.
           The Hessian of $\lambda R^\ell$ is the diagonal matrix of the $\lambda\ell_e$ and adds $\lambda\,\ell\odot v_h$.
        """,
        marks=(
            (2, "the slope along the dial"), (1, "convexity, so that zero slope means smallest"), (1, "the factor $1/\\ell_e$"),
            (3, "the rate of $\\ell_e|\\theta_e|^p$, then $B$ and the Ward identity"),
            (2, "the derivative of the Ward identity"), (2, "the gradient at the critical point, and both Hessians added"),
        ),
        witness=lambda: law_holds(divided=True) and curvature_is_known(),
        control=lambda: law_holds(divided=False),
    )  # fmt: skip


@problem(title="Where the charge comes to rest", stars=2, minutes=20)
def where_it_rests(draw):
    """A mismatched flow, and an argument that is nearly right."""
    root, w, lam = draw.choice([2, 3, 4]), draw.choice([1, 2, 3]), draw.choice([0.5, 0.25])
    inputs, v, target = root**2, root * w, root * (w**2 + lam)
    rest = inputs * w - v

    @cache
    def settled():
        def loss(t):  # incoming weights, then the outgoing one; x is a mean
            return (t[-1] * t[:-1].mean() - target).square() / 2 + lam / 2 * t @ t

        t = torch.full((inputs + 1,), math.sqrt(target / root)).double()
        t[-1] *= root
        for _ in range(12):
            t = t - torch.linalg.solve(hessian(loss)(t), grad(loss)(t))
        return of(t[:-1].tolist(), t[-1].item())

    return Problem(
        question=rf"""
        A neuron has ${inputs}$ inputs with weights that all equal $w>0$, and one outgoing weight $v>0$.
        Every input is $\frac1{{{inputs}}}$, so that $f=vw$; the loss is $L=\frac12(vw-{target:g})^2$.
        It follows the flow of metric 1 with the penalty $\lambda R_2$, $\lambda={lam}$, and starts balanced for the exponent 1.
        A student writes:

        > "By the law of a mismatch $\dot\Delta^{{(1)}}=-\lambda\,\Delta^{{(2)}}$.
        > Where training ends, $\Delta^{{(2)}}=0$.
        > So in the end $\dot\Delta^{{(1)}}=0$.
        > As $\Delta^{{(1)}}$ was zero at the start and does not change in the end, it is zero in the end."

        1. Which sentences are right, and where is the error?
        2. The neuron does not die.
           Find $w$ and $v$ where training ends.
        3. Find $\Delta^{{(1)}}$ there.
        """,
        answers=(
            Answer("the weight w in the end", w, lambda: settled()["0.weight"].mean().item(), 1e-8, mistakes=(
                (math.sqrt(target / root), "the penalty moves the minimum: wv is not fitted"), (v, "w and v exchanged"),
                (math.sqrt(target / inputs), "balanced for 1 and fitted, not at rest"),
            )),
            Answer("the charge of exponent 1 in the end", rest, lambda: gl.charge(settled(), neuron(inputs), 1).item(), 1e-8, mistakes=(
                (0, "a rate that dies out leaves the charge where it is"), (w - v, "all incoming weights count"),
            )),
        ),
        solution=rf"""
        1. The first three sentences are right ({{prf:ref}}`prop-mismatch`, {{prf:ref}}`prop-stationary`).
           The last is not: a rate that is zero in the end says nothing about the value in the end, which is $-\lambda\int\Delta^{{(2)}}\,dt$, and on the way $\Delta^{{(2)}}$ was not zero.
        2. At rest the slopes of $L+\lambda R_2$ vanish: $(vw-{target:g})\frac v{{{inputs}}}+\lambda w=0$ for each incoming weight and $(vw-{target:g})\,w+\lambda v=0$.
           Multiply the first by ${inputs}w$ and the second by $v$ and compare: $v^2={inputs}\,w^2$, which is $\Delta^{{(2)}}=0$, so $v={root}w$.
           Insert it into the second: ${root}w^2-{target:g}+{root}\cdot{lam}=0$, so $w^2={target:g}/{root}-{lam}={w**2}$.
           Hence $w={w}$ and $v={v}$.
        3. $\Delta^{{(1)}}={inputs}\cdot{w}-{v}={rest}$.
        """,
        marks=(
            (2, "the last sentence: zero rate is not zero value"), (1, "the value is an integral of what was not zero on the way"),
            (2, "both slopes vanish, hence $v^2=nw^2$ for $n$ inputs"), (1, "$w$ and $v$"),
            (1, "the charge, with all incoming weights"),
        ),
    )  # fmt: skip
