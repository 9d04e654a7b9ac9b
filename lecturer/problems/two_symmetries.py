"""Four problems on two symmetries: a page counted, a sign kept, a wall with a decay, an error."""

import torch
from sympy.combinatorics import SymmetricGroup
from torch import nn

import gaugelib as gl
from gaugelib import equivariance as eq
from tools.teach import Answer, Problem, problem


@problem(title="A layer counted", stars=2, minutes=15)
def layer_counted(draw):
    """Dimension of a page with channels and invariant neurons, and its free barriers."""
    n = draw.choice([3, 4])
    m, k = draw.choice([(1, 1), (1, 3), (1, 4), (2, 1), (2, 3), (2, 5), (3, 1), (3, 2)])

    def page():
        task = SymmetricGroup(n)
        inputs = eq.natural(task)
        images = torch.cat([eq.copies(inputs, m).images, eq.trivial(task, k).images + m * n], 1)
        hidden = eq.Representation(inputs.elements, images)
        return eq.equivariant_space([inputs, hidden, eq.trivial(task)])

    channels = "one channel" if m == 1 else f"{m} channels"
    neurons = "one neuron that every permutation leaves where it is"
    if k > 1:
        neurons = f"{k} neurons that every permutation leaves where they are"
    return Problem(
        question=rf"""
A task does not care in which order its ${n}$ inputs come: its group is $S_{n}$.
The hidden layer of $f(x)=\sum_iv_i\,\sigma(\langle w_i,x\rangle)$, without biases, has ${m * n + k}$ neurons.
They are {channels} of ${n}$ neurons, each of which is permuted like the inputs, and {neurons}.

1. What is the dimension of the page $E_\pi$?
2. How many free barriers do the permutations of hidden neurons make in it?
   For each pair of kinds of neurons say how many equations it takes for two neurons to be equal.
""",
        answers=(
            Answer(
                "the dimension of the page",
                value=3 * m + 2 * k,
                computed=lambda: float(page().dimension),
                mistakes=(
                    (2 * m + k, "the weights behind are left out"),
                    (3 * (m + k), "a neuron that stays has one orbit of weights in, not two"),
                    (3 * m + (n + 1) * k, "a neuron that stays must treat all inputs alike"),
                ),
            ),
            Answer(
                "the number of free barriers",
                value=m,
                computed=lambda: float(len(eq.barriers(page()))),
                mistakes=(
                    (
                        m + k,
                        "a neuron that stays is alone in its orbit: nothing equals it for free",
                    ),
                    (m * n * (n - 1) // 2, "all pairs of one channel make the same barrier"),
                ),
            ),
        ),
        solution=rf"""
1. By {{prf:ref}}`prop-page` the numbers of a page are the orbits of $S_{n}$ on pairs (neuron, input) and on neurons.
   A channel has two orbits of pairs, on the diagonal and off it, and one of neurons: three numbers.
   A neuron that stays has one orbit of pairs, for its inputs are permuted among themselves, and is one orbit itself: two numbers.
   Together $3\cdot{m}+2\cdot{k}={3 * m + 2 * k}$.
2. A renumbering makes a free barrier if it costs one equation that the neurons which it exchanges are equal.
   - Two neurons of one channel have the same weight behind, and their rows are equal if and only if $a=b$: *one* equation, the same for every pair of the channel.
   - Two neurons of different channels, at the same place, are equal if $a=a'$, $b=b'$ and $c=c'$: three equations; at different places there is also $a=b$.
   - A neuron of a channel and one that stays, with the weight $t$ from each input and $u$ behind: $a=b=t$ and $c=u$, three equations.
   - Two neurons that stay: $t=t'$ and $u=u'$, two equations.

   So there is one barrier for each channel, and their number is ${m}$.
""",
        marks=(
            (2, "two orbits of pairs and one of neurons for a channel"),
            (2, "one and one for a neuron that stays"),
            (2, "one equation within a channel, the same for all its pairs"),
            (2, "two or more equations for each of the other pairs"),
        ),
    )


@problem(title="A neuron that dies", stars=2, minutes=15)
def neuron_that_dies(draw):
    """A single neuron with a negative weight behind: where it comes to rest."""
    w, b = draw.choice([(7, 1), (6, -2), (5, -1), (7, -3), (6, 1), (7, -1)])
    v = -draw.choice([8, 9, 10, 12])
    w, b, v = w / 8, b / 8, v / 8
    charge = w**2 + b**2 - v**2
    rest = -((v**2 - (w + b) ** 2 / 2) ** 0.5)

    def at_rest(step=1e-4):
        """Descent in small steps, until the neuron is dead."""
        at = w, b, v
        while at[0] + at[1] > 0:
            z, error = at[0] + at[1], at[2] * (at[0] + at[1]) - 1
            slopes = error * at[2], error * at[2], error * z
            at = tuple(x - step * slope for x, slope in zip(at, slopes, strict=True))
        return at[2]

    def at_start():
        net = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1, bias=False))
        params = {"0.weight": [[w]], "0.bias": [b], "2.weight": [[v]]}
        params = {name: torch.tensor(x).double() for name, x in params.items()}
        return float(gl.imbalance(params, gl.mlp_group(net), include_bias=True))

    return Problem(
        question=rf"""
The neuron $f(x)=v\,\sigma(wx+b)$ is to answer $1$ at $x=1$; its loss is $\frac12(f(1)-1)^2$.
Gradient flow starts at $w={w:g}$, $b={b:g}$, $v={v:g}$.

1. What is its charge $\Delta=w^2+b^2-v^2$, and what does it say about the sign of $v$?
2. Where does $v$ come to rest?
   (What else besides $\Delta$ does not change, because $x=1$?)
""",
        answers=(
            Answer(
                "the charge",
                value=charge,
                computed=at_start,
                tolerance=1e-9,
                mistakes=(
                    (w**2 - v**2, "the bias is one of the parameters in"),
                    (-charge, "the charge is what flows in minus what flows out"),
                ),
            ),
            Answer(
                "v at rest",
                value=rest,
                computed=at_rest,
                tolerance=2e-3,
                mistakes=(
                    (-((-charge) ** 0.5), "w and b do not both go to zero: their difference stays"),
                    (-rest, "a negative charge keeps the sign of v"),
                    (v, "v moves, as long as the neuron is active"),
                ),
            ),
        ),
        solution=rf"""
1. $\Delta={w:g}^2+({b:g})^2-({v:g})^2={charge:g}$.
   It is negative and conserved, so ({{prf:ref}}`prop-charge-barrier`) $v^2=w^2+b^2-\Delta\ge-\Delta>0$: $v$ stays negative for ever.
2. With $z=w+b>0$ the flow is $\dot w=\dot b=v\,(1-vz)$ and $\dot v=z\,(1-vz)$.
   As $v<0$, the bracket is at least $1$, so $w$ and $b$ fall at the same speed, at least $|v|\ge\sqrt{{-\Delta}}$, until $z=0$.
   There the neuron is dead and all gradients are zero.
   Since $w-b$ does not change, $w=-b=\frac12({w:g}-({b:g}))$ at the end, so $w^2+b^2=\frac12(w_0-b_0)^2$, and
   $$v^2=\tfrac12(w_0-b_0)^2-\Delta=v_0^2-\tfrac12(w_0+b_0)^2={v**2 - (w + b) ** 2 / 2:g},\qquad v={rest:.4f}.$$
   The loss at rest is $\frac12$.
""",
        marks=(
            (2, "the charge, with the bias"),
            (2, "a negative charge keeps the sign of v"),
            (2, "w falls until the neuron is dead"),
            (2, "w − b is conserved, too"),
            (1, "v at rest, with its sign"),
        ),
    )


