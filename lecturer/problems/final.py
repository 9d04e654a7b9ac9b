"""The final exam: chapters 1 to 8, one point a minute."""

import math
from functools import cache

import torch
from scipy.optimize import minimize_scalar

import gaugelib as gl
from tools.teach import Answer, Exam, Problem, problem

EXAM = Exam(
    title="Final exam",
    minutes=150,
    aids="two sheets of your own notes, and a pocket calculator",
    covers="all eight chapters",
)


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
        2. With which steps $\eta$ does gradient descent come to rest at that point if it starts close enough?
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
        2. Near the minimum a step multiplies the error by $1-{sharp}\,\eta$ to first order, so it comes to rest if $\eta<2/{sharp}$, and not if $\eta>2/{sharp}$.
        3. On the orbit $wv={target}$, all points are minima, and $w^2+v^2\ge2wv={2 * target}$ with equality at $w=v=\sqrt{{{target}}}$: the minimum-norm gauge is also the flattest.
           The scale is $a=\sqrt{{v/w}}=\sqrt{{{v}/{w}}}$, and the charge is zero there: rescaling leaves the function alone, not the charge.
        4. At the start $\nabla L=(-{target}v,-{target}w)=(0,-{target}\sqrt{{{charge}}})$.
           So $v$ moves and $w$ does not, and $\Delta'={charge}-\eta^2\cdot{target**2}\cdot{charge}$: the charge becomes smaller by the factor $1-{target**2}\,\eta^2=1-({target}/{few})^2\approx{1 - (target / few) ** 2:.4f}$.
           (This is $1-\tau^2$ with $\tau=\eta\,(wv-y)$.)""",
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


@problem(title="Which penalty for three weights?", stars=2, minutes=25)
def which_penalty(draw):
    """Chapters 2, 4 and 5."""
    base = draw.choice([2, 3])
    weights = [
        base ** (2 * k) / base for k in draw.sample([0, 1, 2], 3)
    ]  # 1/b, b, b³ in some order
    strength = draw.choice([0.125, 0.25, 0.5])
    square = base * base
    shown = [f"{x:g}" if x >= 1 else rf"\frac1{base}" for x in weights]

    def chain():
        layers = [torch.nn.Linear(1, 1, bias=False).double() for _ in range(3)]
        model = torch.nn.Sequential(
            layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2]
        )
        params = {
            f"{2 * k}.weight": torch.tensor([[x]], dtype=torch.float64)
            for k, x in enumerate(weights)
        }
        return params, gl.mlp_group(model)

    def damping():  # of the flow of the penalty alone, at the lightest network: its Hessian there
        params, group = chain()
        light = gl.minimum_norm(params, group, tol=1e-13).params
        names = list(light)

        def penalty(vector):
            entries = {name: vector[k].reshape(1, 1) for k, name in enumerate(names)}
            return gl.soft_penalty(entries, group, strength=strength)

        at = torch.stack([light[name].reshape(()) for name in names])
        return torch.linalg.eigvalsh(torch.autograd.functional.hessian(penalty, at))

    return Problem(
        question=rf"""
        A chain of three weights, $f(x)=u\,\mathrm{{relu}}(v\,\mathrm{{relu}}(wx))$, has $w={shown[0]}$, $v={shown[1]}$, $u={shown[2]}$.

        1. Find the lightest network of its orbit, $p=2$.
        2. Near that network the quadratic penalty $S=\frac\kappa4(\Delta_1^2+\Delta_2^2)$ with $\kappa={strength:g}$ is followed alone, $\dot\theta=-\nabla S$.
           At which two rates does the imbalance die?
           Describe the slower of the two ways to be unbalanced.
        3. How large may $\eta$ be at most so that the step $\theta'=\theta-\eta\nabla S$ damps every imbalance near there?
        4. Instead of $S$ the network follows weight decay, $\dot\theta=-\nabla(L+\lambda R_2)$.
           With which $\lambda$ does every charge die at the slower rate of part 2?
           Name one thing that the decay changes and $S$ leaves alone.""",
        answers=(
            Answer(
                "each weight of the lightest network",
                value=base,
                computed=lambda: float(
                    gl.minimum_norm(*chain(), tol=1e-13).params["2.weight"].reshape(())
                ),
                mistakes=(
                    (sum(weights) / 3, "the mean of the weights; no rescaling keeps their sum"),
                    (base**3, "the product of the three: its cube root is missing"),
                ),
            ),
            Answer(
                "slower rate",
                value=2 * strength * square,
                computed=lambda: float(damping()[1]),
                mistakes=(
                    (strength * square, "the eigenvalue times κ; the factor 2 is missing"),
                    (
                        4 * strength * square,
                        "the diagonal of the Laplacian in place of its eigenvalue",
                    ),
                ),
            ),
            Answer(
                "faster rate",
                value=6 * strength * square,
                computed=lambda: float(damping()[2]),
                mistakes=(
                    (3 * strength * square, "the eigenvalue times κ; the factor 2 is missing"),
                    (
                        4 * strength * square,
                        "the diagonal of the Laplacian in place of its eigenvalue",
                    ),
                ),
            ),
            Answer(
                r"bound for $\eta$",
                value=1 / (3 * strength * square),
                computed=lambda: 2 / float(damping()[-1]),
                mistakes=(
                    (1 / (strength * square), "the slower mode's bound; the faster one decides"),
                    (
                        1 / (6 * strength * square),
                        "one over the rate: then the mode dies in one step",
                    ),
                ),
            ),
            Answer(
                r"$\lambda$",
                value=strength * square,
                computed=lambda: float(damping()[1]) / 2,
                mistakes=(
                    (2 * strength * square, "the charge dies at the rate 2λ, not λ"),
                    (strength * square / 2, "the factor p = 2 is counted twice"),
                ),
            ),
        ),
        solution=rf"""
        1. The product of the weights is ${base**3}$ on the whole orbit, and at the lightest network all squares are equal, by balance at both units.
           So all weights are $\sqrt[3]{{{base**3}}}={base}$.
        2. With $\Delta=B\,\theta^2$ the imbalance obeys $\dot\Delta=-2\kappa\,\mathcal L\Delta$ with $\mathcal L=B\,\mathrm{{diag}}(\theta^2)\,B^\top$.
           At the lightest network $\mathcal L={square}\begin{{pmatrix}}2&-1\\-1&2\end{{pmatrix}}$, with the eigenvalues ${square}$ for $(1,1)$ and ${3 * square}$ for $(1,-1)$.
           The rates are $2\kappa\cdot{square}={2 * strength * square:g}$ and $2\kappa\cdot{3 * square}={6 * strength * square:g}$.
           In the slower way both units are unbalanced alike: the first weight is too large and the last too small, or the other way round, and the middle one is right.
        3. A step multiplies a mode of the imbalance by $1-2\eta\kappa\mu$ to first order.
           All modes are damped if and only if $\eta\kappa\mu_{{\max}}<1$, so $\eta<1/(\kappa\cdot{3 * square})={1 / (3 * strength * square):.4g}$.
        4. With the decay $\dot\Delta=-2\lambda\Delta$ at every unit, so $\lambda=\kappa\cdot{square}={strength * square:g}$.
           The decay changes the function that is learned, for it has a gradient across the orbits; $S$ moves along the orbit only, and the critical points of $L+S$ are critical points of $L$.""",
        marks=(
            (3, "the lightest network, by the product and by balance"),
            (5, "the Laplacian of the balanced chain"),
            (4, "its eigenvalues, and the two rates with the factor 2"),
            (2, "the slower mode in words"),
            (5, "what a step does to a mode, and the bound from the largest eigenvalue"),
            (3, "the rate of a charge under decay, and the strength"),
            (3, "the decay moves the function, the penalty does not"),
        ),
    )


def bounded_below(bias, scale, seed):
    """Whether the sharpness at a perfect fit is at least the bound, in three gauges."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    weights = [scale * random(3, 2), random(3, 3), random(1, 3)]
    if bias:
        weights = [weights[0], *(weight.abs() for weight in weights[1:])]  # no unit is silent
    x = random(8, 2)

    def sharp_enough(weights):
        sizes = [w.shape for w in weights]
        flat = torch.cat([w.reshape(-1) for w in weights])

        def outputs(flat):
            parts = [
                part.reshape(size)
                for part, size in zip(flat.split([s.numel() for s in sizes]), sizes)
            ]
            hidden = torch.relu(x @ parts[0].T + bias)
            return torch.relu(hidden @ parts[1].T) @ parts[2].T

        jacobian = torch.func.jacrev(outputs)(flat).reshape(len(x), -1)
        largest = torch.linalg.eigvalsh(jacobian @ jacobian.T / len(x))[-1]
        bound = (outputs(flat) ** 2).mean() * sum(1 / (w**2).sum() for w in weights)
        return bool(largest >= bound * (1 - 1e-9))

    dials = [torch.exp(random(3)), torch.exp(random(3))]
    turned = [
        dials[0][:, None] * weights[0],
        dials[1][:, None] * weights[1] / dials[0],
        weights[2] / dials[1],
    ]
    return sharp_enough(weights) and (bias != 0 or sharp_enough(turned))


