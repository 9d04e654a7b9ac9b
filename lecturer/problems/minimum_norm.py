"""Problems on the minimum-norm gauge: two with numbers, one proof, and a proof with a hole."""

import math
from itertools import islice, pairwise

import torch
from torch import nn

import gaugelib as gl
from tools.teach import Answer, Problem, problem


def _layered(*matrices):
    """A layered network of these matrices, without biases, and its group."""
    weights = [torch.as_tensor(matrix, dtype=torch.float64) for matrix in matrices]
    layers = [nn.Linear(w.shape[1], w.shape[0], bias=False) for w in weights]
    model = nn.Sequential(*[m for layer in layers for m in (layer, nn.ReLU())][:-1])
    names = [name for name, _ in model.named_parameters()]
    return dict(zip(names, weights)), gl.mlp_group(model)


@problem(title="By layers or by units", stars=2, minutes=15)
def by_layers_or_by_units(draw):
    """One hidden layer of two units: what one dial can save, and what two can."""
    w1, w2 = draw.choice([(3, 4), (4, 3), (6, 8), (8, 6)])
    v1, v2 = draw.choice([(5, 12), (12, 5)])
    sign = draw.choice([-1, 1])
    start = w1**2 + w2**2 + v1**2 + v2**2
    layers = 2 * math.isqrt((w1**2 + w2**2) * (v1**2 + v2**2))
    units = 2 * (w1 * v1 + w2 * v2)

    def least(single):
        params, group = _layered([[w1], [w2]], [[v1, sign * v2]])
        if single:
            return start * gl.predicted_saving(params, group, 2.0)
        lightest = gl.minimum_norm(params, group, tol=1e-12).params
        return gl.weight_norm(lightest, group).item() ** 2

    return Problem(
        question=rf"""
The network $f(x)=v_1\,\mathrm{{relu}}(w_1x)+v_2\,\mathrm{{relu}}(w_2x)$ has $w=({w1},{w2})$ and $v=({v1},{sign * v2})$.

1. How large is $\|\theta\|_2^2$, the sum of the four squares?
2. Both units get the same dial $a$.
   How small can the sum become?
3. Each unit gets a dial of its own.
   How small can it become now?
4. Which inequality says that the third number is never larger than the second?
   When are they equal?
""",
        answers=(
            Answer("as it is", value=start, tolerance=1e-9,
                   computed=lambda: float(sum(w**2 for w in (w1, w2, v1, sign * v2))),
                   mistakes=((math.sqrt(start), "this is the norm and not its square"),
                             (w1 + w2 + v1 + v2, "the sizes are to be squared"))),
            Answer("one dial", value=layers, computed=lambda: least(True), tolerance=1e-6,
                   mistakes=((layers / 2, "both layers carry the geometric mean, so it counts twice"),
                             (units, "this takes a dial for each unit"))),
            Answer("two dials", value=units, computed=lambda: least(False), tolerance=1e-6,
                   mistakes=((units / 2, "both sides of a unit carry the product, so it counts twice"),
                             (layers, "this is the best with one dial for both"),
                             (start, "the units are not balanced yet"))),
        ),
        solution=rf"""
1. ${w1}^2+{w2}^2+{v1}^2+{v2}^2={start}$.
2. With $T_1=w_1^2+w_2^2={w1**2 + w2**2}$ and $T_2=v_1^2+v_2^2={v1**2 + v2**2}$ the sum is $a^2T_1+a^{{-2}}T_2$.
   Its two terms have the product $T_1T_2$, whatever $a$ is, so it is smallest where they are equal: $2\sqrt{{T_1T_2}}=2\cdot{math.isqrt(w1**2 + w2**2)}\cdot13={layers}$.
3. The two units share no weight, so each is balanced by itself, and in the same way $a_h^2w_h^2+a_h^{{-2}}v_h^2$ becomes $2|w_hv_h|$.
   Together: $2({w1}\cdot{v1}+{w2}\cdot{v2})={units}$.
4. $|w_1v_1|+|w_2v_2|\le\sqrt{{w_1^2+w_2^2}}\,\sqrt{{v_1^2+v_2^2}}$, the inequality of Cauchy and Schwarz for the sizes.
   It is an equality if and only if $(|w_1|,|w_2|)$ and $(|v_1|,|v_2|)$ are parallel; then both units want the same dial.
""",
        marks=((1, "the sum of the squares"),
               (2, "one dial: equal terms, $2\\sqrt{T_1T_2}$"),
               (3, "two dials: the units share nothing, $2\\sum|w_hv_h|$"),
               (1, "Cauchy and Schwarz"),
               (1, "equality if the sizes are parallel")),
    )  # fmt: skip


