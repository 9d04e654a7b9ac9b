"""The mid-term: chapters 1 to 4, one point a minute."""

import math
from itertools import pairwise

import torch

import gaugelib as gl
from tools.teach import Answer, Exam, Problem, problem

EXAM = Exam(
    title="Mid-term",
    minutes=90,
    aids="one sheet of your own notes, and a pocket calculator",
    covers="chapters 1 to 4: the symmetry, the lightest network, conservation, the pairing",
)


def shallow(weights, biases, outgoing):
    """The parameters of a network with one input, one hidden layer and one output."""
    return {
        "0.weight": torch.tensor(weights, dtype=torch.float64).reshape(-1, 1),
        "0.bias": torch.tensor(biases, dtype=torch.float64),
        "2.weight": torch.tensor(outgoing, dtype=torch.float64).reshape(1, -1),
    }


def layered(*widths):
    """The group of a layered ReLU network without a bias at its output."""
    layers = []
    for k, (before, after) in enumerate(pairwise(widths)):
        layers += [torch.nn.Linear(before, after, bias=k < len(widths) - 2), torch.nn.ReLU()]
    return gl.mlp_group(torch.nn.Sequential(*layers[:-1]).double())


@problem(title="A torn notebook", stars=1, minutes=15)
def torn_notebook(draw):
    """Chapters 1 and 2."""
    w1, b1, v1 = draw.choice([1, 3]), draw.choice([-2, -4]), draw.choice([8, 16])
    w2, b2, v2 = draw.choice([8, 24]), draw.choice([4, 12]), -draw.choice([2, 6])
    first, second = draw.choice([2, 4]), draw.choice([2, 4])  # a₁ and 1/a₂

    def found():
        scales = torch.tensor([first, 1 / second], dtype=torch.float64)
        return gl.rescale(shallow([w1, w2], [b1, b2], [v1, v2]), scales, layered(1, 2, 1))

    def lightest():
        light = gl.minimum_norm(found(), layered(1, 2, 1), tol=1e-13)
        return float(gl.weight_norm(light.params, layered(1, 2, 1), 2)) ** 2

    norm = 2 * (w1 * v1 + w2 * abs(v2))
    written = w1**2 + v1**2 + w2**2 + v2**2
    return Problem(
        question=rf"""
        A notebook holds two writings of one function, $f(x)=v_1\,\mathrm{{relu}}(w_1x+b_1)+v_2\,\mathrm{{relu}}(w_2x+b_2)$.
        The second is a rescaling of the first, but half of it has been torn off.

        | | $w_1$ | $b_1$ | $v_1$ | $w_2$ | $b_2$ | $v_2$ |
        |---|---|---|---|---|---|---|
        | first | ${w1}$ | ${b1}$ | ${v1}$ | ${w2}$ | ${b2}$ | ${v2}$ |
        | second | ${w1 * first}$ | ? | ? | ? | ? | ${v2 * second}$ |

        Find the four numbers that are missing.
        Then find the smallest value of $w_1^2+v_1^2+w_2^2+v_2^2$ among all rescalings, the biases not counted.""",
        answers=(
            Answer(
                "second $b_1$",
                value=b1 * first,
                computed=lambda: float(found()["0.bias"][0]),
                mistakes=(
                    (b1, "the bias was left alone"),
                    (b1 / first, "the bias was divided, as if it came out of the unit"),
                ),
            ),
            Answer(
                "second $v_1$",
                value=v1 / first,
                computed=lambda: float(found()["2.weight"][0, 0]),
                mistakes=(
                    (v1 * first, "the outgoing weight was multiplied"),
                    (v1, "the outgoing weight was left alone"),
                ),
            ),
            Answer(
                "second $w_2$",
                value=w2 / second,
                computed=lambda: float(found()["0.weight"][1, 0]),
                mistakes=(
                    (w2 * second, "the scale of the outgoing weight was taken for the unit's"),
                    (w2 * first, "the scale of the first unit was taken for the second"),
                ),
            ),
            Answer(
                "second $b_2$",
                value=b2 / second,
                computed=lambda: float(found()["0.bias"][1]),
                mistakes=(
                    (b2 * second, "the scale of the outgoing weight was taken for the unit's"),
                    (b2, "the bias was left alone"),
                ),
            ),
            Answer(
                "smallest sum of squares",
                value=norm,
                computed=lightest,
                mistakes=(
                    (norm / 2, "the sum of the products, without the factor 2"),
                    (written, "no minimum: the sum of the first writing"),
                ),
            ),
        ),
        solution=rf"""
        A unit's incoming weight and its bias are multiplied by its scale $a$, and its outgoing weight is divided by it.
        The first unit has $a_1={w1 * first}/{w1}={first}$, so its bias becomes ${b1 * first}$ and its outgoing weight ${v1}/{first}={v1 // first}$.
        The second unit has $1/a_2={v2 * second}/({v2})={second}$, so $w_2$ becomes ${w2}/{second}={w2 // second}$ and $b_2$ becomes ${b2}/{second}={b2 // second}$.

        No rescaling changes the product $w_hv_h$ of a unit.
        By the inequality between the two means $w_h^2+v_h^2\ge2|w_hv_h|$, with equality at $|w_h|=|v_h|$, and each unit has a scale of its own with which it gets there.
        So the smallest sum is $2\,({w1}\cdot{v1}+{w2}\cdot{abs(v2)})={norm}$.""",
        marks=(
            (4, "both scales, from the weight that is left of each unit"),
            (3, "the biases are multiplied by the scale of their unit"),
            (3, "the outgoing weight is divided, and the weight into the second unit found"),
            (2, "the products of a unit do not change"),
            (3, "the smallest sum, with a reason why it is smallest"),
        ),
    )


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