@problem(title="No perfect fit is flat", stars=3, minutes=25)
def no_flat_fit(draw):
    """Chapters 2, 6 and 8; a proof."""
    seed = draw.randrange(10**6)
    return Problem(
        question=r"""
        A layered ReLU network without biases and with one output has the weight matrices $W_1,\dots,W_n$, and fits its data perfectly: $f(x)=y$ at every example.
        The loss is $L=\mathbb E\big[\frac12(f(x)-y)^2\big]$, no example lies on a kink, and not all $y$ are zero.

        1. Show that $\mathbf H=\mathbb E\big[\nabla f\,\nabla f^\top\big]$ at this point.
        2. Show that $\langle W_\ell,\nabla_{W_\ell}f\rangle=f$ at every layer.
        3. Prove that the largest eigenvalue of $\mathbf H$ is at least

           $$\mathbb E[y^2]\;\sum_{\ell=1}^n\frac1{\|W_\ell\|^2}.$$

           (Try directions in which each layer is moved along itself.)
        4. What does the bound become in the minimum-norm gauge, $p=2$, where all layers have the same norm?
           Does part 3 say that this gauge is the flattest?""",
        witness=lambda: all(bounded_below(0.0, 1.0, seed + k) for k in range(3)),
        control=lambda: bounded_below(1.0, 1e-3, seed),
        solution=r"""
        1. $\nabla L=\mathbb E\big[(f-y)\,\nabla f\big]$, and one derivative more gives $\mathbf H=\mathbb E\big[\nabla f\,\nabla f^\top+(f-y)\,\nabla^2f\big]$.
           At a perfect fit $f-y=0$, and the second term is gone.
        2. If all entries of $W_\ell$ are multiplied by $c>0$, the outputs of the units behind it are multiplied by $c$, by positive homogeneity, and so, without biases, are those of all later layers.
           Differentiate $f(\dots,cW_\ell,\dots)=c\,f$ by $c$ at $c=1$.
        3. Let the direction $q$ have the part $t_\ell W_\ell$ in layer $\ell$.
           By part 2 $\langle q,\nabla f\rangle=f\sum_\ell t_\ell$, so by part 1 $q^\top\mathbf H\,q=\mathbb E[f^2]\,\big(\sum_\ell t_\ell\big)^2$ with $f=y$.
           Its squared length is $\sum_\ell t_\ell^2\|W_\ell\|^2$.
           Take $t_\ell=1/\|W_\ell\|^2$; no $W_\ell$ is zero, or else $f=0=y$ everywhere.
           Then both sums are $s=\sum_\ell1/\|W_\ell\|^2$, and the quotient is $\mathbb E[y^2]\,s^2/s=\mathbb E[y^2]\,s$.
           The largest eigenvalue of a symmetric matrix is at least each such quotient.
        4. There $\|W_\ell\|^2=\|\theta\|^2/n$ at every layer, so the bound is $n^2\,\mathbb E[y^2]/\|\theta\|^2$, with the smallest norm on the orbit.
           Part 3 does not say that this gauge is the flattest.
           It bounds the sharpness from below in each gauge, and says nothing from above; in a gauge with heavier layers the bound is even lower.""",
        marks=(
            (4, "the Hessian of the squared error, and why the second term is gone"),
            (4, "one layer multiplied by a factor: homogeneity, no biases, derivative"),
            (3, "a direction made of multiples of the layers, and the derivative of f along it"),
            (4, "the quotient, with the length of the direction"),
            (4, "the best choice of the multiples, and the largest eigenvalue bounds the quotient"),
            (3, "the bound in the minimum-norm gauge"),
            (3, "a bound from below in each gauge does not compare gauges"),
        ),
    )