@problem(title="Balancing in turn", stars=2, minutes=15)
def balancing_in_turn(draw):
    """A chain of three weights, a power of two, balanced one unit after the other by hand."""
    k, exponent = draw.choice([24, 48, 72, 96]), draw.choice([1, 2])
    bound = draw.choice([0.1, 0.01])
    needed = math.floor(1 + math.log(k / 6 / bound, 4)) + 1

    def first_after_turns():
        """The logarithm of the first weight after one turn, after two, and so on."""
        params, group = _layered([[2.0**k]], [[1.0]], [[1.0]])
        while True:
            for unit in (0, 1):
                into, out = (
                    f(params, group, exponent) for f in (gl.incoming_norm, gl.outgoing_norm)
                )
                scales = torch.ones_like(into)
                scales[unit] = (out[unit] / into[unit]).sqrt()
                params = gl.rescale(params, scales, group)
            yield params["0.weight"].log2().item()

    def turns_needed():
        return next(n for n, log in enumerate(first_after_turns(), 1) if log - k / 3 < bound)

    def factor():
        once, twice = islice(first_after_turns(), 2)
        return (twice - k / 3) / (once - k / 3)

    return Problem(
        question=rf"""
A chain has three weights, $w_1=2^{{{k}}}$, $w_2=1$ and $w_3=1$, and two hidden units, without biases.
A *turn* balances the first unit exactly, then the second, for $p={exponent}$.
Write all weights as powers of 2.

1. Which weights has the chain after one turn, and what is $\log_2w_1$ after two?
2. What is $\log_2w_1$ in the lightest chain?
3. By which factor does a turn shrink the distance of $\log_2w_1$ from there?
4. After how many turns is it below {bound:g} for the first time?
5. Where would another $p$ change your answers?
""",
        answers=(
            Answer(r"$\log_2w_1$ after two turns", value=3 * k / 8, tolerance=1e-6,
                   computed=lambda: next(islice(first_after_turns(), 1, None)),
                   mistakes=((k / 2, "the first unit has to be balanced again in the second turn"),
                             (k / 3, "this is the limit, not two turns"))),
            Answer(r"$\log_2w_1$ in the end", value=k / 3, tolerance=1e-6,
                   computed=lambda: _log_of_lightest(k, exponent),
                   mistakes=((k / 2, "balancing the second unit unbalances the first"),
                             (0, "the product of the weights cannot change"))),
            Answer("the factor", value=0.25, tolerance=1e-6,
                   computed=factor,
                   mistakes=((0.75, "this is the rate of Algorithm 1, which goes half of the way with both at once"),
                             (0.5, "the neighbour is off by half as much on the other side: the mean of d and −d/2 is d/4"))),
            Answer("the number of turns", value=needed, computed=turns_needed, tolerance=1e-6,
                   mistakes=((needed - 1, f"the first turn leaves {k // 6}, before any factor 1/4"),
                             (2 * needed, "these are half turns"))),
        ),
        solution=rf"""
To balance a unit between two weights is to make both sizes equal with the same product: their logarithms become their mean, for every $p$.

1. First unit: $({k},0,0)\to({k // 2},{k // 2},0)$; second unit: $({k // 2},{k // 4},{k // 4})$.
   So after one turn the weights are $2^{{{k // 2}}}$, $2^{{{k // 4}}}$ and $2^{{{k // 4}}}$.
   In the second turn $\log_2w_1$ becomes $\frac12({k // 2}+{k // 4})={3 * k // 8}$, and the second unit leaves it alone.
2. In the lightest chain all weights are equal, and their product is $2^{{{k}}}$: $\log_2w_1={k // 3}$.
3. Let $d$ be the distance of $\log_2w_1$ after a turn; the other two are equal and their distance is $-\frac d2$, for the sum is fixed.
   In the next turn the first becomes the mean of $d$ and $-\frac d2$, which is $\frac d4$.
   The factor is $\frac14=\cos^2\frac\pi3$, as the theorem on the rate says for $L=3$; here it is exact from the first turn on.
4. After one turn the distance is $\frac{{{k}}}2-\frac{{{k}}}3={k // 6}$, and after $n$ turns ${k // 6}\cdot4^{{1-n}}$.
   It is below {bound:g} for the first time at $n={needed}$.
5. Nowhere: the mean of the logarithms does not depend on $p$.
""",
        marks=((2, "balancing takes the mean of two logarithms"),
               (2, "one turn, and the second"),
               (1, "the lightest chain: three equal weights"),
               (2, "the factor 1/4, with a reason"),
               (1, "the number of turns"),
               (1, "$p$ does not matter")),
    )  # fmt: skip


