"""A gate with a second reader: what is lightest, and what it needs."""

import torch
from torch import nn

import gaugelib as gl
from tools.teach import Answer, Problem, problem


class Twice(nn.Module):
    """One gated channel whose ungated side is read a second time."""

    def __init__(self):
        super().__init__()
        self.g, self.u, self.v, self.w = (nn.Linear(1, 1, bias=False) for _ in range(4))

    def forward(self, x):
        """One number for one number."""
        up = self.u(x)
        return self.v(self.g(x).relu() * up) + self.w(up)


# u, g·v, w and the dial of u: u²t⁴ = g·v·t + w²
QUARTICS = (1, 6, 2, 2), (2, 30, 2, 2), (2, 24, 4, 2), (2, 14, 6, 2), (1, 24, 3, 3), (1, 15, 6, 3)


@problem(title="A channel that is read twice", stars=2, minutes=20)
def read_twice(draw):
    """The lightest writing of a gate with a second reader, and the entries that it needs."""
    u, product, w, dial = draw.choice(QUARTICS)
    g = draw.choice([k for k in range(1, product + 1) if product % k == 0])
    v = product // g
    lightest = 3 * product / dial + 2 * (w / dial) ** 2
    names = {"g": g, "u": u, "v": v, "w": w}

    def found(**changed):
        group = gl.trace_group(Twice().double(), torch.ones(1, 1).double())
        values = (names | changed).items()
        params = {f"{n}.weight": torch.tensor([[float(x)]]).double() for n, x in values}
        return gl.minimum_norm(params, group, tol=1e-13), group

    def needless():
        kept = [name for name in names if not found(**{name: 0})[0].dead_names]
        return {"": "none of them", "vw": "v or w", "w": "w alone", "guvw": "any of them"}[
            "".join(kept)
        ]

    def dial_of_u():
        result, group = found()
        return float(result.scales[group.layers["u"]])

    return Problem(
        question=rf"""
A gated channel without biases has an inner number that is read twice:

$$f(x)=v\;\mathrm{{relu}}(g\,x)\cdot u\,x+w\cdot u\,x,\qquad g={g},\ u={u},\ v={v},\ w={w}.$$

Let $a_g$ be the dial of the gate, and $a_u$ that of the other side of the product.

1. Write down the columns of $Q$ for $g$, $u$, $v$ and $w$, and, for $p=2$, the two equations of balance.
2. Find the lightest network on the orbit: what is $a_u$ (a whole number), and what are its four squares together?
3. One of the four weights becomes zero.
   For which of them is there a lightest network all the same: none of them, v or w, w alone, any of them?
""",
        answers=(
            Answer(
                "the dial of u",
                value=dial,
                computed=dial_of_u,
                mistakes=(
                    (dial**2, "squares are multiplied by the squares of the dials"),
                    (1 / dial, "the dial multiplies what flows in"),
                    ((product / u**2) ** (1 / 3), "w reads the channel, too"),
                ),
            ),
            Answer(
                "the four squares together",
                value=lightest,
                computed=lambda: float(sum(x.square().sum() for x in found()[0].params.values())),
                mistakes=(
                    (g * g + u * u + v * v + w * w, "this is the norm before"),
                    (2 * product / dial + (w / dial) ** 2, "the square of u is one of the four"),
                ),
            ),
            Answer(
                "which weight may be zero",
                value="w alone",
                computed=needless,
                mistakes=(
                    ("none of them", "without w this is a gate like others"),
                    ("v or w", "without v nothing behind answers the gate"),
                    ("any of them", "without u the dial of u has nothing in front"),
                ),
            ),
        ),
        solution=rf"""
1. $q_g=(1,0)$, $q_u=(0,1)$, $q_v=(-1,-1)$ and $q_w=(0,-1)$, with the gate first.
   Balance is $g^2=v^2$ and $u^2=v^2+w^2$, for the weights after the dials are turned.
2. With $G=g^2a_g^2$ and so on the first equation is $g^2a_g^2=v^2/(a_ga_u)^2$, so both sides are the root of their product, $G=V=gv/a_u$.
   The second is $u^2a_u^2=gv/a_u+w^2/a_u^2$, or $u^2a_u^4=gv\,a_u+w^2$: here ${u**2}\,a_u^4={product}\,a_u+{w**2}$.
   The left side over the right one grows with $a_u$, so there is one positive root, $a_u={dial}$.
   The squares are $G=V={product / dial:g}$, $W={(w / dial) ** 2:g}$ and $U=V+W={(u * dial) ** 2}$, together ${lightest:g}$.
3. By {{prf:ref}}`thm-torus-lightest` we need $t_g=t_v$ and $t_u=t_v+t_w$, all positive at what is not zero.
   Without $w$ take $t_g=t_u=t_v=1$.
   Without $v$ the column of $g$ stands alone in the first row, without $g$ that of $v$ does, and without $u$ the second row has no positive entry: no positive numbers will do.
   So it is $w$ alone.
""",
        marks=(
            (2, "the four columns"),
            (1, "the equations of balance"),
            (2, "the equation for the dial of u, and its root"),
            (1, "the norm of the lightest"),
            (2, "positive numbers without w, and none without another"),
        ),
    )
