"""What is left of the fit; A wrong sentence about decay."""

import torch

from tools.teach import Answer, Problem, problem


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
                "a factor on one layer passes through all later ones: positive homogeneity, no biases "
                "(or: the Ward identity, added up over the units between two layers)",
            ),
            (
                4,
                "the derivative by the factor: weight times gradient of f is f "
                "(or: the same at the last layer, where f is linear)",
            ),
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
