"""Problems on the symmetry: two with numbers, one proof, and one test that passes too easily."""

import torch
from torch import nn

import gaugelib as gl
from tools.teach import Answer, Problem, problem


class Skip(nn.Module):
    """One input, two hidden units in a row, and a skip connection around each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.into_1 = nn.Linear(1, 1)
        self.into_2, self.between = (nn.Linear(1, 1, bias=False) for _ in range(2))
        self.out_1, self.out_2 = (nn.Linear(1, 1, bias=False) for _ in range(2))

    def forward(self, x):
        """The output, of shape (batch, 1)."""
        first = torch.relu(self.into_1(x))
        second = torch.relu(self.into_2(x) + self.between(first))
        return self.out_1(first) + self.out_2(second)


SKIP = {
    "u": "into_1.weight", "b": "into_1.bias", "s": "into_2.weight", "t": "between.weight",
    "p": "out_1.weight", "q": "out_2.weight",
}  # fmt: skip


@problem(title="The missing weights", stars=1, minutes=10)
def missing_weights(draw):
    """Find the factors from two weights, and then the rest of a network with skip connections."""
    u, s, b = draw.choice([1, 2, 3]), draw.choice([-3, -2, -1]), draw.choice([-5, -3, 3, 5])
    t, p, q = draw.choice([4, 8]), draw.choice([4, 12]), draw.choice([-16, -8])
    a1, a2 = draw.sample([0.5, 4, 8], 2)

    def rescaled(name):
        model = Skip().double()
        params = {
            key: torch.full_like(value, {"u": u, "b": b, "s": s, "t": t, "p": p, "q": q}[letter])
            for letter, key in SKIP.items()
            for value in [model.state_dict()[key]]
        }
        group = gl.trace_group(model, torch.ones(1, 1).double())
        # Which unit comes first is the library's choice: ask what a factor does to the weight u.
        scales = torch.tensor([a1, a2]).double()
        if gl.rescale(params, scales, group)[SKIP["u"]].item() != a1 * u:
            scales = scales.flip(0)
        return gl.rescale(params, scales, group)[SKIP[name]].item()

    return Problem(
        question=rf"""A network with one input, two hidden ReLU units and one output has skip connections:

$$x_1=\mathrm{{relu}}(ux+b),\qquad x_2=\mathrm{{relu}}(sx+t\,x_1),\qquad f(x)=p\,x_1+q\,x_2,$$

with $u={u}$, $b={b}$, $s={s}$, $t={t}$, $p={p}$ and $q={q}$.
Another network lies on the same orbit.
Of its parameters you know two: $u'={a1 * u:g}$ and $s'={a2 * s:g}$.

Find $b'$, $t'$, $p'$ and $q'$, and check your result by the three path products that start at the input.""",
        answers=(
            Answer("$b'$", value=a1 * b, computed=lambda: rescaled("b"), tolerance=1e-9,
                   mistakes=((b, "the bias was left as it was"),
                             (b / a1, "the bias flows in, so it is multiplied"))),
            Answer("$t'$", value=t * a2 / a1, computed=lambda: rescaled("t"), tolerance=1e-9,
                   mistakes=((t * a1 / a2, "multiply by the factor of the target, divide by that of the source"),
                             (t * a2, "the weight also flows out of unit 1"))),
            Answer("$p'$", value=p / a1, computed=lambda: rescaled("p"), tolerance=1e-9,
                   mistakes=((p * a1, "the weight flows out of unit 1, so it is divided"),
                             (p / a2, "this weight does not touch unit 2"))),
            Answer("$q'$", value=q / a2, computed=lambda: rescaled("q"), tolerance=1e-9,
                   mistakes=((q * a2, "the weight flows out of unit 2, so it is divided"),
                             (q / a1, "this weight does not touch unit 1"))),
        ),
        solution=rf"""The weight $u$ flows into unit 1 and comes from the input, so $u'=a_1u$ and $a_1={a1:g}$.
The weight $s$ flows into unit 2 and comes from the input, so $s'=a_2s$ and $a_2={a2:g}$.

By the rule, target over source, $b'=a_1b={a1 * b:g}$, $t'=t\,a_2/a_1={t * a2 / a1:g}$, $p'=p/a_1={p / a1:g}$ and $q'=q/a_2={q / a2:g}$.

