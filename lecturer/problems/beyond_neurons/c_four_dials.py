"""Two stacked gates, one step of all dials at once."""

import torch
from torch import nn

import gaugelib as gl
from tools.teach import Answer, Problem, problem


class Stacked(nn.Module):
    """Two gates of one channel, on top of each other."""

    def __init__(self):
        super().__init__()
        for name in NAMES:
            self.add_module(name, nn.Linear(1, 1, bias=False))

    def forward(self, x):
        """One number for one number."""
        x = self.g1(x).relu() * self.u1(x)
        return self.v(self.g2(x).relu() * self.u2(x))


NAMES = "g1", "u1", "g2", "u2", "v"


@problem(title="Four dials at once", stars=2, minutes=20)
def four_dials_at_once(draw):
    """One simultaneous step on two stacked gates, with two exponents."""
    t = draw.choice([1, 2, 3])
    r, s = draw.choice([(64, 64), (4096, 64), (64, 4096)])
    sizes = dict(zip(NAMES, (2 * t * r, 2 * t * r, t, t, t * s), strict=True))
    two, three = (round(r**e) for e in (1 / 2, 1 / 3)), (round(s**e) for e in (1 / 2, 1 / 3))
    (r2, r3), (s2, s3) = two, three
    doubled = 4 * t * r2 + 2 * t * s2 * r + t
    safe = 4 * t * r3**2 + 2 * t * s3 * r3**2 + t * s3

    def after(power):
        group = gl.trace_group(Stacked().double(), torch.ones(1, 1).double())
        params = {f"{n}.weight": torch.tensor([[float(x)]]).double() for n, x in sizes.items()}
        into, out = group.totals(params)
        moved = gl.rescale(params, (out / into) ** power, group)
        return float(sum(x.sum() for x in moved.values()))

    return Problem(
        question=rf"""
Two gates of one channel stand on top of each other, with ReLU and without biases: $h=\mathrm{{relu}}(g_1x)\cdot u_1x$ and $f=v\;\mathrm{{relu}}(g_2h)\cdot u_2h$.
The weights are $g_1=u_1={2 * t * r}$, $g_2=u_2={t}$ and $v={t * s}$, and we count sizes, $p=1$.
All four dials step at once, by the same power of $O_h/I_h$.

1. Write down the five columns of $Q$, their lengths, and $O_h/I_h$ for each of the four dials.
2. What is $F$ after the doubled step of the second chapter, with the exponent $\frac1{{2p}}$?
3. What is it with $\frac1{{mp}}$ of {{prf:ref}}`prop-torus-step`?
4. Which weights does the doubled step drive up, and where does the proof of {{prf:ref}}`prop-torus-step` need a smaller exponent?
""",
        answers=(
            Answer(
                "F with the exponent 1/(2p)",
                value=doubled,
                computed=lambda: after(1 / 2),
                mistakes=(
                    (4 * t * r2 + 2 * t * s2 * r2 + t, "two dials divide the second gate"),
                    (4 * t * r2 + 2 * t * s2 * r + t * s2, "two dials divide the last weight"),
                    (4 * t * r + 2 * t + t * s, "this is the norm before the step"),
                ),
            ),
            Answer(
                "F with the exponent 1/(mp)",
                value=safe,
                computed=lambda: after(1 / 3),
                mistakes=(
                    (4 * t * r3**2 + 2 * t * s3 * r3 + t * s3, "two dials divide the second gate"),
                    (doubled, "the longest column has the length 3"),
                ),
            ),
        ),
        solution=rf"""
1. With the dials in the order $g_1,u_1,g_2,u_2$ the columns are $(1,0,0,0)$, $(0,1,0,0)$, $(-1,-1,1,0)$, $(-1,-1,0,1)$ and $(0,0,-1,-1)$, of lengths 1, 1, 3, 3 and 2.
   For the first gate $I={2 * t * r}$ and $O=g_2+u_2={2 * t}$, so $O/I=\frac1{{{r}}}$ at both dials; for the second $I={t}$ and $O=v={t * s}$, so $O/I={s}$ at both.
2. The dials are $\frac1{{{r2}}}$, twice, and ${s2}$, twice.
   So $g_1$ and $u_1$ become ${2 * t * r // r2}$, $g_2$ and $u_2$ are multiplied by ${s2}\cdot{r2}\cdot{r2}$ and become ${t * s2 * r}$, and $v$ becomes ${t * s}/{s}={t}$.
   Together ${doubled}$, and before it was ${4 * t * r + 2 * t + t * s}$.
3. $m=3$, so the dials are $\frac1{{{r3}}}$ and ${s3}$: $g_1=u_1={2 * t * r // r3}$, $g_2=u_2={t}\cdot{s3}\cdot{r3}\cdot{r3}={t * s3 * r3**2}$ and $v={t * s}/{s3**2}={t * s // s3**2}$.
   Together ${safe}$.
4. It drives up the weights of the second gate: three dials move each of them, all in the same direction, and each steps as far as two dials may.
   The inequality between the means has the weights $|Q_{{he}}|/m$, which must not add up to more than 1; with $m=2$ they add up to $\frac32$ at these columns.
""",
        marks=(
            (2, "the columns, their lengths and the four ratios"),
            (2, "the norm after the doubled step"),
            (2, "the norm after the safe step"),
            (2, "three dials at the second gate, and weights that add up to more than 1"),
        ),
    )
