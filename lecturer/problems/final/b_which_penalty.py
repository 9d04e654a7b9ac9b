"""Which penalty for three weights?."""

import torch

import gaugelib as gl
from tools.teach import Answer, Problem, problem


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
        4. Instead of $S$ the network follows weight decay, $\dot\theta=-\nabla(L+\lambda R_2)$ with $R_2=\frac12(w^2+v^2+u^2)$.
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
