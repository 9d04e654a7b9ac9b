"""No perfect fit is flat; Twins."""

import math

import torch

from tools.teach import Answer, Problem, problem


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
           It bounds the sharpness from below in each gauge, and says nothing from above; in a gauge where every layer is heavier (two units of a layer can be turned against each other) the bound is even lower; with one dial for each layer it cannot be.""",
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