def _log_of_lightest(k, exponent):
    """The logarithm of the first weight of the lightest chain."""
    params, group = _layered([[2.0**k]], [[1.0]], [[1.0]])
    lightest = gl.minimum_norm(params, group, p=float(exponent), tol=1e-12).params
    return next(iter(lightest.values())).log2().item()


def _twins_agree(same_behind: bool) -> bool:
    """Whether the lightest network gives two units one dial that are equal in front of them."""
    draw = torch.Generator().manual_seed(1)
    agree = []
    for p in (0.5, 1.0, 2.0):
        into, between, out = (
            torch.randn(n, m, generator=draw).double() for m, n in pairwise((3, 4, 5, 2))
        )
        into[1] = -into[0]
        if same_behind:
            between[:, 1] = -between[:, 0]
        params, group = _layered(into, between, out)
        scales = gl.minimum_norm(params, group, p=p, tol=1e-12).scales
        agree.append(bool((scales[0] / scales[1] - 1).abs() < 1e-8))
    return all(agree)


@problem(title="Twins keep equal dials", stars=2, minutes=20)
def twins_keep_equal_dials(draw):
    """A proof by uniqueness, and an example where uniqueness fails."""
    heavy = draw.choice([3, 4, 5])
    return Problem(
        question=rf"""
Two units $h$ and $k$ of one hidden layer of a connected layered network are **twins** if $|W_{{hj}}|=|W_{{kj}}|$ for every $j$ before them and $|W_{{ih}}|=|W_{{ik}}|$ for every $i$ behind them.

1. Let $p>0$.
   Show that twins have the same dial in the gauge that makes $\|g_a\theta\|_p$ smallest.
2. Now we ask for the *largest* weight to be as small as possible.
   Show by the network $f(x)=\mathrm{{relu}}(x)-\mathrm{{relu}}(-x)+{heavy}\,\mathrm{{relu}}({heavy}x)$ that twins may then have different dials.
   Which step of your proof fails?
""",
        witness=lambda: _twins_agree(same_behind=True),
        control=lambda: _twins_agree(same_behind=False),
        solution=rf"""
1. Let $\alpha$ be the logarithms of the dials of the lightest network, and $\alpha'$ the same with $\alpha_h$ and $\alpha_k$ exchanged.
   Look at the terms $|\theta_e|^pe^{{p(B^\top\alpha)_e}}$ of $F$.
   No weight joins $h$ and $k$, for they lie in one layer.
   The term of $W_{{hj}}$ at $\alpha'$ is $|W_{{hj}}|^pe^{{p(\alpha_k-\alpha_j)}}=|W_{{kj}}|^pe^{{p(\alpha_k-\alpha_j)}}$, the term of $W_{{kj}}$ at $\alpha$, and the other way round; in the same way the terms of $W_{{ih}}$ and $W_{{ik}}$ change places.
   All others stay as they are.
   So $F(\alpha')=F(\alpha)$, the smallest value.
   The network is connected, so there is only one gauge where it is taken: $\alpha'=\alpha$, which says $\alpha_h=\alpha_k$.
2. The units 1 and 2 are twins: the sizes of their weights are 1 in front and 1 behind.
   The path through unit 3 has the geometric mean ${heavy}$, so no gauge makes the largest weight smaller than ${heavy}$, and with all dials 1 it is ${heavy}$.
   But with $a_1={heavy}$, $a_2=1$, $a_3=1$ the weights of unit 1 are ${heavy}$ and $\frac1{{{heavy}}}$, and the largest weight is still ${heavy}$.
   So this gauge is as good, and the twins have different dials.
   Exchanging them again gives the same largest weight; what fails is uniqueness.
""",
        marks=((2, "exchange the two dials"),
               (3, "the terms in front and behind change places, the others stay"),
               (2, "uniqueness: connected, so the two gauges are one"),
               (2, "the example: another gauge with the same largest weight"),
               (1, "uniqueness is what fails")),
    )  # fmt: skip