def homogeneous(biased, draw_seed):
    """Whether ⟨W_ℓ, ∇L⟩ is the mean of f ℓ′(f) at each layer of a random network."""
    generator = torch.Generator().manual_seed(draw_seed)

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    layers = [random(5, 3), random(4, 5), random(1, 4)]
    biases = [random(5), random(4)] if biased else [torch.zeros(5), torch.zeros(4)]
    x, y = random(12, 3), random(12, 1)
    for weight in layers:
        weight.requires_grad_()
    hidden = x
    for weight, bias in zip(layers, biases):
        hidden = torch.relu(hidden @ weight.T + bias)
    f = hidden @ layers[2].T
    gradients = torch.autograd.grad(((f - y) ** 2).mean() / 2, layers)
    right = float((f * (f - y)).mean().detach())
    found = [float((w.detach() * g).sum()) for w, g in zip(layers, gradients)]
    return all(abs(each - right) < 1e-10 * max(1, abs(right)) for each in found)


@problem(title="What is left of the fit", stars=3, minutes=20)
def left_of_the_fit(draw):
    """Chapters 3 and 4; a proof."""
    seed = draw.randrange(10**6)
    return Problem(
        question=r"""
        A layered ReLU network without biases and with one output has the weight matrices $W_1,\dots,W_n$.
        Its loss is a mean over examples, $L=\mathbb E\big[\frac12(f(x)-y)^2\big]$, and it is differentiable where you need it.

        1. Prove that at every layer $\ell$ the sum of weight times derivative over the entries of $W_\ell$ is the same number, $\langle W_\ell,\nabla_{W_\ell}L\rangle=\mathbb E\big[f\,(f-y)\big]$.
        2. Let the network be a critical point of $L+\lambda R_2$ with $R_2=\frac12\sum_\ell\|W_\ell\|^2$ and $\lambda>0$.
           Prove that $\lambda\,\|W_\ell\|^2=\mathbb E\big[f\,(y-f)\big]$ at every layer.
        3. Conclude that at such a point either all weights are zero, or $\mathbb E[f^2]<\mathbb E[fy]$: weight decay leaves the fit too small.""",
        witness=lambda: all(homogeneous(False, seed + k) for k in range(3)),
        control=lambda: any(homogeneous(True, seed + k) for k in range(3)),
        solution=r"""
        1. Multiply all entries of $W_\ell$ by $c>0$ and leave the rest alone.
           Then what flows into the units behind $W_\ell$ is multiplied by $c$, and, as ReLU is positively homogeneous, so are their outputs.
           There are no biases, so this goes on from layer to layer: $f$ is multiplied by $c$.
           Differentiate $f(x;\dots,cW_\ell,\dots)=c\,f(x;\dots,W_\ell,\dots)$ by $c$ at $c=1$: $\langle W_\ell,\nabla_{W_\ell}f\rangle=f$.
           By the chain rule $\nabla_{W_\ell}L=\mathbb E\big[(f-y)\,\nabla_{W_\ell}f\big]$, and therefore $\langle W_\ell,\nabla_{W_\ell}L\rangle=\mathbb E\big[(f-y)\,f\big]$.
           The right-hand side does not know the layer.
           (That the layers agree follows from the Ward identity, too: add it up over the units between two layers.)
        2. At a critical point $\nabla_{W_\ell}L+\lambda W_\ell=0$.
           Take the product with $W_\ell$: $\mathbb E[f(f-y)]+\lambda\|W_\ell\|^2=0$.
        3. By part 2 all $\|W_\ell\|^2$ are the same number.
           If it is zero, all weights are zero.
           If not, it is positive at each layer, and $\mathbb E[fy]-\mathbb E[f^2]=\lambda\|W_\ell\|^2>0$.""",
        marks=(
            (
                5,
                "a factor on one layer passes through all later ones: positive homogeneity, no biases",
            ),
            (4, "the derivative by the factor: weight times gradient of f is f"),
            (3, "the chain rule, and that the result does not depend on the layer"),
            (4, "the condition at a critical point, multiplied by the weights"),
            (4, "all layers have the same norm, and the two cases"),
        ),
    )