@problem(title="Twins", stars=2, minutes=25)
def twins(draw):
    """Chapters 1, 6 and 7."""
    c = draw.choice([(3, 4), (6, 8), (5, 12), (4, 3)])
    behind = draw.choice([2, 4])
    scale = draw.choice([2, 4])
    length = round(math.hypot(*c))
    rate = 1 / (2 * length)  # so that the difference grows by a factor 3/2 in each step
    gradient = tuple(behind * each for each in c)
    steps = draw.choice([3, 4, 5])
    early = round(1.5**steps, 4)

    def curvature(factor):
        """Of rescaled twins the least eigenvalue for opposite changes, and a gradient."""
        x = torch.eye(2, dtype=torch.float64)
        w = torch.tensor([factor, factor, factor, factor, behind / factor, behind / factor])
        w = w.to(torch.float64)

        def outputs(theta):
            return torch.relu(x @ theta[:4].reshape(2, 2).T) @ theta[4:]

        y = outputs(w) - 2 * torch.tensor(c, dtype=torch.float64)  # so that E[ℓ′σ′x] is c

        def loss(theta):
            return ((outputs(theta) - y) ** 2).mean() / 2

        curved = torch.autograd.functional.hessian(loss, w)
        away = torch.zeros(6, 3, dtype=torch.float64)
        for k, (first, second) in enumerate([(0, 2), (1, 3), (4, 5)]):
            away[first, k], away[second, k] = 0.5**0.5, -(0.5**0.5)
        (by_w, *_) = torch.func.grad(loss)(w)
        return float(torch.linalg.eigvalsh(away.T @ curved @ away)[0]), float(by_w)

    return Problem(
        question=rf"""
        A network with one hidden ReLU layer, one output and no biases has two hidden units that are alike: both have the weights $w$ in front and $v={behind}$ behind.
        No example lies on a kink, and the gradient by each of the two $w$ is ${gradient}$, with ${gradient[0]}$ for the first input and ${gradient[1]}$ for the second.

        1. Why does gradient descent, with one step size for all parameters, keep the two units alike for ever?
           Does gradient descent on minibatches, which are chosen at random?
           Does gradient descent with dropout, which silences each hidden unit at random?
        2. Find the smallest eigenvalue of the Hessian on changes that are opposite in the two units.
           In which direction of $(\delta w,\delta v)$ does it lie?
        3. By a mishap the two units differ a little, along this direction.
           By which factor has their difference grown after {steps} steps of gradient descent with $\eta=\frac1{{{2 * length}}}$, as long as it is small and the Hessian does not change?
        4. Both units are now rescaled with the same $a={scale}$.
           What are the gradient by each $w$, and the eigenvalue of part 2, after that?""",
        answers=(
            Answer(
                "smallest eigenvalue",
                value=-length,
                computed=lambda: curvature(1.0)[0],
                tolerance=1e-8,
                mistakes=(
                    (-length * behind, "the length of the gradient; it has the factor v"),
                    (length, "the largest one: the eigenvalues are a pair of opposite sign"),
                ),
            ),
            Answer(
                f"factor after {steps} steps",
                value=1.5**steps,
                computed=lambda: math.prod([1 - rate * curvature(1.0)[0]] * steps),
                tolerance=1e-4,
                mistakes=(
                    (0.5**steps, "the sign: along negative curvature a difference grows"),
                    (1 + steps / 2, "the growth is added, not multiplied"),
                ),
            ),
            Answer(
                "first entry of the gradient after rescaling",
                value=gradient[0] / scale,
                computed=lambda: curvature(float(scale))[1],
                mistakes=(
                    (gradient[0] * scale, "the gradient is divided where the weight is multiplied"),
                    (gradient[0], "the function stays, but the gradient does not"),
                ),
            ),
            Answer(
                "eigenvalue after rescaling",
                value=-length,
                computed=lambda: curvature(float(scale))[0],
                tolerance=1e-8,
                mistakes=(
                    (-length / scale, "divided as the gradient, but v is divided, too"),
                    (-length / scale**2, "this is how the entries of the Hessian by w go"),
                ),
            ),
        ),
        solution=rf"""
        1. The exchange of the two units is an orthogonal map of the parameters that leaves the loss alone.
           At a point that it leaves in place the gradient is left in place, too, so both units take the same step.
           The same is true of the loss of every minibatch, for the exchange moves hidden units and not examples.
           With dropout the loss of a step, in which one of the two is silenced and the other is not, does not have the symmetry: it parts them.
        2. With $c=\mathbb E[\ell'\sigma'x]$ the gradient of each $w$ is $v\,c$, so $c={gradient}/{behind}={c}$.
           On opposite changes the Hessian is $\begin{{pmatrix}}0&c\\c^\top&0\end{{pmatrix}}$, since a ReLU has $\sigma''=0$ off its kink.
           Its eigenvalues are $\pm\|c\|=\pm{length}$ and 0; the smallest, $-{length}$, has the direction $(\delta w,\delta v)\propto(c/\|c\|,\,-1)$.
        3. A step multiplies a difference along this direction by $1+\eta\cdot{length}=\frac32$, and {steps} steps by $(\frac32)^{{{steps}}}\approx{early:g}$.
        4. Gradients are divided by the factor by which their weights are multiplied: the gradient of $w$ becomes $({gradient[0] / scale:g},{gradient[1] / scale:g})$.
           And $v$ becomes ${behind / scale:g}$, so $c$ is what it was, and so are the eigenvalues: $-{length}$.
           The direction has not changed either.
           Rescaling both does not make them part more slowly.""",
        marks=(
            (4, "the exchange is a symmetry, and the gradient at a fixed point is fixed"),
            (3, "minibatches keep the symmetry, dropout does not, with the reasons"),
            (4, "the vector c from the gradient"),
            (4, "the Hessian on opposite changes, its eigenvalues and the direction"),
            (4, "the factor of one step, and of all of them"),
            (3, "how the gradient is rescaled"),
            (3, "c, and with it the eigenvalue, does not change"),
        ),
    )


