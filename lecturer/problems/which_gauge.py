"""Four problems on the choice of a gauge: noise with a decay, equalised layers, a road, an error."""

import torch
from torch import nn

import gaugelib as gl
from gaugelib import gauges
from tools.teach import Answer, Problem, problem


@problem(title="Between quiet and light", stars=2, minutes=15)
def quiet_and_light(draw):
    """Where noise and a decay leave a unit with isotropic inputs."""
    d, o = draw.choice([(8, 2), (12, 2), (6, 1), (16, 4), (2, 8), (4, 16)])
    variance, strength = draw.choice([1, 2, 4]), draw.choice([1, 2, 3, 5])
    into, out = variance * d / 2, variance * o / 2
    ratio = (into + strength) / (out + strength)

    def at_rest():
        """Where the squared gradient and the norm together are least, for one unit."""
        x = d**0.5 * torch.cat([torch.eye(d), -torch.eye(d)]).double()
        net = nn.Sequential(nn.Linear(d, 1, bias=False), nn.ReLU(), nn.Linear(1, o, bias=False))
        coin = torch.Generator().manual_seed(d + o)
        shapes = {"0.weight": (1, d), "2.weight": (o, 1)}
        params = {n: torch.randn(s, generator=coin).double() for n, s in shapes.items()}
        group = gl.mlp_group(net)
        felt = gauges.gauss_newton_diagonal(
            lambda params, x: gl.functional_call(net, params, (x,)), params, x
        )

        def both(alpha):
            t = group.spread(alpha)
            noise = sum((variance * felt[n] * (-2 * t[n]).exp()).sum() for n in felt)
            norm = sum((params[n].square() * (2 * t[n]).exp()).sum() for n in params)
            return (noise + strength * norm) / 2

        low, high = -8.0, 8.0
        for _ in range(45):  # the sum is convex: where its slope is negative the rest lies above
            alpha = torch.full((1,), (low + high) / 2).double().requires_grad_()
            rises = torch.autograd.grad(both(alpha), alpha)[0].item() > 0
            low, high = (low, alpha.item()) if rises else (alpha.item(), high)
        alpha = torch.full((1,), low).double()
        there = gl.rescale(params, alpha.exp(), group)
        r, s = there["0.weight"].square().sum(1), there["2.weight"].square().sum(0)
        return float(r / s)

    halved = (2 * into + strength) / (2 * out + strength)
    mistakes = (
        (d / o, "this is the gauge without a decay"),
        (1.0, "this is the lightest gauge, where the decay alone would lead"),
        (1 / ratio, "upside down: Δ counts incoming minus outgoing"),
        (halved, "half of the inputs switch the unit on: the diagonal has a factor one half"),
    )
    return Problem(
        question=rf"""
A network with one hidden layer has $d={d}$ isotropic inputs, $x$ and $-x$ alike, $o={o}$ outputs and no biases.
It has learnt its teacher, and is trained on with targets to which noise of variance $\varsigma^2={variance}$ is added in each output, one example at a time, with small steps and a weight decay.
Take the averaged motion of the charge of {{prf:ref}}`thm-drift`, $\frac{{d\Delta}}{{d\tau}}=B\,c-\mu\,\Delta$, with $\mu={strength}$, and $\mathbb E(\partial_e\ell)^2=\varsigma^2$ times the diagonal of Gauss–Newton's matrix.

1. Where does $r^2/s^2$ of each hidden unit come to rest, incoming over outgoing squared norm?
2. To what does it tend as $\mu\to0$, and as $\mu\to\infty$?
   Name the two gauges.
""",
        answers=(Answer("r²/s² at rest", ratio, at_rest, 1e-6, mistakes=mistakes),),
        solution=rf"""
1. By {{prf:ref}}`prop-isotropic` the diagonal adds up to $\frac12d\,s^2$ over the weights in and to $\frac12o\,r^2$ over the weights out.
   So at one unit $B\,c=\frac{{\varsigma^2}}2(d\,s^2-o\,r^2)={into:g}\,s^2-{out:g}\,r^2$, and $\Delta=r^2-s^2$.
   At rest ${into:g}\,s^2-{out:g}\,r^2={strength}\,(r^2-s^2)$, that is $({into:g}+{strength})\,s^2=({out:g}+{strength})\,r^2$, so
   $$\frac{{r^2}}{{s^2}}=\frac{{{into + strength:g}}}{{{out + strength:g}}}={ratio:.6g},$$
   whatever the product $rs$ of the unit is.
2. As $\mu\to0$ it tends to $d/o={d / o:g}$, the minimum-gradient gauge (which here is the minimum-trace gauge), and as $\mu\to\infty$ to $1$, the minimum-norm gauge.
""",
        marks=(
            (2, "the two sums of the diagonal, with their factors one half"),
            (2, "the equation of rest"),
            (2, "the ratio"),
            (2, "both limits, with the names of the gauges"),
        ),
    )