@problem(title="The wall stands with a decay", stars=3, minutes=25)
def wall_with_decay(draw):
    """A penalty that all symmetries leave alone keeps a barrier."""
    seed = draw.randrange(10**6)

    def sides(uneven):
        """Whether descent on loss and penalty keeps two starts on the page and on their sides."""
        coin = torch.Generator().manual_seed(seed)
        x = torch.randn(20, 3, generator=coin).double()
        x = eq.natural(SymmetricGroup(3)).act(x).flatten(0, 1)
        y = x.square().sum(1) - x.sum(1)
        weigh = torch.tensor([9.0, 1.0, 1.0] if uneven else [1.0, 1.0, 1.0]).double()
        kept = []
        for a, b in torch.randn(2, 2, generator=coin).double().tolist():
            W, v = eq.deep_sets(a, b)
            for _ in range(60):
                W, v = W.clone().requires_grad_(), v.clone().requires_grad_()
                loss = (torch.tanh(x @ W.T) @ v - y).square().mean() / 2
                decay = (weigh * (W.square().sum(1) + v.square())).sum() / 4
                by_W, by_v = torch.autograd.grad(loss + decay, (W, v))
                W, v = (W - 0.01 * by_W).detach(), (v - 0.01 * by_v).detach()
            gap = W[0, 0] - W[0, 1]
            page = eq.deep_sets(W[0, 0], W[0, 1], v[0])
            near = max((W - page[0]).abs().max(), (v - page[1]).abs().max()) < 1e-9
            kept.append(bool(near and gap * (a - b) > 0))
        return all(kept)

    return Problem(
        question=r"""
Let $\Gamma$, $E$, $\mathcal F$ and $L$ be as in part 2 of {prf:ref}`thm-barrier`: $\mathcal F$ has one dimension less than $E$, with unit normal $\nu\in E$, and $\nabla L$ is locally Lipschitz.
Train with a weight decay: gradient flow on $L_\lambda(\theta)=L(\theta)+\frac\lambda2\|\theta\|^2$.

1. Prove that the sign of $s=\langle\nu,\theta\rangle$ is kept, for every $\lambda\ge0$.
2. Show that $\langle\nu,\nabla L_\lambda\rangle=\langle\nu,\nabla L\rangle+\lambda s$, and say in one sentence what the decay does to the distance from the barrier.
3. In a Deep Sets channel one neuron alone gets a decay nine times as large.
   Which step of your proof fails?
""",
        witness=lambda: sides(uneven=False),
        control=lambda: sides(uneven=True),
        solution=r"""
1. The maps $M\in\Gamma$ are orthogonal, so $\|M\theta\|=\|\theta\|$ and $L_\lambda(M\theta)=L(M\theta)+\frac\lambda2\|M\theta\|^2=L_\lambda(\theta)$.
   The gradient of $\frac\lambda2\|\theta\|^2$ is $\lambda\theta$, which is Lipschitz, so $\nabla L_\lambda$ is locally Lipschitz.
   So $L_\lambda$ satisfies all hypotheses of {prf:ref}`thm-barrier`, with the same $\Gamma$, $E$ and $\mathcal F$, and part 2 of it says that the sign of $s$ is kept.
   (Or by hand: on $\mathcal F$ both $\nabla L$ and $\lambda\theta$ lie in $\mathcal F$, so a flow that starts there stays there, and by uniqueness no other trajectory arrives.)
2. The gradient of the penalty is $\lambda\theta$, and $\langle\nu,\lambda\theta\rangle=\lambda s$.
   So $\dot s=-\langle\nu,\nabla L\rangle-\lambda s$: the decay pulls towards the barrier, at a rate proportional to the distance, so that by itself it would need infinitely long.
3. The penalty is then no longer left alone by the permutations that move this neuron, so $L_\lambda(M\theta)\ne L_\lambda(\theta)$ in general.
   Its gradient does not lie in $E$, and the flow leaves the page: the first step of the proof fails.
""",
        marks=(
            (2, "orthogonal maps leave the norm alone"),
            (2, "the gradient of the sum is locally Lipschitz, and the theorem applies"),
            (2, "the derivative of s, and what it says"),
            (2, "an uneven decay has not the symmetry, and the flow leaves the page"),
        ),
    )