def times(number):
    """A number as a factor before a letter."""
    return "" if number == 1 else f"{number}"


@problem(title="Between two gauges", stars=3, minutes=25)
def between_two(draw):
    """Chapters 2, 4 and 8."""
    eta, decay, mu = draw.choice(
        [(0.5, 1.0, 3), (0.25, 2.0, 12), (0.5, 1.5, 3.75), (1.0, 0.5, 0.75)]
    )
    into, out = draw.choice([(2, 8), (4, 16), (1, 9), (3, 12)])
    noise_in, noise_out = draw.choice([(16, 1), (48, 3), (81, 1), (32, 2)])
    mixed = (noise_in + mu * out) / (noise_out + mu * into)
    noise = noise_in / noise_out
    strength = f"{decay:g}"

    def stayed(weight):
        """The fourth power of the scale at the least of ½F + μR, found by descending."""

        def potential(dial):
            noisy = noise_in * math.exp(-2 * dial) + noise_out * math.exp(2 * dial)
            heavy = into * math.exp(2 * dial) + out * math.exp(-2 * dial)
            return noisy / 2 + weight * heavy / 2

        low, high = -3.0, 3.0
        golden = (math.sqrt(5) - 1) / 2
        for _ in range(80):
            left, right = high - golden * (high - low), low + golden * (high - low)
            low, high = (low, right) if potential(left) < potential(right) else (left, high)
        return math.exp(4 * (low + high) / 2)

    return Problem(
        question=rf"""
        At a hidden ReLU unit with $r^2={into}$ and $s^2={out}$ (squared norms in and out) the mean squared gradients $\mathbb E(\partial_e\ell)^2$ of single batches add up to ${noise_in}$ over the parameters in and to ${noise_out}$ over those out.
        The network is trained by gradient descent on batches drawn anew, with the step $\eta={eta:g}$ and coupled weight decay $\lambda={strength}$, and only this unit's gauge moves: the network stays on its orbit, at the scale $a$.

        1. How do the four numbers depend on $a$?
        2. At which $a^4$ does the noise alone, without decay, leave the gauge where it is on average?
           At which $a^4$ is the network lightest, $p=2$?
        3. Show that on average the charge $\Delta=r^2-s^2$ stands still under both together if the imbalance of the squared gradients is $\mu\Delta$ with $\mu=\lambda(2-\eta\lambda)/\eta$.
           At which $a^4$ is that?
        4. Show that the answer to part 3 lies between the two of part 2, whatever $\mu>0$ is.
           What does it tend to as $\eta\to0$ with $\lambda$ fixed?""",
        answers=(
            Answer(
                "$a^4$ for the noise alone",
                value=noise,
                computed=lambda: stayed(0.0),
                tolerance=1e-5,
                mistakes=(
                    (1 / noise, "gradients are divided where weights are multiplied"),
                    (math.sqrt(noise), "the square of the scale"),
                ),
            ),
            Answer(
                "$a^4$ of the lightest network",
                value=out / into,
                computed=lambda: stayed(1e9),
                tolerance=1e-5,
                mistakes=(
                    (into / out, "the other way round: too much flows out, so a is above 1"),
                    (math.sqrt(out / into), "the square of the scale"),
                ),
            ),
            Answer(
                "$a^4$ for both together",
                value=mixed,
                computed=lambda: stayed(mu),
                tolerance=1e-5,
                mistakes=(
                    (
                        (noise_in + out) / (noise_out + into),
                        "the two balances added, without the strength μ",
                    ),
                    (
                        (noise_in + 2 * decay / eta * out) / (noise_out + 2 * decay / eta * into),
                        "μ is 2λ/η only for short steps",
                    ),
                ),
            ),
        ),
        solution=rf"""
        1. Weights in are multiplied by $a$ and weights out divided by it, and gradients the other way round: $r^2={times(into)}a^2$, $s^2={out}\,a^{{-2}}$, and the noise is ${noise_in}\,a^{{-2}}$ in and ${times(noise_out)}a^2$ out.
        2. One step of descent changes $\Delta$ by $\eta^2$ times the imbalance of the squared gradients, on average ${noise_in}a^{{-2}}-{times(noise_out)}a^2$.
           This is zero at $a^4={noise_in}/{noise_out}={noise:g}$, the minimum-gradient gauge.
           The network is lightest where $r^2=s^2$, at $a^4={out}/{into}={out / into:g}$.
        3. With decay $\Delta'=(1-\eta\lambda)^2\Delta+\eta^2\,B(g\odot g)$, and $1-(1-\eta\lambda)^2=\eta\lambda(2-\eta\lambda)$.
           On average the charge stands still if $\eta^2\,\mathbb E\,B(g\odot g)=\eta\lambda(2-\eta\lambda)\Delta$; divide by $\eta^2$.
           Here $\mu={decay:g}\,(2-{eta * decay:g})/{eta:g}={mu:g}$, and

           $${noise_in}a^{{-2}}-{times(noise_out)}a^2=\mu\,({times(into)}a^2-{out}a^{{-2}}),\qquad a^4=\frac{{{noise_in}+{out}\mu}}{{{noise_out}+{times(into)}\mu}}=\frac{{{noise_in + mu * out:g}}}{{{noise_out + mu * into:g}}}\approx{mixed:.4g}.$$

        4. The fraction $\dfrac{{{noise_in}+{out}\mu}}{{{noise_out}+{times(into)}\mu}}$ is a weighted mean of ${noise_in}/{noise_out}$ and ${out}/{into}$, with the positive weights ${noise_out}$ and ${times(into)}\mu$ divided by their sum, so it lies between them.
           As $\eta\to0$ with $\lambda$ fixed, $\mu\to\infty$, and it tends to ${out / into:g}$: decay wins over noise, and the gauge tends to the minimum-norm gauge.""",
        marks=(
            (4, "how norms and squared gradients depend on the scale"),
            (5, "the two balances, and their scales"),
            (6, "the law of one step with decay, and the condition with μ"),
            (4, "the scale for both together"),
            (3, "a weighted mean lies between"),
            (3, "short steps: the decay wins"),
        ),
    )