@problem(title="Three layers, one size", stars=2, minutes=15)
def one_size(draw):
    """A chain equalised by hand: where it ends, and how far one sweep leads."""
    powers = draw.choice([(5, -2, 3), (4, 2, -3), (6, 2, 1), (-1, 6, 1), (7, -2, 1), (3, 4, -1)])
    i, w, o = powers
    end = sum(powers) / 3
    first, second = end - i, o - end  # log2 of the dials at the end
    swept = (o - w) / 2  # the second dial in the first sweep, the first being 0
    left = first - ((w + swept - i) / 2)

    def swept_weights(sweeps):
        """log2 of the weights after sweeps from the last unit to the first, and the dials."""
        weights = [torch.tensor([[2.0**k]]).double() for k in powers]
        dials = torch.zeros(2).double()
        for _ in range(sweeps):
            for h in (1, 0):
                a = (weights[h + 1].abs().max() / weights[h].abs().max()).sqrt()
                weights[h], weights[h + 1] = weights[h] * a, weights[h + 1] / a
                dials[h] += a.log2()
        return torch.stack(weights).log2().flatten(), dials

    return Problem(
        question=rf"""
A network of three layers and two hidden units, one behind the other, has the single weights $2^{{{i}}}$, $2^{{{w}}}$ and $2^{{{o}}}$, and no biases.
The recipe equalises one unit after the other: it multiplies the weight in by $a=\sqrt{{\text{{weight out}}/\text{{weight in}}}}$ and divides the weight out by it.
It begins with the second unit, goes on to the first, and repeats this sweep.

1. Find the equalised network: the logarithm to the base 2 of its weights and of the first unit's dial.
2. How much must still be added to the logarithm of the first dial after *one* sweep (negative, if it must become smaller)?
3. By what factor does each further sweep shrink this error, and what does part 2 of {{prf:ref}}`prop-limit` promise?
""",
        answers=(
            Answer(
                "log2 of the weights at the end",
                value=end,
                computed=lambda: float(swept_weights(60)[0].max()),
                mistakes=(
                    ((i + o) / 2, "the weight in the middle has its share of the product"),
                    (float(max(powers)), "the largest weight can be made smaller"),
                ),
            ),
            Answer(
                "log2 of the first dial at the end",
                value=first,
                computed=lambda: float(swept_weights(60)[1][0]),
                mistakes=(
                    (-first, "the dial multiplies the weight in"),
                    ((w - i) / 2, "the second unit is turned as well"),
                ),
            ),
            Answer(
                "what must still be added to log2 of the first dial after one sweep",
                value=left,
                computed=lambda: float(swept_weights(60)[1][0] - swept_weights(1)[1][0]),
                mistakes=(
                    (first, "this is the error before the sweep"),
                    (first / 2, "each of the two units halves it"),
                ),
            ),
        ),
        solution=rf"""
1. At the end both units have weights in and out of the same size, so all three weights are equal.
   Their product does not change: the logarithms add up to ${i}+({w})+({o})={sum(powers)}$, so each weight is $2^{{{sum(powers)}/3}}$, and $\log_2$ of it is ${end:.6g}$.
   The first dial takes the weight in from $2^{{{i}}}$ to that: $\log_2a_1={end:.6g}-({i})={first:.6g}$, and the second $\log_2a_2={o}-({end:.6g})={second:.6g}$.
2. In the sweep the second unit comes first: $\log_2a_2=\frac12({o}-({w}))={swept:g}$.
   The weight between the units is then $2^{{{w + swept:g}}}$, and the first unit gets $\log_2a_1=\frac12({w + swept:g}-({i}))={(w + swept - i) / 2:g}$.
   It is off by ${first:.6g}-({(w + swept - i) / 2:g})={left:.6g}$, a quarter of ${first:.6g}$.
3. If the first dial is off by $\epsilon$, the second one, which has an output behind it, is then set off by $\frac12\epsilon$, and the first, which has an input in front of it, by half of that: each sweep divides the error by four.
   With $K=2$ {{prf:ref}}`prop-limit` promises a factor of at most $1-2^{{-2}}=\frac34$ for any network; this one has an input or an output beside every unit, and does better.
""",
        marks=(
            (2, "the product stays, so every weight is its third root"),
            (1, "the first dial"),
            (2, "one sweep in the right order"),
            (1, "the error after it"),
            (2, "a quarter for each sweep, and three quarters promised"),
        ),
    )


