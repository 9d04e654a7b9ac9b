"""A page in disguise."""

import math

import torch

import gaugelib as gl
from tools.teach import Answer, Problem, problem


@problem(title="A page in disguise", stars=2, minutes=25)
def page_in_disguise(draw):
    """Chapters 1, 2 and 7."""
    orders = {(1, 0, 2): 90, (0, 2, 1): 90, (2, 1, 0): 90, (1, 2, 0): 120, (2, 0, 1): 120}
    order = draw.choice(list(orders))  # unit i looks first at input order[i]
    on, off = draw.choice([(2, -1), (4, -2), (5, 1), (3, 1), (3, -1), (6, 2)])
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
        3. A student that starts on the page of this network, on the other side of the spine and with $v=(1,1,1)$, learns $f$ by gradient flow on its $W$; the loss $L$ is half the mean squared error over standard normal inputs, and the flow keeps $\delta$ from zero.
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
           Each row then has one entry ${on}$ and two entries ${off}$, so $\delta={on}-({off})={on - off}$ and $b={off}$; the entry ${on}$ is at input {order[0] + 1}, {order[1] + 1}, {order[2] + 1} of the three units, which gives $\tau$ (or its inverse, by the convention for $P_\tau$; both count).
           A permutation of the inputs permutes the rows, and $f$ is a sum over all of them.
        2. $\tau$ is a {"swap" if angle == 90 else "cyclic shift"}, so the angle between $P_\tau-\frac13J$ and $I-\frac13J$ is ${angle}^\circ$: their product is $\mathrm{{tr}}P_\tau-1={0 if angle == 90 else -1}$, and both have the squared length 2.
        3. With $a^*=\delta+b$ and $b^*=b$ of the given network, the only candidate is $(-a^*,-b^*)=({-on},{-off})$, and it computes $f$ if and only if $a^*+2b^*=0$.
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