def rate_of_charge(incoming, outgoing, decay, seed):
    """The rate of Δ for p = 2 at one unit, along the flow of a random loss and the penalty R_1."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(6, len(incoming), generator=generator, dtype=torch.float64) + 0.1
    y = torch.randn(6, generator=generator, dtype=torch.float64)
    w = torch.tensor(incoming, dtype=torch.float64, requires_grad=True)
    v = torch.tensor(float(outgoing), dtype=torch.float64, requires_grad=True)
    loss = ((v * torch.relu(x @ w) - y) ** 2).mean() + decay * (w.abs().sum() + v.abs())
    by_w, by_v = torch.autograd.grad(loss, (w, v))
    return float((-2 * (w * by_w).sum() + 2 * v * by_v).detach())


@problem(title="A wrong sentence about decay", stars=2, minutes=12)
def wrong_sentence(draw):
    """Chapter 4: find the error."""
    incoming, outgoing = draw.choice(
        [
            ((3, 4), 6),
            ((5, 12), 14),
            ((6, 8), 12),
            ((8, 15), 20),
            ((1, 2, 2), 4),
            ((2, 3, 6), 9),
            ((4, 4, 7), 12),
        ]
    )
    decay = draw.choice([0.25, 0.5, 2])
    seed = draw.randrange(10**6)
    squares = sum(x * x for x in incoming) - outgoing**2
    sizes = sum(incoming) - outgoing
    listed = ", ".join(map(str, incoming))

    def wrong_line():  # the law that sentence 2 claims, tried on the network
        rate = rate_of_charge(incoming, outgoing, decay, seed)
        return 2 if abs(rate + 2 * decay * squares) > 1e-6 else 0

    return Problem(
        question=rf"""
        A hidden ReLU unit without a bias has the incoming weights ${listed}$ and the outgoing weight ${outgoing}$.
        The network follows $\dot\theta=-\nabla(L+\lambda R_1)$ with $R_1=\sum_e|\theta_e|$ and $\lambda={decay:g}$, where $L$ depends on the outputs only.
        Somebody writes:

        1. "Without the penalty the flow would conserve $\Delta^{{(2)}}$, the squares in minus the squares out."
        2. "A decay damps what the flow conserves, so $\dot\Delta^{{(2)}}=-2\lambda\,\Delta^{{(2)}}$."
        3. "When all weights stand still, $\Delta^{{(2)}}$ stands still, too."
        4. "The critical points of $L+\lambda R_1$ where no weight is zero are balanced for some exponent."

        Exactly one of the sentences is false.
        Which one, and what is right in its place?
        Give the true $\dot\Delta^{{(2)}}$ at this network, and say whether $\Delta^{{(2)}}$ moves towards zero.""",
        answers=(
            Answer(
                "number of the false sentence",
                value=2,
                computed=wrong_line,
                mistakes=(
                    (
                        1,
                        "gradient flow is the modulated flow with p = 2, and conserves the squares",
                    ),
                    (4, "they are balanced for the exponent of the penalty, q = 1"),
                ),
            ),
            Answer(
                r"$\dot\Delta^{(2)}$",
                value=-2 * decay * sizes,
                computed=lambda: rate_of_charge(incoming, outgoing, decay, seed),
                mistakes=(
                    (-2 * decay * squares, "the law of the paired flow, whose penalty is R₂"),
                    (-decay * sizes, "the factor p = 2 of the metric is missing"),
                ),
            ),
        ),
        solution=rf"""
        Sentence 2 is false: the exponents of metric and penalty differ, $p=2$ and $q=1$.
        Along the flow $\frac{{d}}{{dt}}\theta_e^2=2\theta_e\dot\theta_e=-2\,\theta_e\,\partial_eL-2\lambda\,|\theta_e|$.
        Add this up over what flows in, and subtract what flows out.
        The terms with $L$ cancel by the Ward identity, and what is left is $\dot\Delta^{{(2)}}=-2\lambda\,\Delta^{{(1)}}$, the law of a mismatch.

        Here $\Delta^{{(1)}}={"+".join(map(str, incoming))}-{outgoing}={sizes}$, so $\dot\Delta^{{(2)}}=-2\cdot{decay:g}\cdot{sizes}={-2 * decay * sizes:g}$.
        But $\Delta^{{(2)}}={squares}$ is negative, and it falls: it moves *away* from zero.

        Sentence 1 is conservation for $p=2$.
        Sentence 3 is true, since $\Delta^{{(2)}}$ is a function of the weights.
        Sentence 4 is true: there $\theta_e\,\partial_eL=-\lambda|\theta_e|$ for every $e$, and the Ward identity gives $\Delta^{{(1)}}=0$.""",
        marks=(
            (2, "names sentence 2"),
            (4, "the rate of the squares, and the Ward identity for the terms of the loss"),
            (2, "the true law, with the imbalance of the sizes"),
            (2, "its value here"),
            (2, "the charge is negative and falls, away from zero"),
        ),
    )


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
