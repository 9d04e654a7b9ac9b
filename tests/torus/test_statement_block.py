"""The dials of a transformer: counted, traced, and as a null space at three parameter points."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev
from torch.nn import functional

from gaugelib import trace_group
from gaugelib.networks import small_transformer

WIDTH, KEYS, INNER = 8, 4, 6
pytestmark = pytest.mark.xdist_group("torus-block")


def dials(blocks, rotary=True, relu=False):
    keys = KEYS // 2 if rotary else KEYS
    return (2 * blocks + 1) * WIDTH + blocks * (keys + KEYS + INNER * (1 + relu))


def unturned(model, monkeypatch):
    """The same transformer without rotary positions."""
    monkeypatch.setattr("gaugelib.networks._rotated", lambda x: x)
    return model


def sensitivities(model, seed):
    draw = torch.Generator().manual_seed(seed)
    theta = {
        n: torch.randn(w.shape, generator=draw).double() / 2 for n, w in model.named_parameters()
    }
    words = torch.randint(11, (60, 5), generator=draw)
    last = jacrev(lambda t: functional_call(model, t, (words,))[:, -1])(theta)
    return torch.cat([(last[n] * w).flatten(2) for n, w in theta.items()], 2).flatten(0, 1)


def null_space(model, points=3):
    rows = torch.cat([sensitivities(model, seed) for seed in range(points)])
    values = torch.linalg.svdvals(rows)
    return rows.shape[1] - int((values > 1e-11 * values[0]).sum())


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("act", [functional.silu, functional.relu])
@pytest.mark.parametrize("rotary", [True, False])
def test_a_transformer_has_as_many_dials_as_the_formula_says(blocks, act, rotary, monkeypatch):
    model = small_transformer(act, blocks=blocks)
    if not rotary:
        model = unturned(model, monkeypatch)
    group = trace_group(model, torch.zeros(2, 4).long())
    assert group.units == dials(blocks, rotary, act is functional.relu)


@pytest.mark.parametrize("act", [functional.silu, functional.relu])
def test_no_other_diagonal_rescaling_leaves_its_outputs_alone(act):
    assert null_space(small_transformer(act)) == dials(1, relu=act is functional.relu)


def test_no_other_without_rotary_positions(monkeypatch):
    model = unturned(small_transformer(functional.silu), monkeypatch)
    assert null_space(model) == dials(1, rotary=False)


def test_control_without_epsilon_there_is_one_more():
    model = small_transformer(functional.silu, eps=0.0)
    assert trace_group(model, torch.zeros(2, 4).long()).units == dials(1) + 1
    assert null_space(model, points=2) == dials(1) + 1


def test_control_one_parameter_point_alone_can_show_more():
    turns_of_the_stream, mixed_values, turned_pairs = 8 * 7 // 2, 4 * 4 - 4, 2
    more = turns_of_the_stream + mixed_values + turned_pairs
    assert null_space(small_transformer(functional.silu), points=1) == dials(1) + more


class OnTheStream(nn.Module):
    """In the manner of BERT: each layer norm stands on the stream, and the keys have biases."""

    def __init__(self, eps):
        super().__init__()
        self.words, self.places = nn.Embedding(9, 8), nn.Parameter(torch.randn(5, 8))
        self.norms = nn.ModuleList(nn.LayerNorm(8, eps=eps) for _ in range(3))
        self.q, self.k, self.v, self.o = (nn.Linear(8, 8) for _ in range(4))
        self.up, self.down = nn.Linear(8, 5), nn.Linear(5, 8)

    def forward(self, words):
        x = self.norms[0](self.words(words) + self.places)
        q, k, v = (p(x).unflatten(-1, (2, 4)).transpose(1, 2) for p in (self.q, self.k, self.v))
        mean = (q @ k.mT).softmax(-1) @ v
        x = self.norms[1](x + self.o(mean.transpose(1, 2).flatten(2)))
        return self.norms[2](x + self.down(functional.gelu(self.up(x))))


def wide_null_space(model):
    rows = []
    for seed in range(3):
        draw = torch.Generator().manual_seed(seed)
        theta = {
            n: torch.randn(w.shape, generator=draw).double() / 2
            for n, w in model.named_parameters()
        }
        words = torch.randint(9, (40, 5), generator=draw)
        last = jacrev(lambda t, w=words: functional_call(model, t, (w,))[:, -1])(theta)
        rows.append(torch.cat([(last[n] * w).flatten(2) for n, w in theta.items()], 2))
    values = torch.linalg.svdvals(torch.cat(rows).flatten(0, 1))
    return sum(w.numel() for w in model.parameters()) - int((values > 1e-9 * values[0]).sum())


@pytest.mark.parametrize(("eps", "extra"), [(1e-2, 0), (1e-12, 3), (0.0, 3)])
def test_each_norm_on_the_stream_has_one_more_if_its_epsilon_is_nothing(eps, extra):
    keys, values, key_biases = 8, 8, 8  # a bias of the keys does nothing at all
    model = OnTheStream(eps).double()
    assert wide_null_space(model) == keys + values + key_biases + extra
    traced = trace_group(model, torch.zeros(2, 5).long()).units
    assert traced == keys + values + (extra if eps == 0.0 else 0)