The paths from the input to the output have the products $up={u * p}$, $utq={u * t * q}$ and $sq={s * q}$, before and after:
$u'p'={a1 * u:g}\cdot{p / a1:g}$, $u't'q'={a1 * u:g}\cdot{t * a2 / a1:g}\cdot({q / a2:g})$ and $s'q'=({a2 * s:g})\cdot({q / a2:g})$.""",
        marks=((2, "both factors, from $u'/u$ and $s'/s$"),
               (1, "$b'$ is multiplied"),
               (2, "$t'$: target over source"),
               (1, "$p'$ and $q'$ are divided"),
               (2, "three path products, before and after")),
    )  # fmt: skip


@problem(title="A step in two gauges", stars=2, minutes=15)
def step_in_two_gauges(draw):
    """One step of gradient descent, from two writings of one function."""
    w, v, a = draw.choice([(2, 2, 2), (1, 4, 2), (2, 4, 4), (3, 4, 2), (4, 2, 2), (2, 6, 2)])
    miss, rate = draw.choice([-1, 1]), 1 / 10
    y = w * v - miss
    here, there = w**2 + v**2, a**2 * w**2 + v**2 / a**2

    def stepped(scale):
        point = torch.tensor([w * scale, v / scale], dtype=torch.float64, requires_grad=True)

        def f(theta):
            return theta[1] * torch.relu(theta[0])

        (slope,) = torch.autograd.grad((f(point) - y).square() / 2, point)
        return f(point - rate * slope).item()

    def equal_rate():
        sizes = []
        for scale in (1, a):
            point = torch.tensor([w * scale, v / scale], dtype=torch.float64)
            slope = torch.func.grad(lambda p: (p[1] * torch.relu(p[0]) - y).square() / 2)(point)
            sizes.append(slope.square().sum().item())
        return rate * sizes[0] / sizes[1]

    def after(size):
        return w * v - rate * miss * size + rate**2 * miss**2 * w * v

    return Problem(
        question=rf"""The network $f(x)=v\,\mathrm{{relu}}(wx)$ with $w={w}$ and $v={v:g}$ is to answer $y={y:g}$ at $x=1$; its loss is $L=\frac12(f(1)-y)^2$.
You take one step of gradient descent with $\eta=\frac1{{10}}$.
Somebody else takes one step with the same $\eta$ from the network that is rescaled by $a={a}$.

1. What does each of the two networks answer at $x=1$ after the step?
2. With which rate $\eta'$ would the other network's answer change as much as yours to first order in the rate?""",
        answers=(
            Answer("your $f(1)$", value=after(here), computed=lambda: stepped(1), tolerance=1e-3,
                   mistakes=((w * v - rate * miss * here, "both weights move at once: a term with η² is missing"),
                             (w * v + rate * miss * here + rate**2 * miss**2 * w * v, "the step goes up the gradient"))),
            Answer("the other's $f(1)$", value=after(there), computed=lambda: stepped(a), tolerance=1e-3,
                   mistakes=((after(here), "the gradient is not the same in another gauge"),
                             (w * v - rate * miss * there, "a term with η² is missing"))),
            Answer(r"$\eta'$", value=rate * here / there, computed=equal_rate, tolerance=1e-3,
                   mistakes=((rate, "the squared gradients differ"),
                             (rate * there / here, "the longer gradient needs the smaller rate"))),
        ),
        solution=rf"""Let $e=wv-y={miss:g}$.
At $x=1$ and $w>0$ the gradient is $(ev,\,ew)$, so after the step

$$f=(w-\eta ev)(v-\eta ew)=wv-\eta e\,(w^2+v^2)+\eta^2e^2\,wv .$$

The product $wv={w * v:g}$ and $e$ are the same in both gauges; $w^2+v^2$ is not.
For yours it is ${here:g}$, for the other, at $(aw,\,v/a)=({a * w:g},\,{v / a:g})$, it is ${there:g}$.
So $f={after(here):.6g}$ for yours, and $f={after(there):.6g}$ for the other.

To first order the answer changes by $-\eta e\,(w^2+v^2)$, so $\eta'=\eta\cdot\frac{{{here:g}}}{{{there:g}}}\approx{rate * here / there:.4g}$.
At one input some rate always makes up for it in this sense; at two inputs it need not: in $v_1\,\mathrm{{relu}}(w_1x)+v_2\,\mathrm{{relu}}(w_2x)$ with $w_1>0>w_2$ the inputs 1 and $-1$ each see the factor of another neuron.""",
        marks=((2, "the gradient $(ev, ew)$, with $e$ the same in both gauges"),
               (2, "your answer, with the term in $\\eta^2$"),
               (2, "the other's, with $w^2+v^2$ at the rescaled point"),
               (2, "$\\eta'$ from the ratio of $w^2+v^2$")),
    )  # fmt: skip


