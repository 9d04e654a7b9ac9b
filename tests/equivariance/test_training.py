"""Runs that stay on a page, rings, and the codings of a Deep Sets layer: stored, and exact."""

import copy

import pytest
import torch
from sympy.combinatorics import CyclicGroup

from gaugelib import GaugeError
from gaugelib.equivariance import barriers, copies, equivariant_space, natural, trivial
from gaugelib.equivariance.training import equivariant_training, training_rows
from tools.rerun_stored import sys  # noqa: F401  (puts the experiments on the path)

import equivariant_codings as codings  # isort: skip
import equivariant_rings as rings  # isort: skip
import equivariant_staying as staying  # isort: skip
import equivariant_training as experiment  # isort: skip


def test_every_row_is_stored_once_in_the_order_of_the_plans():
    stored = equivariant_training()
    for part, plan in experiment.plans().items():
        assert [{name: row[name] for name in plan[0]} for row in stored[part]] == plan


def test_rows_that_were_not_measured_are_refused():
    with pytest.raises(GaugeError, match="no row of 'rings'"):
        training_rows("rings", d=5)


# ---------------------------------------------------------------------------- circular convolutions


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("d", [3, 4, 5, 6, 8, 12])
def test_a_ring_has_no_free_barrier(d, channels):
    group = CyclicGroup(d)
    hidden = copies(natural(group), channels)
    space = equivariant_space([natural(group), hidden, trivial(group)])
    assert space.dimension == channels * (d + 1)
    assert barriers(space) == ()


def test_control_a_ring_of_two_has_one_and_its_sides_are_copies():
    group = CyclicGroup(2)
    (barrier,) = barriers(equivariant_space([natural(group), natural(group), trivial(group)]))
    assert barrier.exchange is not None


def whole_numbers(*shape, seed):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 5, shape, generator=draw).double()


@pytest.mark.parametrize(("d", "kernel"), [(8, 8), (8, 3), (5, 5)])
def test_the_slope_of_a_kernel_is_d_times_the_projected_slope_of_the_matrix(d, kernel):
    # whole numbers: nothing is rounded, and the two are equal bit for bit
    conv = rings.convolution(d, 2, kernel, bias=False)
    with torch.no_grad():
        for seed, w in enumerate(conv.parameters()):
            w.copy_(whole_numbers(*w.shape, seed=seed))
    params = {n: w.detach() for n, w in conv.named_parameters()}
    net = rings.full(d, 2, bias=False)
    net.load_state_dict(rings.unrolled(params, d))
    x = rings.shifts(whole_numbers(4, 1, d, seed=9))
    y = rings.shifts(whole_numbers(4, 1, d, seed=9)).square().sum((1, 2))
    assert torch.equal(conv(x), net(x[:, 0]))
    for model, inputs in ((conv, x), (net, x[:, 0])):
        (model(inputs)[:, 0] - y).square().sum().backward()
    slope = net[0].weight.grad.view(2, d, d)
    before = (kernel - 1) // 2
    for k in range(kernel):
        entries = torch.stack(
            [slope[:, place, (place + k - before) % d] for place in range(d)], dim=1
        )
        assert torch.equal(conv[0].weight.grad[:, 0, k], entries.sum(1))
        # all shifts are there, so the entries that are tied have equal slopes: the mean is each
        assert torch.equal(conv[0].weight.grad[:, 0, k], d * entries[:, 0])
        assert torch.equal(entries, entries[:, :1].expand_as(entries))


def test_control_on_some_shifts_only_the_entries_have_different_slopes():
    conv = rings.convolution(5, 1, 5, bias=False)
    params = {n: w.detach() for n, w in conv.named_parameters()}
    net = rings.full(5, 1, bias=False)
    net.load_state_dict(rings.unrolled(params, 5))
    x = whole_numbers(4, 5, seed=9)
    net(x).square().sum().backward()
    places = torch.arange(5)
    tied = net[0].weight.grad[places, (places + 1) % 5]
    assert tied.max() - tied.min() > 1e-3 * tied.abs().max()


