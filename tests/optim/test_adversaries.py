"""Steps that are not plain: whatever is done to gradients and weights, the promise holds."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from gaugelib import mlp_group
from gaugelib.optim.watch import Passed, _Seen
from tests.optim.problems import balanced, batches, gamma
from tests.optim.test_followed import WIDTHS, start

SGD = torch.optim.SGD

# --- what nobody said ---


def clipping(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.01)
    optimizer.step()


def clipping_hidden(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    for w in model.parameters():
        w.grad.data.clamp_(-1e-3, 1e-3)
    optimizer.step()


def accumulating(model, optimizer, x, y):
    for part in (slice(0, 8), slice(8, 16)):
        functional.cross_entropy(model(x[part]), y[part]).backward()
    optimizer.step()


def kept_gradient(model, optimizer, x, y):
    optimizer.zero_grad(set_to_none=False)
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()


def two_forwards(model, optimizer, x, y):
    (functional.cross_entropy(model(x), y) + model(2 * x).square().mean()).backward()
    optimizer.step()


def regularised(model, optimizer, x, y):
    penalty = sum(0.1 * k * w.pow(4).sum() for k, w in enumerate(model.parameters()))
    (functional.cross_entropy(model(x), y) + penalty).backward()
    optimizer.step()


def used_elsewhere(model, optimizer, x, y):
    extra = functional.linear(model[:2](x), 0.5 * model[2].weight).square().mean()
    (functional.cross_entropy(model(x), y) + extra).backward()
    optimizer.step()


def hooked(model, optimizer, x, y):
    handles = [w.register_hook(lambda g: 5.0 * g) for w in model.parameters()]
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    [handle.remove() for handle in handles]


def hooked_later(model, optimizer, x, y):
    def thin(w):
        w.grad.mul_(w.grad.abs() > 1e-3)

    handles = [w.register_post_accumulate_grad_hook(thin) for w in model.parameters()]
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    [handle.remove() for handle in handles]


def set_by_hand(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    for w in model.parameters():
        sign, w.grad = w.grad.sign(), None
        w.grad = 0.05 * sign
    optimizer.step()


def autocast(model, optimizer, x, y):
    with torch.autocast("cpu", torch.bfloat16):
        loss = functional.cross_entropy(model(x).double(), y)
    loss.backward()
    optimizer.step()


def twice_differentiated(model, optimizer, x, y):
    x = x.clone().requires_grad_()
    loss = functional.cross_entropy(model(x), y)
    (slope,) = torch.autograd.grad(loss, x, create_graph=True)
    (loss + slope.square().sum()).backward()
    optimizer.step()


def edited(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    with torch.no_grad():
        model[2].weight[3] *= 1.3


def edited_before(model, optimizer, x, y):
    with torch.no_grad():
        model[2].weight[3] *= 1.3
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()


def edited_hidden(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    for w in model.parameters():
        w.data.clamp_(-0.2, 0.2)


def replaced_memory(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    model[2].weight.data = model[2].weight.data * torch.linspace(0.5, 2, 90).double()[:, None]


def loaded(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    model.load_state_dict(balanced(WIDTHS, bias=True, seed=5).state_dict())


def stepped_twice(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    optimizer.step()


def rate_changed(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    optimizer.param_groups[0]["lr"] *= 0.9  # as a scheduler does


def fused(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    SGD(model.parameters(), lr=0.3, fused=True).step()
    optimizer.step()


def with_closure(model, optimizer, x, y):
    def closure():
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    optimizer.step(closure)


def looked_at(model, optimizer, x, y):
    with torch.no_grad():
        model(x)
    model(x)  # a forward without a backward
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()


def checkpointed(model, optimizer, x, y):
    out = checkpoint(model, x.clone().requires_grad_(), use_reentrant=False)
    functional.cross_entropy(out, y).backward()
    optimizer.step()


def dropped(model, optimizer, x, y):
    h = functional.dropout(model[:2](x), 0.3)
    functional.cross_entropy(model[2:](h), y).backward()
    optimizer.step()


def on_hidden_units(model, optimizer, x, y):
    h = model[:4](x)
    (functional.cross_entropy(model[4:](h), y) + h.square().mean()).backward()
    optimizer.step()


def in_place(model, optimizer, x, y):
    h = x
    for layer in model:
        h = functional.relu(h, inplace=True) if isinstance(layer, nn.ReLU) else layer(h)
    functional.cross_entropy(h, y).backward()
    optimizer.step()


def batch_reused(model, optimizer, x, y):
    x = x.clone()
    functional.cross_entropy(model(x), y).backward()
    x.mul_(30.0)
    optimizer.step()


def sparse(model, optimizer, x, y):
    functional.cross_entropy(model(x), y).backward()
    model[2].weight.grad = model[2].weight.grad.to_sparse()
    optimizer.step()


FAITHFUL = [looked_at, checkpointed, dropped, on_hidden_units, rate_changed]
"""Here the certificate holds, and the batch tells."""
ODD = [
    clipping, clipping_hidden, accumulating, kept_gradient, two_forwards, regularised,
    used_elsewhere, hooked, hooked_later, set_by_hand, autocast, twice_differentiated, edited,
    edited_before, edited_hidden, replaced_memory, loaded, stepped_twice, fused, with_closure,
    in_place, batch_reused, sparse,
]  # fmt: skip


BREAKS = [
    accumulating, two_forwards, regularised, hooked, set_by_hand, edited, edited_before,
    edited_hidden, stepped_twice, fused,
]  # fmt: skip
"""Those that are far enough from a plain step to break the promise within some steps."""


def run(step, *, steps=12):
    """The largest imbalance after each step, and how often a weight was followed."""
    torch.manual_seed(0)
    model, optimizer, fixing = start(lambda w: SGD(w, lr=0.05))
    group, seen, followed = mlp_group(model), [], 0
    for x, y in batches(model, steps):
        optimizer.zero_grad()
        step(model, optimizer, x, y)
        followed += len(fixing._watch.passed())
        fixing.step()
        seen.append(gamma(model, group))
    return max(seen), followed


@pytest.mark.parametrize("step", [*FAITHFUL, *ODD], ids=lambda f: f.__name__)
def test_the_promise_holds_whatever_is_done_to_the_gradients(step):
    assert run(step)[0] <= 1e-3


@pytest.mark.parametrize("step", FAITHFUL, ids=lambda f: f.__name__)
def test_what_leaves_the_product_alone_is_followed(step):
    assert run(step)[1] >= 40


def believing(monkeypatch):
    """Watch as one would without the certificate: the last product is the gradient."""

    def use(seen, given, bias, slopes, back, made):
        x, z = (t for t, _ in given)
        dot = torch.linalg.vecdot
        z = z if bias is None else z - bias
        seen.told = (
            (dot(x, x, dim=0), dot(slopes, slopes, dim=0)),
            (
                dot(slopes, z, dim=0),
                None if back is None else dot(x, back, dim=0),
            ),
        )
        seen.used = [(x, 0), (slopes, 0)]

    def passed(seen):
        return None if not seen.used else Passed(*(t for t, _ in seen.used), *seen.told, 0.05, 0.0)

    monkeypatch.setattr(_Seen, "use", use)
    monkeypatch.setattr(_Seen, "passed", passed)


@pytest.mark.parametrize("step", BREAKS, ids=lambda f: f.__name__)
def test_control_without_the_certificate_the_promise_breaks(step, monkeypatch):
    believing(monkeypatch)
    assert run(step)[0] > 1e-3