@problem(title="The road between two gauges", stars=3, minutes=25)
def road(draw):
    """On the straight way from the lightest gauge to the flattest norm and trace are monotone."""
    seed = draw.randrange(10**6)

    def monotone(minimal):
        coin = torch.Generator().manual_seed(seed)
        net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
        group, shapes = gl.mlp_group(net), {n: p.shape for n, p in net.named_parameters()}
        norm = {n: torch.randn(s, generator=coin).double().square() for n, s in shapes.items()}
        trace = {n: torch.randn(s, generator=coin).double().square() for n, s in shapes.items()}

        def at(c, k, alpha):
            t = group.spread(k * alpha)
            return sum((c[n] * t[n].exp()).sum() for n in c)

        light = gl.balance_coefficients(norm, group, exponent=2, tol=1e-12).scales.log()
        flat = gl.balance_coefficients(trace, group, exponent=-2, tol=1e-12).scales.log()
        if not minimal:  # the same road, begun far before the one gauge and ended behind the other
            light, flat = light - 2 * (flat - light), flat + 2 * (flat - light)
        steps = torch.linspace(0, 1, 21).double()
        places = [light + t * (flat - light) for t in steps]
        norms = torch.stack([at(norm, 2, alpha) for alpha in places])
        traces = torch.stack([at(trace, -2, alpha) for alpha in places])
        return bool((norms.diff() > 0).all() and (traces.diff() < 0).all())

    return Problem(
        question=r"""
Along the orbit of a network let $N(\alpha)=\sum_e\theta_e^2\,e^{2(B^\top\alpha)_e}$ be the squared norm and $T(\alpha)=\sum_ec_e\,e^{-2(B^\top\alpha)_e}$, $c_e\ge0$, the trace.
Let every hidden unit lie on a path of non-zero parameters and on a path of parameters with $c_e>0$, and let the lightest gauge $\alpha_N$ and the flattest gauge $\alpha_T$ be different.

1. Prove that on the straight way $\alpha(t)=(1-t)\,\alpha_N+t\,\alpha_T$ the norm increases strictly and the trace decreases strictly for $0\le t\le1$.
2. Show that the gauge which minimises $T+\mu N$, $\mu>0$, has a norm of at most $N(\alpha_T)$ and a trace of at most $T(\alpha_N)$.
3. You turn the dials beyond $\alpha_T$ on the same line.
   What can you say about norm and trace there?
""",
        witness=lambda: monotone(minimal=True),
        control=lambda: monotone(minimal=False),
        solution=r"""
1. By {prf:ref}`thm-coefficients` both functions are convex, and each has exactly one minimiser, $\alpha_N$ and $\alpha_T$.
   So $n(t)=N(\alpha(t))$ is a convex function of one variable, and $n(t)>n(0)$ for $t>0$, because $\alpha(t)\ne\alpha_N$.
   Let $0\le t<t'\le1$; for $t=0$ there is nothing left to show.
   For $t>0$ write $t=(1-u)\cdot0+u\,t'$ with $0<u<1$: $n(t)\le(1-u)\,n(0)+u\,n(t')<(1-u)\,n(t')+u\,n(t')=n(t')$.
   The same with $1-t$ in the place of $t$ shows that the trace decreases.
2. Let $\alpha_\mu$ be the minimiser.
   If $N(\alpha_\mu)>N(\alpha_T)$, then, as $T(\alpha_\mu)\ge T(\alpha_T)$, the sum would be larger at $\alpha_\mu$ than at $\alpha_T$, which is impossible.
   If $T(\alpha_\mu)>T(\alpha_N)$, compare with $\alpha_N$ in the same way.
3. Beyond $\alpha_T$ the inequality of part 1 holds for every $t'>t$, so the norm goes on increasing; the trace has its only minimum behind it, and by the same argument increases, too.
   So there is nothing to be had: both become worse.
""",
        marks=(
            (2, "both functions are convex with one minimiser each"),
            (3, "convexity and a strict minimum give strict monotony"),
            (1, "the trace by the same argument"),
            (2, "the two comparisons of part 2"),
            (1, "both increase beyond the flattest gauge"),
        ),
    )