def test_all_shifts_tell_a_convolution_what_the_signals_alone_do():
    conv = rings.convolution(8, 3, 8, bias=True)
    x = torch.randn(20, 1, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(conv(rings.shifts(x)), conv(x).repeat(8, 1))


@pytest.mark.parametrize("bias", [False, True])
def test_a_convolution_is_found_on_its_own_page_and_after_a_permutation_on_another(bias):
    torch_net = rings.convolution(4, 2, 4, bias)
    params = {n: w.detach() for n, w in torch_net.named_parameters()}
    full = rings.unrolled(params, 4)
    distance, cycles, moved = rings.page_of(full, 4, 2)
    assert distance < 1e-12
    assert cycles == [4, 4]
    assert moved == 0
    order = torch.tensor([0, 2, 1, 3, 4, 5, 6, 7])
    turned = {n: w[order] if len(w) == 8 else w[..., order] for n, w in full.items() if n[0] == "0"}
    turned["2.weight"] = full["2.weight"][:, order]
    distance, cycles, moved = rings.page_of(turned, 4, 2)
    assert distance < 1e-12
    assert cycles == [4, 4]
    assert moved == 3  # the cycle 0 1 2 3 has become 0 2 1 3
    noise = {n: torch.randn(w.shape, generator=torch.Generator().manual_seed(1), dtype=w.dtype)
             for n, w in full.items()}  # fmt: skip
    assert rings.page_of(noise, 4, 2)[0] > 0.1


# ---------------------------------------------------------------------------- three codings


def slopes(coding, a=0.7, b=0.7):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(200, 3, generator=draw, dtype=torch.float64)
    y = codings.Entries(-0.5, 1.0)(x).detach()
    net = codings.CODINGS[coding](a, b)
    (net(x) - y).square().mean().div(2).backward()
    return net


def test_the_three_codings_are_one_function():
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    here = [coding(0.3, -0.8)(x) for coding in codings.CODINGS.values()]
    torch.testing.assert_close(here[1], here[0])
    torch.testing.assert_close(here[2], here[0])


def apart(net):
    many = {n: w.detach()[None] for n, w in net.named_parameters()}
    kinds = {kind: name for name, kind in codings.CODINGS.items()}
    return float(codings.apart(kinds[type(net)], many))


def moved_by_a_step(net, rate=1e-6):
    after = copy.deepcopy(net)
    with torch.no_grad():
        for w, old in zip(after.parameters(), net.parameters()):
            w -= rate * old.grad
    return (apart(after) - apart(net)) / rate


def test_on_the_spine_the_codings_move_apart_in_opposite_directions_or_not_at_all():
    entries, delta, projected = (slopes(coding) for coding in codings.CODINGS)
    g = float(entries.a.grad) / 3  # of each diagonal entry, and on the spine of each other, too
    assert float(entries.b.grad) == pytest.approx(6 * g, rel=1e-6)
    assert moved_by_a_step(entries) == pytest.approx(3 * g, rel=1e-4)
    assert moved_by_a_step(delta) == pytest.approx(-3 * g, rel=1e-4)
    assert abs(moved_by_a_step(projected)) < 1e-6 * abs(g)
    assert abs(g) > 0.01


def test_stored_the_projected_coding_never_crosses():
    for row in training_rows("codings", coding="projected"):
        assert row["ever"] == 0
    assert any(row["ever"] for row in training_rows("codings", coding="entries"))


# ---------------------------------------------------------------------------- staying


def test_stored_symmetric_sums_leave_a_distance_of_zero():
    for kind in ("sorted", "fixed"):
        for row in training_rows("sums", inputs=kind, units=kind, examples=kind):
            assert row["largest"] == 0
    assert all(row["largest"] > 0 for row in training_rows("sums", inputs="plain"))


def test_stored_whole_orbits_stay_and_cut_ones_do_not():
    for row in training_rows("staying"):
        furthest = max(max(distances) for distances in row["distance"])
        if row["way"] != "cut":
            assert row["escaped"] == [None]
            assert furthest < {"float64": 1e-11, "float32": 1e-3}[row["dtype"]]
        else:
            assert furthest > 1e-3


def test_stored_who_escapes_lands_on_the_page_of_a_cycle_of_three():
    seen = 0
    for row in training_rows("staying", way="cut"):
        for escaped, page, loss, a, b in zip(
            *(row[n] for n in ("escaped", "page", "loss", "a", "b"))
        ):
            if escaped and loss < 1e-6:
                seen += 1
                assert page in ([1, 2, 0], [2, 0, 1])
                assert (a, b) == pytest.approx((-0.5, 1.0), abs=1e-2)
    assert seen > 20


def test_stored_growth_is_that_of_the_eigenvalue():
    grown = [row for row in training_rows("kicked") if row["measured"] is not None]
    assert len(grown) >= 4
    for row in grown:
        assert row["measured"] == pytest.approx(row["predicted"], rel=0.02)
        assert row["eigenvalues"][0] < -0.06


def test_the_sample_makes_a_bowl_of_a_saddle():
    for row in training_rows("bowl"):
        assert row["eigenvalues"][2] > 0.05
        assert abs(row["eigenvalues"][0]) < 1e-9
    (row,) = training_rows("bowl", draws=200)
    assert row["curvature"][0] > 0 > row["curvature"][-1]


def test_batches_of_whole_orbits_are_whole():
    x, _ = staying.sample()
    rows = [tuple(sorted(row)) for row in x[next(staying.batches("whole", 2))[1]].tolist()]
    assert len(rows) == 120
    assert all(rows.count(row) % 6 == 0 for row in rows)
    cut = [tuple(sorted(row)) for row in x[next(staying.batches("cut", 2))[1]].tolist()]
    assert any(cut.count(row) % 6 for row in cut)


@pytest.mark.parametrize("method", ["sgd", "momentum", "adam"])
def test_stacked_runs_are_what_each_would_be_by_itself(method, monkeypatch):
    monkeypatch.setattr(staying, "STEPS", 3)
    both = staying.staying(method, "full", "float64", 2)
    alone = staying.staying(method, "full", "float64", 1)
    assert both["loss"] == pytest.approx(alone["loss"] * 2, rel=1e-12)
    net = staying.network(torch.float64)
    descent = staying.optimizer(method, list(net.parameters()))
    x, y = staying.sample()
    for _ in range(3):
        descent.zero_grad()
        ((net(x)[:, 0] - y).square().mean() / 2).backward()
        descent.step()
    assert ((net(x)[:, 0] - y).square().mean() / 2).item() == pytest.approx(alone["loss"][0])
