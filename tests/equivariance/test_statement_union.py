"""Invariant ReLU networks, balanced and without parallel rows, lie on exactly one page each."""

import itertools
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sympy.combinatorics import CyclicGroup, SymmetricGroup
from torch.testing import assert_close

import gaugelib as gl
from gaugelib.equivariance import deep_sets, equivariant_space, homomorphisms, natural, trivial

GROUP = SymmetricGroup(3)
PAGES = [equivariant_space([natural(GROUP), pi, trivial(GROUP)]) for pi in homomorphisms(GROUP, 3)]
PERMUTED = natural(GROUP).matrices.double()


def f(W, v, x):
    return torch.relu(x @ W.T) @ v


def moves(W, v, matrices=PERMUTED, size=200):
    """How far f changes when the inputs are moved, relative to its size."""
    x = torch.randn(size, W.shape[1], generator=torch.Generator().manual_seed(3)).double()
    here = f(W, v, x)
    apart = torch.stack([f(W, v, x @ g.T) - here for g in matrices])
    return float(apart.abs().max() / here.abs().max())


def on(W, v, pages=PAGES):
    """Which pages hold (W, v)."""
    params = {"0.weight": W, "2.weight": v[None]}
    size = float(W.norm() + v.norm())
    return [k for k, page in enumerate(pages) if float(page.distance(params)) < 1e-9 * size]


def lightest(W, v):
    """The balanced writing of the same function, by the book's own solver."""
    model = torch.nn.Sequential(
        torch.nn.Linear(W.shape[1], len(W), bias=False),
        torch.nn.ReLU(),
        torch.nn.Linear(len(W), 1, bias=False),
    ).double()
    params = {"0.weight": W, "2.weight": v[None]}
    found = gl.minimum_norm(params, gl.mlp_group(model), tol=1e-13).params
    return found["0.weight"], found["2.weight"][0]


def balanced(W, v):
    """By the formula for one hidden layer."""
    scale = (v.abs() / W.norm(dim=1)).sqrt()
    return W * scale[:, None], v / scale


generic = st.integers(1, 30).map(lambda k: k / 7)
signs = st.sampled_from([-1.0, 1.0])


@st.composite
def invariant(draw):
    """A network on a page of the six, its units in any order and at any scale, v ≠ 0."""
    a, b, c = (draw(generic) * draw(signs) for _ in range(3))
    W, v = deep_sets(a, b, c)
    order = list(draw(st.permutations(range(3))))
    scale = torch.tensor([draw(generic) for _ in range(3)], dtype=torch.float64)
    hypotheses = a != b and a + 2 * b != 0  # no rows are parallel; the second is not needed
    return W[order] * scale[:, None], v / scale, hypotheses


@given(net=invariant())
def test_what_is_invariant_and_balanced_lies_on_one_page(net):
    W, v, holds = net
    assert moves(W, v) < 1e-12
    if holds:
        assert len(on(*balanced(W, v))) == 1