@problem(title="The penalty in the curvature", stars=2, minutes=20)
def penalty_in_the_curvature(draw):
    """A colleague balances the diagonal of a Hessian that contains the weight decay."""
    s, x, decay = draw.choice([1, 2, 3]), draw.choice([2, 4]), draw.choice([1, 2, 3])
    r, a = draw.choice([4, 5]), draw.choice([2, 4])
    into, out = (s * x) ** 2, (r * x) ** 2
    foretold = (into + decay) / a**2 + (out + decay) * a**2
    there = into / a**2 + out * a**2 + 2 * decay

    def trace(with_decay):
        """Of the Hessian at the turned weights, by autograd."""

        def loss(t):
            off = t["v"] * torch.relu(t["w"] * x) - r * s * x
            penalty = with_decay * (t["w"].square() + t["v"].square()) / 2
            return off.square() / 2 + penalty

        at = {"w": torch.tensor(float(r * a)).double(), "v": torch.tensor(s / a).double()}
        return float(sum(h.sum() for h in gauges.hessian_diagonal(loss, at).values()))

    return Problem(
        question=rf"""
The neuron $f(x)=v\,\sigma(wx)$ has learnt its only example: $w={r}$, $v={s}$, $x={x}$, target ${r * s * x}$.
A colleague trains with a weight decay in the loss, $L=\frac12(f-y)^2+\frac\lambda2(w^2+v^2)$ with $\lambda={decay}$, and wants the flattest gauge.
The diagonal of the Hessian of $L$, by autograd, is $\mathbf H_{{ww}}={into + decay}$ and $\mathbf H_{{vv}}={out + decay}$, and the colleague argues:

> Both entries are positive, and second derivatives follow with the exponent $-2$.
> So at $(aw,\,v/a)$ the trace is ${into + decay}\,a^{{-2}}+{out + decay}\,a^2$, which is least for $a^4=\frac{{{into + decay}}}{{{out + decay}}}$.

1. Where is the error?
2. Which trace does this foretell at $a={a}$, and which is there?
3. For which $a$ is the trace of the Hessian of $L$ really least?
""",
        answers=(
            Answer(
                "the trace that is foretold",
                value=foretold,
                computed=lambda: trace(0) + trace_of_penalty(decay, a),
                mistakes=(
                    ((into + decay) * a**2 + (out + decay) / a**2, "the exponent is −2 and not 2"),
                    (into + out + 2 * decay, "this is the trace before the dial is turned"),
                ),
            ),
            Answer(
                "the trace that is there",
                value=there,
                computed=lambda: trace(decay),
                mistakes=(
                    (foretold, "the penalty's second derivative does not follow"),
                    (there - 2 * decay, "the decay is left out"),
                    (there - decay, "the decay counts for both weights"),
                ),
            ),
        ),
        solution=rf"""
1. The outputs do not change with the gauge, so what the first term contributes follows with $k=-2$ ({{prf:ref}}`prop-gauges`): ${into}\,a^{{-2}}$ and ${out}\,a^2$.
   The penalty is no function of the outputs.
   Its second derivative by each weight is $\lambda={decay}$ in *every* gauge: it follows with $k=0$.
   (That both entries are positive is right, and does not help.)
2. Foretold is $\frac{{{into + decay}}}{{{a**2}}}+{out + decay}\cdot{a**2}={foretold:g}$.
   There is $\frac{{{into}}}{{{a**2}}}+{out}\cdot{a**2}+2\cdot{decay}={there:g}$.
3. The decay adds the constant $2\lambda$ to the trace along the orbit, so the trace is least where that of the first term is: $a^4=\frac{{{into}}}{{{out}}}$, $a={(into / out) ** 0.25:.4g}$.
   Take the coefficients from the loss without the penalty.
   (With the penalty in it, $L$ itself is not the same along the orbit; which writing descent ends at is another question.)
""",
        marks=(
            (3, "the penalty does not see the outputs, and its curvature does not follow"),
            (1, "the trace that is foretold"),
            (2, "the trace that is there"),
            (2, "the decay adds a constant, and the gauge is that without it"),
        ),
    )


def trace_of_penalty(decay: float, a: float) -> float:
    """What the curvature of the penalty would be if it followed with the exponent −2."""
    one = {"w": torch.tensor(decay).double(), "v": torch.tensor(decay).double()}
    return float(one["w"] * a**-2 + one["v"] * a**2)