def _log_products(params):
    """Logarithms of all path products of one hidden layer, of shape (outputs, units, inputs)."""
    into, out = (params[name].abs().log() for name in ("0.weight", "2.weight"))
    return out[:, :, None] + into[None, :, :]


def _chosen_fix_all(left_out: int) -> bool:
    """Whether the chosen products, but for so many of them, fix all; by ranks of derivatives."""
    d, n, o = 3, 4, 2
    sizes = {"0.weight": (n, d), "2.weight": (o, n)}
    draw = torch.Generator().manual_seed(1)
    params = {k: torch.randn(s, generator=draw).double().abs() + 0.1 for k, s in sizes.items()}
    logs = {name: value.log() for name, value in params.items()}

    def products(logs):
        return _log_products({name: value.exp() for name, value in logs.items()})

    blocks = torch.func.jacrev(products)(logs)
    rows = torch.cat([block.reshape(o, n, d, -1) for block in blocks.values()], dim=-1)
    chosen = torch.zeros(o, n, d, dtype=torch.bool)
    chosen[0], chosen[:, :, 0] = True, True
    kept = rows[chosen][left_out:]
    ranks = (torch.linalg.matrix_rank(part.reshape(-1, part.shape[-1])) for part in (kept, rows))
    return len(set(map(int, ranks))) == 1 and len(kept) == n * (d + o - 1) - left_out


@problem(title="How few path products are enough", stars=3, minutes=25)
def few_path_products(draw):
    """A proof: n(d + o − 1) products name an orbit, and no fewer do."""
    n, d, o = draw.choice([3, 4, 5]), draw.choice([4, 6]), draw.choice([2, 3])
    return Problem(
        question=rf"""A network without biases has $d$ inputs, one hidden layer of $n$ ReLU units and $o$ outputs, and none of its weights is zero.
Its weights are $W_{{hj}}$ into the units and $V_{{ih}}$ out of them, so its path products are $P_{{ihj}}=V_{{ih}}W_{{hj}}$; there are $ndo$ of them.

1. Show that, together with the signs of all weights, the products through the first output or from the first input, $P_{{1hj}}$ and $P_{{ih1}}$, name the orbit.
   How many are they, in general and for $d={d}$, $n={n}$, $o={o}$?
2. Show that no smaller choice of path products, with all signs, names the orbits of such networks.""",
        witness=lambda: _chosen_fix_all(0),
        control=lambda: _chosen_fix_all(1),
        solution=rf"""1. Every path product can be computed from those that were chosen:

   $$\frac{{P_{{1hj}}\,P_{{ih1}}}}{{P_{{1h1}}}}=\frac{{V_{{1h}}W_{{hj}}\,V_{{ih}}W_{{h1}}}}{{V_{{1h}}W_{{h1}}}}=V_{{ih}}W_{{hj}}=P_{{ihj}} .$$

   So if the chosen products agree for two networks, all of them agree.
   No weight is zero, so every unit lies on a path from an input to an output, and by the theorem on path products the two networks lie on one orbit if their signs agree, too.
   For each unit $h$ there are $d$ products $P_{{1hj}}$ and $o$ products $P_{{ih1}}$, with $P_{{1h1}}$ counted twice: $n(d+o-1)$ in all, here ${n}\cdot{d + o - 1}={n * (d + o - 1)}$.

2. Take positive weights, and their $m=n(d+o)$ logarithms as coordinates.
   The logarithm of a path product is a linear function of them.
   Two networks lie on one orbit if and only if the difference of their coordinates is $B^\top\alpha$ for some $\alpha$; these differences form a space of dimension $n$, because no unit floats.
   If $k$ products agree, the difference satisfies $k$ linear equations, and the solutions form a space of dimension at least $m-k$.
   If $k<n(d+o-1)=m-n$, this is more than $n$, so there is a difference that solves the equations and is not $B^\top\alpha$: two networks with the same $k$ products on different orbits.""",
        marks=((3, "any product from the chosen ones, by the quotient"),
               (1, "the theorem on path products applies: every unit lies on a path"),
               (1, "the number $n(d+o-1)$, with the one counted twice"),
               (2, "logarithms make it linear, and the orbit has dimension $n$"),
               (3, "fewer equations leave more than $n$ dimensions")),
    )  # fmt: skip


