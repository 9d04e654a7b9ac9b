"""A torn notebook."""

import torch

import gaugelib as gl
from tools.teach import Answer, Problem, problem

from . import layered, shallow


@problem(title="A torn notebook", stars=1, minutes=15)
def torn_notebook(draw):
    """Chapters 1 and 2."""
    w1, b1, v1 = draw.choice([1, 3]), draw.choice([-2, -4]), draw.choice([8, 16])
    w2, b2, v2 = draw.choice([8, 24]), draw.choice([4, 12]), -draw.choice([2, 6])
    first, second = draw.sample([2, 4], 2)  # a₁ and 1/a₂

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

        | parameter | first | second |
        |---|---|---|
        | $w_1$ | ${w1}$ | ${w1 * first}$ |
        | $b_1$ | ${b1}$ | ? |
        | $v_1$ | ${v1}$ | ? |
        | $w_2$ | ${w2}$ | ? |
        | $b_2$ | ${b2}$ | ? |
        | $v_2$ | ${v2}$ | ${v2 * second}$ |

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