KINDS = ("exactly one", "none", "infinitely many")


@problem(title="A sum of exponentials", stars=2, minutes=15)
def a_sum_of_exponentials(draw):
    """Find the hole in a proof of strict convexity, and decide for three networks."""
    sizes = [draw.choice([1, 2, 3, -1, -2]) for _ in range(8)]
    s = iter(sizes)
    one = [[[next(s)], [next(s)]], [[next(s), 0], [next(s), next(s)]], [[next(s), next(s)]]]
    c = next(s)
    none = [[[1], [c]], [[2, 0], [0, 1]], [[1, 0]]]
    many = [[[1], [2]], [[c, 1], [0, 0]], [[1, 0]]]
    cases = {"exactly one": one, "none": none, "infinitely many": many}
    order = draw.sample(KINDS, 3)

    def kind(matrices):
        params, group = _layered(*matrices)
        if gl.minimum_norm(params, group).dead.numel() == 0:
            return "exactly one"
        curvature = gl.laplacian(params, group, 2.0)
        full = torch.linalg.matrix_rank(curvature) == len(curvature)
        return "none" if full else "infinitely many"

    def shown(matrix):
        rows = r"\\".join("&".join(map(str, row)) for row in matrix)
        return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"

    lines = "\n".join(
        f"- {name}: " + ", ".join(f"$W_{i}={shown(m)}$" for i, m in enumerate(cases[case], 1))
        for name, case in zip("ABC", order)
    )
    name_of = {case: name for name, case in zip("ABC", order)}
    why = {
        "exactly one": "that is none: take another look for a path from the input to the output through each unit",
        "none": "that needs a unit that is fed, and heard by no output",
        "infinitely many": "that needs a unit without any weight but 0",
    }
    return Problem(
        question=rf"""
"Every network has exactly one lightest gauge," says a student: "$F(\alpha)=\frac1p\sum_e|\theta_e|^pe^{{p(B^\top\alpha)_e}}$ is a sum of exponentials, and an exponential is strictly convex.
So $F$ is strictly convex, and a strictly convex function has exactly one lowest point."

1. Where does the proof fail?
   There are two places.
2. Decide for each of these networks with two hidden layers of two units whether it has *exactly one* lightest gauge, *none*, or *infinitely many*, with $p=2$ and all weights counted:

{lines}

3. In the cases that are not *exactly one*, say along which direction $\xi$ of the dials $F$ fails to do what the student says.
""",
        answers=tuple(
            Answer(f"network {name}", value=case, computed=lambda case=case: kind(cases[case]),
                   mistakes=tuple((other, why[other]) for other in KINDS if other != case))
            for name, case in zip("ABC", order)
        ),
        solution=rf"""
1. *First*, $e^{{p(B^\top\alpha)_e}}$ is strictly convex only in directions in which $(B^\top\alpha)_e$ changes; it is constant in all others.
   The sum is strictly convex if for each direction $\xi\ne0$ some non-zero weight has $(B^\top\xi)_e\ne0$; that is what a path from an input to an output through each unit gives.
   *Second*, a strictly convex function has *at most* one lowest point; $e^{{-x}}$ has none.
   That there is one needs a bounded set, again by such paths.
2. {name_of["exactly one"]} has exactly one: each unit lies on a path of non-zero weights from the input to the output.
   {name_of["none"]} has none: the second unit of the second layer is fed, but its outgoing weight is 0.
   {name_of["infinitely many"]} has infinitely many: all weights at the second unit of the second layer are 0, and the other three units lie on paths.
3. In {name_of["none"]} let $\xi$ be $-1$ at the second unit of the second layer and $0$ elsewhere: $F(t\xi)$ falls for ever as $t\to\infty$.
   (It is strictly convex: only the lowest point is missing. With $-1$ at the second unit of the first layer, too, $F$ falls as well; either answer counts.)
   In {name_of["infinitely many"]} let $\xi$ be $1$ at that unit and $0$ elsewhere: no non-zero weight sees it, so $F(t\xi)$ is constant, and that dial can be anything.
   The other three have one lightest choice.
""",
        marks=((2, "an exponential of a linear function is constant in some directions"),
               (1, "strictly convex gives at most one lowest point"),
               (3, "the three networks"),
               (2, "the two directions")),
    )  # fmt: skip
