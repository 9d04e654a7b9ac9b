"""Copies of the weights while the gauge is fixed: averages, checkpoints, and other parameters."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.testing import assert_close

from gaugelib import GaugeError, GaugeFixing, minimum_norm_, mlp_group, params_of
from tests.optim.problems import batches, gamma, network, train, uneven

SGD = torch.optim.SGD
AVERAGES = {
    "mean": AveragedModel,
    "exponential": lambda m: AveragedModel(m, multi_avg_fn=get_ema_multi_avg_fn(0.5)),
}


def output_of(model, x):
    with torch.no_grad():
        return model(x)


def distance(one, two):
    return float((one - two).abs().max() / two.abs().max())


def averaged(make, *, lr, fixed_first, steps=1):
    """A run whose weights are averaged from the start on, and every point that it passed."""
    model = uneven(network(bias=True))
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    fixing = GaugeFixing(model, optimizer)
    if fixed_first:
        fixing.fix_()  # the recipe: the first jump comes before the first copy
    average = make(model)
    average.update_parameters(model)
    points = [copy.deepcopy(model)]

    def after():
        fixing.step()
        average.update_parameters(model)
        points.append(copy.deepcopy(model))

    train(model, optimizer, batches(model, steps), after)
    assert fixing.rescalings > 0
    return model, average, points


# --- averages of weights ---


@pytest.mark.parametrize("make", AVERAGES.values(), ids=list(AVERAGES))
def test_an_average_begun_after_the_first_jump_is_the_function_that_stands_still(make):
    """Nothing is learned here, so every average is to compute what the model does."""
    model, average, _ = averaged(make, lr=0.0, fixed_first=True)
    x = batches(model, 1)[0][0]
    assert distance(output_of(average, x), output_of(model, x)) < 1e-13
    # control: begun before the first jump, it averages two gauges, which is another function
    model, average, _ = averaged(make, lr=0.0, fixed_first=False)
    assert distance(output_of(average, x), output_of(model, x)) > 0.15


def test_an_average_begun_after_the_first_jump_is_one_in_a_single_gauge():
    def in_one_gauge(points, x):
        """The oracle: every point in its minimum-norm gauge, then the mean."""
        for point in points:
            minimum_norm_(point, tol=1e-10)
        each = [params_of(point) for point in points]
        mean = {name: torch.stack([p[name] for p in each]).mean(0) for name in each[0]}
        return functional_call(points[0], mean, (x,)).detach()

    model, average, points = averaged(AveragedModel, lr=0.05, fixed_first=True, steps=12)
    x = batches(model, 1)[0][0]
    assert distance(output_of(average, x), in_one_gauge(points, x)) < 1e-3
    # control
    _, average, points = averaged(AveragedModel, lr=0.05, fixed_first=False, steps=1)
    assert distance(output_of(average, x), in_one_gauge(points, x)) > 0.15


def test_copies_made_in_any_gauge_are_averaged_after_both_are_brought_to_one():
    early = uneven(network(bias=True))
    late = copy.deepcopy(early)
    GaugeFixing(late, SGD(late.parameters(), lr=0.1)).fix_()  # the same function, elsewhere
    x = batches(early, 1)[0][0]
    expected, naive = output_of(early, x), AveragedModel(early)
    for model in (early, late):
        naive.update_parameters(model)
    assert distance(output_of(naive, x), expected) > 0.15  # control
    right = AveragedModel(early)
    for model in (early, late):
        minimum_norm_(model, tol=1e-10)
        right.update_parameters(model)
    assert distance(output_of(right, x), expected) < 1e-9


def test_a_checkpoint_goes_back_whole_with_the_optimizers_memory():
    """Weights and momentum belong to one gauge: both are restored, or neither."""

    def run(restore_memory):
        model = uneven(network(bias=True))
        optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
        data = batches(model, 5)
        train(model, optimizer, data[:2])
        kept = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
        once = copy.deepcopy(model)
        again = SGD(once.parameters(), lr=0.05, momentum=0.9)
        again.load_state_dict(copy.deepcopy(kept[1]))  # else it writes to what is kept
        train(once, again, data[3:])
        GaugeFixing(model, optimizer).fix_()  # a jump after the checkpoint
        model.load_state_dict(kept[0])
        if restore_memory:
            optimizer.load_state_dict(kept[1])
        train(model, optimizer, data[3:])
        x = data[0][0]
        return distance(output_of(model, x), output_of(once, x))

    assert run(restore_memory=True) == 0.0
    assert run(restore_memory=False) > 1e-2  # control


# --- other parameters than before ---


def assigned(model, optimizer):
    model.load_state_dict(uneven(network(bias=True), seed=3).state_dict(), assign=True)


def one_assigned(model, optimizer):
    model[4].weight = nn.Parameter(2.0 * model[4].weight.detach())


def layer_added(model, optimizer):
    model.append(nn.Linear(5, 5, dtype=torch.float64))


def bias_removed(model, optimizer):
    model[6].bias = None


def tied(model, optimizer):
    model[0].bias = nn.Parameter(torch.ones(30).double())


def narrowed(model, optimizer):
    model.float()


def optimizer_emptied(model, optimizer):
    optimizer.param_groups.clear()
    optimizer.add_param_group({"params": list(network().parameters())})


OTHER = {
    assigned: r"parameter '0\.weight' .*load_state_dict\(assign=True\).*the GaugeFixing anew",
    one_assigned: r"parameter '4\.weight' .* not the one .*replaced",
    layer_added: r"parameter '7\.weight' .* not the one",
    bias_removed: r"parameter '6\.bias' .* not the one",
    tied: r"parameter '0\.bias' .* not the one",
    narrowed: r"was torch\.float64 on cpu when .* is torch\.float32 on cpu now; make .* anew",
    optimizer_emptied: r"the optimizer holds none of the model's parameters; make it from",
}


@pytest.mark.parametrize("change", OTHER, ids=lambda f: f.__name__)
def test_parameters_that_were_replaced_after_the_start_are_refused_by_name(change):
    model = uneven(network(bias=True))
    optimizer = SGD(model.parameters(), lr=0.1)
    fixing = GaugeFixing(model, optimizer)
    assert fixing.step()
    change(model, optimizer)
    before = params_of(model)
    with pytest.raises(GaugeError, match=OTHER[change]):
        fixing.step()
    assert_close(params_of(model), before, rtol=0, atol=0)


def test_after_the_advice_the_gauge_is_fixed_again():
    model = uneven(network(bias=True))
    optimizer = SGD(model.parameters(), lr=0.1)
    fixing = GaugeFixing(model, optimizer)
    held = dict(model.named_parameters())
    assigned(model, optimizer)
    group = mlp_group(model)
    assert gamma(model, group) > 0.5  # control: what was held is not what computes
    assert not any(held[name] is value for name, value in model.named_parameters())
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1))
    assert fixing.step()
    assert gamma(model, group) <= 1e-3
    # loading without assign needs no advice
    model.load_state_dict(uneven(network(bias=True), seed=4).state_dict())
    assert gamma(model, group) > 0.5
    assert fixing.step()
    assert gamma(model, group) <= 1e-3


def test_a_model_that_moves_and_comes_back_is_fine():
    model = uneven(network(bias=True, dtype=torch.float32))
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1))
    model.double().float()
    assert fixing.step()