@problem(title="Two copies too many", stars=2, minutes=20)
def two_copies(draw):
    """Where an argument that both sides are copies goes wrong, and by how much."""
    n, d = draw.choice([3, 4, 5]), draw.choice([1, 2, 3])
    b = draw.choice([-1, 1, 2])
    square = n - (n - 2) ** 2 / n - 4 / (n * (n - 1))

    def distance():
        task = SymmetricGroup(n)
        space = eq.equivariant_space([eq.natural(task), eq.natural(task), eq.trivial(task)])
        W, v = eq.deep_sets(d + b, b, n=n)
        swapped = W[[1, 0, *range(2, n)]]
        return float(space.distance({"0.weight": swapped, "2.weight": v[None]}) ** 2)

    return Problem(
        question=rf"""
Somebody writes about a Deep Sets channel $W=\delta I+bJ$, $v=c\mathbf 1$ with $n={n}$ inputs:

> Let $\tau$ exchange the neurons 1 and 2.
> Renumbering by $\tau$ leaves the loss as it is, and it leaves the barrier $\delta=0$ in place.
> It takes one side of the barrier to the other, as with $n=2$.
> So the two sides are copies of each other, and a student on either side can learn every teacher.

1. Which sentence is the first that is wrong?
   Say why it is right for $n=2$.
2. For $\delta={d}$ and $b={b}$ compute the squared distance of the renumbered weights $(P_\tau W,v)$ from the page.
""",
        answers=(
            Answer(
                "the squared distance from the page",
                value=d**2 * square,
                computed=distance,
                tolerance=1e-9,
                mistakes=(
                    ((d**2 * square) ** 0.5, "this is the distance and not its square"),
                    (4 * d**2, "this is the squared distance from where it was, not from the page"),
                    (0.0, "the renumbered matrix would be on the page for two inputs only"),
                ),
            ),
        ),
        solution=rf"""
1. The third sentence.
   The renumbered matrix is $P_\tau W=\delta P_\tau+bJ$.
   On the page all entries off the diagonal are equal; here those at $(1,2)$ and $(2,1)$ are $\delta+b$, and there are others off the diagonal, which are $b$.
   So off the barrier $\tau$ leads away from the page, and it says nothing about the other side of it.
   For $n=2$ there are no others: $P_\tau=J-I$, so $P_\tau W=-\delta I+(b+\delta)J$ is on the page, on the other side.
   (The first two sentences are right.)
2. $bJ$ and $v$ are on the page, so the distance is $\delta$ times that of $P_\tau$ from the matrices that are constant on the diagonal and off it.
   The nearest one has the means of $P_\tau$: $\frac{{{n - 2}}}{{{n}}}$ on the diagonal and $\frac{{2}}{{{n * (n - 1)}}}$ off it.
   By Pythagoras the squared distance of $P_\tau$ is
   $${n}-{n}\cdot\Big(\frac{{{n - 2}}}{{{n}}}\Big)^2-{n * (n - 1)}\cdot\Big(\frac{{2}}{{{n * (n - 1)}}}\Big)^2={square:.6g},$$
   and times $\delta^2={d**2}$ that is ${d**2 * square:.6g}$.
""",
        marks=(
            (2, "names the third sentence"),
            (2, "two entries off the diagonal differ from the others"),
            (1, "why it is right for two inputs"),
            (2, "the nearest point of the page has the means"),
            (1, "the squared distance"),
        ),
    )