@problem(title="A page in disguise", stars=2, minutes=25)
def page_in_disguise(draw):
    """Chapters 1, 2 and 7."""
    orders = {(1, 0, 2): 90, (0, 2, 1): 90, (2, 1, 0): 90, (1, 2, 0): 120, (2, 0, 1): 120}
    order = draw.choice(list(orders))  # unit i looks first at input order[i]
    on, off = draw.choice([(2, -1), (4, -2), (5, 1), (4, 1), (3, -1), (6, 2)])
    scales = [draw.choice([2, 4, 8]) for _ in range(3)]
    perfect = on + 2 * off == 0
    rows = [
        [scale * (on if j == order[i] else off) for j in range(3)] for i, scale in enumerate(scales)
    ]
    matrix = r"\\".join(" & ".join(map(str, row)) for row in rows)
    outgoing = ",".join(rf"\tfrac1{scale}" for scale in scales)
    angle = orders[order]
    seed = draw.randrange(10**6)
    if perfect:
        verdict = (
            "there is one: what the two functions differ by is a sum of "
            r"$\mathrm{relu}(z_i)-\mathrm{relu}(-z_i)=z_i$ over the units, and "
            r"$\sum_iz_i=(a^*+2b^*)(x_1+x_2+x_3)=0$"
        )
    else:
        verdict = "there is none, and a trap waits there, a local minimum with $L>0$"

    def student(a, b):
        x = torch.randn(200, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        w = (a - b) * torch.eye(3, dtype=torch.float64) + b
        return torch.relu(x @ w.T).sum(1)

    def undressed():
        params = {
            "0.weight": torch.tensor(rows, dtype=torch.float64),
            "2.weight": torch.tensor([[1 / scale for scale in scales]], dtype=torch.float64),
        }
        model = torch.nn.Sequential(
            torch.nn.Linear(3, 3, bias=False), torch.nn.ReLU(), torch.nn.Linear(3, 1, bias=False)
        )
        dials = params["2.weight"][0]
        return gl.rescale(params, dials, gl.mlp_group(model.double()))["0.weight"]

    def apart():
        eye = torch.eye(3, dtype=torch.float64)
        first, second = eye[list(order)] - 1 / 3, eye - 1 / 3
        cosine = (first * second).sum() / (first.norm() * second.norm())
        return math.degrees(math.acos(float(cosine)))

    return Problem(
        question=rf"""
        The network $f(x)=\sum_iv_i\,\mathrm{{relu}}(\langle w_i,x\rangle)$ has three inputs and three hidden units,

        $$W=\begin{{pmatrix}}{matrix}\end{{pmatrix}},\qquad v=\big({outgoing}\big).$$

        1. Rescale it so that all $v_i=1$.
           Show that $f$ does not change if the inputs are permuted, and find the permutation $\tau$ of the units and the numbers with $W=P_\tau(\delta I+bJ)$, where $J$ is the matrix of ones.
        2. What is the angle, seen from the spine $\delta=0$, between the half page on which this network lies and that of the identity with the same sign of $\delta$?
        3. A student that starts on the page of this network, on the other side of the spine and with $v=(1,1,1)$, learns $f$ by gradient flow on its $W$, which keeps $\delta$ from zero.
           Is there a student on its side that computes $f$?
           If so, name it; if not, say what waits there.
        4. Name one change of the start, or of what the code trains, with which such a student need not stay on its side of $\delta=0$, and say why.""",
        answers=(
            Answer(
                r"$\delta$",
                value=on - off,
                computed=lambda: (lambda w: float(w[0, order[0]] - w[0, order[0] - 1]))(
                    undressed()
                ),
                mistakes=(
                    (on, "the weight on the diagonal, which is δ + b"),
                    (scales[0] * (on - off), "the first row as it stands, not rescaled"),
                ),
            ),
            Answer(
                "$b$",
                value=off,
                computed=lambda: float(undressed()[1, order[1] - 1]),
                mistakes=(
                    (scales[1] * off, "a row as it stands, not rescaled"),
                    (on, "the weight on the diagonal"),
                ),
            ),
            Answer(
                "angle in degrees",
                value=angle,
                computed=apart,
                tolerance=1e-6,
                mistakes=(
                    (210 - angle, "a swap was taken for a cyclic shift, or a shift for a swap"),
                    (180, "that is the other half of the same page"),
                ),
            ),
            Answer(
                "a perfect student on the other side?",
                value="yes" if perfect else "no",
                computed=lambda: (
                    "yes" if torch.allclose(student(on, off), student(-on, -off)) else "no"
                ),
                mistakes=(
                    ("no", "(−a, −b) computes the same function, as a + 2b = 0")
                    if perfect
                    else ("yes", "only if a + 2b = 0, and here it is not"),
                ),
            ),
        ),
        solution=rf"""
        1. Multiply row $i$ by $v_i$, and set $v_i=1$: a gauge transformation with $a_i=v_i$.
           Each row then has one entry ${on}$ and two entries ${off}$, so $\delta={on}-({off})={on - off}$ and $b={off}$; the entry ${on}$ is at input {order[0] + 1}, {order[1] + 1}, {order[2] + 1} of the three units, which gives $\tau$.
           A permutation of the inputs permutes the rows, and $f$ is a sum over all of them.
        2. $\tau$ is a {"swap" if angle == 90 else "cyclic shift"}, so the angle between $P_\tau-\frac13J$ and $I-\frac13J$ is ${angle}^\circ$: their product is $\mathrm{{tr}}P_\tau-1={0 if angle == 90 else -1}$, and both have the squared length 2.
        3. The only candidate is $(-a^*,-b^*)=({-on},{-off})$, and it computes $f$ if and only if $a^*+2b^*=0$.
           Here $a^*+2b^*={on + 2 * off}$, so {verdict}.
        4. The spine is a wall for the gradient of the unconstrained network alone.
           Code that shares two parameters $a$ and $b$ moves each by the sum of the derivatives of its entries, and there are three entries $a$ and six entries $b$.
           On the spine all nine derivatives are equal, so $a$ and $b$ move at different speeds there, and $\delta$ can pass through zero.
           Or share nothing and start off the page: only what begins on the page is held on it, and on one side of the spine.""",
        marks=(
            (4, "the rescaling, with the scales of the three units"),
            (4, "invariance, τ, δ and b"),
            (5, "the angle, with the product of the two directions"),
            (4, "the only candidate on the other side"),
            (4, "decides with a + 2b, and names the student or the trap"),
            (4, "a way past the wall, with its reason"),
        ),
    )