@problem(title="A test that passes", stars=2, minutes=15)
def a_test_that_passes(draw):
    """Find the error: the second matrix is divided along the wrong axis, and the test is blind."""
    a1, a2 = draw.sample([2, 4, 8], 2)
    top, low = draw.sample([1, 2, 3], 2), [1, draw.choice([-2, -1])]
    x = draw.sample([1, 2, 3], 2)
    right = top[0] * x[0] + top[1] * x[1]
    wrong = top[0] * x[0] + top[1] * x[1] * a2 / a1
    undivided = top[0] * x[0] * a1 + top[1] * x[1] * a2

    def first_output(axis):
        scales, point = torch.tensor([a1, a2]).double(), torch.tensor(x).double()
        into, out = torch.eye(2).double(), torch.tensor([top, low]).double()
        divided = out / (scales[None, :] if axis else scales[:, None])
        return (divided @ torch.relu(scales[:, None] * into @ point))[0].item()

    return Problem(
        question=rf"""A student writes this function for networks $f(x)=W_2\,\mathrm{{relu}}(W_1x+b_1)+b_2$:

```python
def rescaled(W1, b1, W2, b2, a):
    return a[:, None] * W1, a * b1, W2 / a[:, None], b2
```

"It is tested," says the student: "with `a = [4, 4]`, two hidden units and two outputs the outputs are the same to the last bit, for a thousand random inputs."
The test is run as the student says, and it does pass.

Try the function with $W_1=\begin{{pmatrix}}1&0\\0&1\end{{pmatrix}}$, $W_2=\begin{{pmatrix}}{top[0]}&{top[1]}\\{low[0]}&{low[1]}\end{{pmatrix}}$, no biases, $x=({x[0]},{x[1]})$ and `a = [{a1}, {a2}]`.

1. What is the first output before, and what is it after?
2. Where is the error, and what should the line say?
3. Why does the student's test pass?
   Name two changes to the test, each of which would have found the error.""",
        answers=(
            Answer("before", value=right, computed=lambda: first_output(axis=1), tolerance=1e-9,
                   mistakes=((undivided, "this is the output if only the first layer is multiplied"),
                             (sum(low[h] * x[h] for h in (0, 1)), "this is the second output"))),
            Answer("after", value=wrong, computed=lambda: first_output(axis=0), tolerance=1e-9,
                   mistakes=((right, "this is what a right function would give"),
                             (undivided, "the second matrix is divided, too, only not as it should be"))),
        ),
        solution=rf"""1. Before: ${top[0]}\cdot{x[0]}+{top[1]}\cdot{x[1]}={right}$.
   The function multiplies the units' outputs by {a1} and {a2}, and divides the first *row* of $W_2$ by {a1}, so after it the first output is $\frac1{{{a1}}}({top[0]}\cdot{a1 * x[0]}+{top[1]}\cdot{a2 * x[1]})={wrong:g}$.
2. What flows out of unit $h$ is column $h$ of $W_2$, so columns have to be divided: `W2 / a[None, :]`, or simply `W2 / a`.
   With `a[:, None]` the rows are divided, which are the outputs.
3. If all factors are equal, dividing rows and dividing columns is the same, for every entry is divided by the same number; and with as many outputs as hidden units the shapes fit by accident.
   Two different factors would have found the error, and so would a number of outputs other than 1 and the number of hidden units: then the division fails.
   (Another input finds nothing, however many are drawn.)""",
        marks=((1, "the output before"),
               (2, "the output after"),
               (2, "rows instead of columns, and the line that is right"),
               (2, "equal factors hide the axis"),
               (1, "a test with different factors"),
               (1, "a test with another number of outputs")),
    )  # fmt: skip