@given(net=invariant(), which=st.integers(0, 8), by=st.sampled_from([-0.3, 0.1, 0.5]))
def test_what_is_balanced_and_on_no_page_is_not_invariant(net, which, by):
    W, v, _ = net
    W = W.clone()
    W[which // 3, which % 3] += by * float(W.norm())
    W, v = balanced(W, v)
    assert bool(on(W, v)) == (moves(W, v) < 1e-12)


@given(seed=st.integers(0, 9999), n=st.integers(1, 5), d=st.integers(1, 4))
def test_across_the_hyperplane_of_a_unit_the_gradient_jumps_by_v_w(seed, n, d):
    draw = torch.Generator().manual_seed(seed)
    W, v = torch.randn(n, d, generator=draw).double(), torch.randn(n, generator=draw).double()
    for i in range(n):
        x = torch.randn(d, generator=draw).double()
        x = x - W[i] * (W[i] @ x) / W[i].square().sum()
        others = [k for k in range(n) if k != i]
        if others and float((W[others] @ x).abs().min()) < 1e-3:
            continue  # too near to another hyperplane
        step = 1e-5 * W[i] / W[i].norm()
        slopes = []
        for side in (x - step, x + step):
            leaf = side.clone().requires_grad_()
            slopes += torch.autograd.grad(f(W, v, leaf), leaf)
        assert_close(slopes[1] - slopes[0], v[i] * W[i], rtol=1e-11, atol=1e-12)


def test_the_permutations_make_a_homomorphism_and_their_inverses_do_not():
    """w_iρ(g)^{-1} = w_{τ(i)}: g ↦ τ keeps products, and by w_iρ(g) it turns them around."""
    W, _ = deep_sets(1.0, 0.25)
    W = W[[1, 2, 0]]
    rows = [tuple(row) for row in W.tolist()]
    kept, turned = [], []
    for g in PERMUTED:
        kept.append(tuple(rows.index(tuple(row)) for row in (W @ g.T).tolist()))
        turned.append(tuple(rows.index(tuple(row)) for row in (W @ g).tolist()))
    products = [[tuple(p[i] for i in q) for q in kept] for p in kept]
    table = {tuple(g.flatten().tolist()): k for k, g in enumerate(PERMUTED)}
    number = [[table[tuple((g @ h).flatten().tolist())] for h in PERMUTED] for g in PERMUTED]
    pairs = list(itertools.product(range(6), range(6)))
    assert all(kept[number[g][h]] == products[g][h] for g, h in pairs)
    backwards = [[tuple(p[i] for i in q) for q in turned] for p in turned]
    assert any(turned[number[g][h]] != backwards[g][h] for g, h in pairs)  # the control


# --- hypotheses that are needed ---


def test_control_without_balance_it_may_lie_on_no_page():
    W, v = deep_sets(1.0, 0.25, 2.0)
    W[0], v[0] = W[0] * 4, v[0] / 4
    assert moves(W, v) < 1e-12
    assert on(W, v) == []
    assert len(on(*lightest(W, v))) == 1


def test_control_rows_that_are_negative_multiples_of_moved_rows():
    """𝒢 = {1, -1} on three inputs: with a + 2b = 0 the rows add up to zero, and f(-x) = f(x).

    A page asks that -W has the rows of W in another order.
    """
    sign = torch.stack([torch.eye(3), -torch.eye(3)]).double()
    W, v = balanced(*deep_sets(1.0, -0.5, 1.0))
    assert moves(W, v, sign) < 1e-12
    orders = [list(p) for p in itertools.permutations(range(3))]
    assert min(float((W[p] + W).abs().max()) for p in orders) > 0.1
    other = balanced(*deep_sets(1.0, -0.4, 1.0))
    assert moves(*other, sign) > 1e-2  # a + 2b ≠ 0
    pair = torch.tensor([[1.0, 2.0, 0.5], [-1.0, -2.0, -0.5]]).double()
    assert moves(pair, torch.ones(2).double(), sign) < 1e-12  # on a page: the two exchange


@given(flips=st.lists(st.booleans(), min_size=3, max_size=3), seed=st.integers(0, 99))
def test_turning_rows_around_costs_the_sum_of_their_v_w(flips, seed):
    """σ(-z) = σ(z) - z: so the hypothesis on signs may be that no such sum vanishes."""
    draw = torch.Generator().manual_seed(seed)
    W, v = torch.randn(3, 3, generator=draw).double(), torch.randn(3, generator=draw).double()
    x = torch.randn(20, 3, generator=draw).double()
    turned = torch.tensor([-1.0 if flip else 1.0 for flip in flips]).double()
    lost = ((turned < 0) * v) @ W
    assert_close(f(W * turned[:, None], v, x), f(W, v, x) - x @ lost, rtol=1e-12, atol=1e-12)


def test_control_parallel_rows_lie_on_no_page_or_on_many():
    W, v = balanced(*deep_sets(1.0, 0.25))
    half = torch.tensor([0.5, 0.5, 1.0, 1.0]).double().sqrt()
    W, v = W[[0, 0, 1, 2]] * half[:, None], v[[0, 0, 1, 2]] * half  # unit 0 in two halves
    assert moves(W, v) < 1e-12
    assert_close(W.norm(dim=1), v.abs(), rtol=1e-12, atol=0.0)
    group = natural(GROUP)
    four = [equivariant_space([group, pi, trivial(GROUP)]) for pi in homomorphisms(GROUP, 4)]
    assert on(W, v, four) == []
    assert on(*balanced(*deep_sets(0.5, 0.5))) == list(range(10))  # the spine


def test_control_a_unit_without_a_weight_out_may_have_any_row():
    W, v = balanced(*deep_sets(1.0, 0.25))
    W, v = torch.cat([W, torch.tensor([[1.0, 2.0, 3.0]]).double()]), torch.cat([v, v.new_zeros(1)])
    assert moves(W, v) < 1e-12
    group = natural(GROUP)
    four = [equivariant_space([group, pi, trivial(GROUP)]) for pi in homomorphisms(GROUP, 4)]
    assert on(W, v, four) == []


def test_control_tanh_may_turn_a_unit_around():
    """f = tanh(x_1) + tanh(x_2), one unit with both signs changed: invariant, and on no page."""
    W, v = torch.eye(2).double(), torch.ones(2).double()
    W[0], v[0] = -W[0], -v[0]
    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)).double()
    values = [torch.tanh(y @ W.T) @ v for y in (x, x.flip(1))]
    assert_close(*values, rtol=1e-13, atol=1e-15)
    group = CyclicGroup(2)
    pages = [
        equivariant_space([natural(group), pi, trivial(group)]) for pi in homomorphisms(group, 2)
    ]
    assert on(W, v, pages) == []
    assert moves(W, v, natural(group).matrices.double()) > 1e-2  # relu tells the two apart


@pytest.mark.parametrize("a, b", [(Fraction(1), Fraction(1, 3)), (Fraction(-2), Fraction(1, 2))])
def test_rows_of_a_channel_are_parallel_only_on_the_spine(a, b):
    """For n ≥ 3 inputs; for two also at a = -b."""
    for n in (2, 3, 4):
        for x, y in ((a, b), (b, b), (-b, b)):
            rows = [[x if i == j else y for j in range(n)] for i in range(2)]
            minors = [
                rows[0][j] * rows[1][k] - rows[0][k] * rows[1][j]
                for j, k in itertools.combinations(range(n), 2)
            ]
            parallel = all(m == 0 for m in minors)
            assert parallel == (x == y or (n == 2 and x == -y))
