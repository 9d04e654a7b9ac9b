"""Norms that are followed through a step from the batch, against the weights themselves."""

import copy
import gc
import io

import pytest
import torch
from torch import nn

from gaugelib import GaugeError, GaugeFixing, mlp_group
from gaugelib.optim.followed import follow
from gaugelib.optim.totals import Part
from tests.optim.problems import balanced, batches, gamma, train

SGD, Adam = torch.optim.SGD, torch.optim.Adam
WIDTHS = (40, 120, 90, 60, 5)


@pytest.fixture
def reads(monkeypatch):
    """The shapes of the weights that were read, in order."""
    seen, real = [], Part.read

    def read(part, value):
        seen.append(tuple(value.shape))
        return real(part, value)

    monkeypatch.setattr(Part, "read", read)
    return seen


def start(make=lambda w: SGD(w, lr=0.05), *, tol=1e-3, dtype=torch.float64, bias=True):
    model = balanced(WIDTHS, dtype=dtype, bias=bias)
    optimizer = make(model.parameters())
    return model, optimizer, GaugeFixing(model, optimizer, tol=tol)


def squares(model, name):
    weight = dict(model.named_parameters())[name].detach().double()
    return weight.square().sum(1), weight.square().sum(0)


# --- sums ---


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        (lambda w: SGD(w, lr=1e-3), torch.float64),
        (lambda w: SGD(w, lr=0.05, weight_decay=0.1), torch.float64),
        (lambda w: SGD(w, lr=0.05, weight_decay=0.1, maximize=True), torch.float64),
        (lambda w: SGD(w, lr=0.05, foreach=True), torch.float64),
        (lambda w: SGD(w, lr=torch.tensor(0.02)), torch.float64),
        (
            lambda w: SGD([{"params": [v], "lr": 0.01 * (k + 1)} for k, v in enumerate(w)], lr=1.0),
            None,
        ),
        (lambda w: SGD(w, lr=0.05, weight_decay=0.1), torch.float32),
    ],
)
@pytest.mark.parametrize("loose", [0.0, 1.0])
def test_sums_of_squares_after_a_step_are_known_from_the_batch(make, dtype, loose, reads):
    """prop-from-the-batch: exactly with the Gram matrices, and within the bound without."""
    model, optimizer, fixing = start(make, tol=1e9, dtype=dtype or torch.float64)
    fixing.fix_()
    reads.clear()
    train(model, optimizer, batches(model, 1))
    passed = fixing._watch.passed()
    assert sorted(passed) == ["0.weight", "2.weight", "4.weight", "6.weight"]
    parts = fixing._looks.totals.parts
    before = {n: [s.sums.clone() for s in part.sides] for n, part in parts.items()}
    follow(fixing._looks.totals, passed, loose)
    assert not reads
    room = 1e-13 if (dtype or torch.float64) == torch.float64 else 3e-6
    for name, part in parts.items():
        for side, old in zip(part.sides, before[name], strict=True):
            true = squares(model, name)[side.outgoing]
            error = (side.sums - true).abs() / true
            if loose == 0.0:
                assert error.max() < room
            assert ((side.sums - true).abs() <= side.loose + part.rounding * true).all()
            assert ((old - true).abs() / true).max() > 100 * room  # control: they have moved


def test_over_many_steps_the_weights_are_hardly_read(reads):
    model, optimizer, fixing = start(lambda w: SGD(w, lr=1e-3))
    fixing.fix_()
    reads.clear()
    group, seen = mlp_group(model), []

    def after():
        fixing.step()
        seen.append(gamma(model, group))

    train(model, optimizer, batches(model, 60), after)
    assert len(reads) <= 4 * 3
    assert max(seen) <= 1e-3
    assert fixing.checks == 61
    # control: with momentum all of them are, each time
    model, optimizer, fixing = start(lambda w: SGD(w, lr=1e-3, momentum=0.5))
    reads.clear()
    train(model, optimizer, batches(model, 5), fixing.step)
    assert len(reads) == 20


def test_beside_large_steps_only_lines_that_are_out_are_written(reads):
    model, optimizer, fixing = start(lambda w: SGD(w, lr=0.05), dtype=torch.float32)
    fixing.fix_()
    reads.clear()
    group, seen = mlp_group(model), []

    def after():
        before = [w.detach().clone() for w in model.parameters()]
        if fixing.step():
            changed = [(w != b).any(1) for w, b in zip(model.parameters(), before) if w.dim() > 1]
            seen.append(sum(int(rows.sum()) for rows in changed[:1]))
        assert gamma(model, group) <= 1e-3

    train(model, optimizer, batches(model, 60), after)
    assert len(seen) > 5
    assert min(seen) < 20 < 120


# --- the model ---


def test_the_model_computes_the_same_and_its_copies_know_of_nothing():
    plain = balanced(WIDTHS, bias=True)
    model = copy.deepcopy(plain)
    optimizer = SGD(model.parameters(), lr=0.05)
    fixing = GaugeFixing(model, optimizer)
    x = batches(model, 1)[0][0]
    assert torch.equal(model(x), plain(x))
    stored = io.BytesIO()
    torch.save(model, stored)
    stored.seek(0)
    copies = copy.deepcopy(model), torch.load(stored, weights_only=False)
    for other in copies:
        assert not any(layer._forward_hooks for layer in other)
        assert torch.equal(other(x), plain(x))
    assert any(layer._forward_hooks for layer in model)  # control
    assert mlp_group(model).units == mlp_group(plain).units
    del fixing
    gc.collect()
    assert not any(layer._forward_hooks for layer in model)
    assert not optimizer._optimizer_step_pre_hooks
    assert not any(w._post_accumulate_grad_hooks for w in model.parameters())


def test_a_strangers_hook_is_not_followed_and_mlp_group_still_refuses_it():
    model = balanced(WIDTHS, bias=True)
    handle = model[2].register_forward_hook(lambda layer, given, out: None)
    with pytest.raises(GaugeError, match="forward hooks, which can do anything"):
        mlp_group(model)
    handle.remove()
    group = mlp_group(model)
    model[2].register_forward_hook(lambda layer, given, out: 0.5 * out)
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.05), group)
    train(model, fixing.optimizer, batches(model, 2), fixing.step)
    assert "2.weight" not in fixing._watch.passed()
    assert gamma(model, group) <= 1e-3


def test_tokens_count_as_a_batch_and_a_few_layers_may_be_followed(reads):
    model = nn.Sequential(nn.Linear(40, 120), nn.ReLU(), nn.Linear(120, 90), nn.ReLU())
    model = model.append(nn.Linear(90, 5)).double()
    optimizer = SGD(model.parameters(), lr=1e-3)
    fixing, group = GaugeFixing(model, optimizer), mlp_group(model)
    x = torch.randn(4, 3, 40, generator=torch.Generator().manual_seed(0)).double()
    for _ in range(5):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
        reads.clear()
        fixing.step()
        assert gamma(model, group) <= 1e-3
    assert not reads
