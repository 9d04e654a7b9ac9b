"""What is stored is whole and says where it comes from; what is read from it is right."""

import importlib.resources
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from gaugelib import GaugeError, minimum_norm, mlp_group, params_of
from gaugelib.data import digits
from gaugelib.experiments import (
    STORED,
    Curves,
    Run,
    best_rate,
    curves_of,
    digits_live,
    gradient_gain,
    panels,
    select,
    settings,
    stored,
    suite,
    text,
    verdict,
)
from gaugelib.experiments.results import alike
from gaugelib.experiments.training import network
from gaugelib.plot import learning_curves

BASE = replace(settings("digits", "sgd", small=True), epochs=1, weight_decay=0.5)


def made(arm: str, seed: int, loss: float, **changes) -> Run:
    """A run whose regularised loss ends at `loss` + 1."""
    one = replace(BASE, arm=arm, seed=seed, **changes)
    return Run(one, Curves([9.0, loss], [4.0, 2.0], [1.0, 0.5], [1.0, 0.5], [0.1, 0.1]), False, {})


SEEDS = {
    "digits": 5,
    "digits-small": 5,
    "digits-rates": 3,
    "digits-large-steps": 5,
    "digits-decay": 5,
}
RUNS = tuple(
    made(arm, seed, loss)
    for arm, losses in (("never", (3.0, 2.0, 4.0)), ("once", (1.0, 2.5, 3.5)))
    for seed, loss in enumerate(losses)
)


@pytest.mark.parametrize("name", STORED)
def test_stored_results_are_those_of_the_suite(name):
    found = Counter(run.settings for run in stored(name))
    wanted = [one for one in suite(name) if one.seed in {run.settings.seed for run in stored(name)}]
    assert found == Counter(wanted)
    assert {one.seed for one in found} == set(range(SEEDS[name]))


@pytest.mark.parametrize("name", STORED)
def test_stored_results_say_what_they_were_run_with(name):
    for run in stored(name):
        said = run.provenance
        assert said["gaugelib"]
        assert said["torch"]
        assert said["device"] in {"cpu", "cuda"}
        assert len(said["commit"]) == 40  # and no "+": nothing was changed since


def test_stored_results_are_small():
    folder = importlib.resources.files("gaugelib.experiments") / "stored"
    sizes = {file.name: len(file.read_bytes()) for file in folder.iterdir()}
    assert sizes.keys() == {f"{name}.json" for name in STORED}
    assert max(sizes.values()) < 250_000


def test_a_stored_run_can_be_run_again():
    wanted = {"depth": 3, "optimisers": ["sgd"], "seeds": 1, "epochs": 2}
    for run in digits_live(**wanted):
        one = {"optimiser": "sgd", "depth": 3, "seed": 0, "arm": run.settings.arm}
        before = curves_of(stored("digits-small"), "loss", **one)[0, :3]
        assert_close(torch.tensor(run.curves.loss).double(), before, rtol=1e-3, atol=0.0)
    # control: another seed is another run
    other = curves_of(stored("digits-small"), "loss", **(one | {"seed": 1}))[0, :3]
    assert ((other - before).abs() > 1e-3 * before).all()


def test_curves_are_ordered_by_seed():
    assert curves_of(RUNS[::-1], arm="once")[:, -1].tolist() == [2.0, 3.5, 4.5]
    assert curves_of(RUNS, "penalty", arm="never").tolist() == [[4.0, 2.0]] * 3


def test_a_diverged_run_is_infinite_from_there():
    short = Run(replace(BASE, seed=7), Curves([9.0], [4.0], [1.0], [1.0], [0.1]), True, {})
    assert curves_of([short]).tolist() == [[11.0, torch.inf]]


def test_unlike_runs_are_not_averaged():
    with pytest.raises(GaugeError, match="differ in their seed alone"):
        curves_of(RUNS)
    with pytest.raises(GaugeError, match="differ in their seed alone"):
        curves_of((*RUNS, made("never", 3, 1.0, lr=0.5)), arm="never")
    with pytest.raises(GaugeError, match="differ in their seed alone"):
        curves_of(RUNS, arm="every")
    with pytest.raises(GaugeError, match="no setting 'gauge'"):
        select(RUNS, gauge="once")
    with pytest.raises(GaugeError, match="quantity must be one of"):
        curves_of(RUNS, "accuracy", arm="never")


def test_the_verdict_compares_seed_with_seed():
    never, once = verdict(RUNS, epochs=[0, 1])
    assert (never.mean, never.wins, never.seeds) == ((11.0, 4.0), (0, 0), 3)
    assert once.wins == (0, 2)  # 1 < 3 and 3.5 < 4, but not 2.5 < 2
    assert_close(once.mean[1], 10 / 3)
    assert "3.3333 (2/3)" in text([once], [0, 1])
    with pytest.raises(GaugeError, match="different seeds"):
        verdict(RUNS[:-1], epochs=[1])
    # the same number of seeds, but not the same
    with pytest.raises(GaugeError, match="different seeds"):
        verdict((*RUNS[:-1], made("once", 5, 1.0)), epochs=[1])


def test_the_best_rate_is_best_in_the_mean():
    runs = [
        made("once", seed, loss, lr=lr)
        for lr, losses in ((0.1, (1.0, 9.0)), (0.2, (4.0, 4.0)), (0.4, (5.0, 6.0)))
        for seed, loss in enumerate(losses)
    ]
    assert best_rate(runs, "loss", arm="once").tolist() == [0.2, 4.0]
    # control: the best single run had another
    assert min(runs, key=lambda run: run.curves.loss[-1]).settings.lr == 0.1


def test_unlike_runs_are_told_apart_by_title():
    found = alike((*RUNS, made("never", 0, 1.0, lr=0.5), made("never", 0, 1.0, init="xavier")))
    assert {title: len(runs) for title, runs in found.items()} == {
        "SGD, η = 0.02, λ = 0.5": 6,
        "SGD, η = 0.5, λ = 0.5": 1,
        "SGD, η = 0.02, λ = 0.5, xavier": 1,
    }


@pytest.mark.parametrize("optimiser", ["sgd", "egd"])
def test_the_gradient_gain_is_that_of_autograd(optimiser):
    one = settings("digits", optimiser, small=True, precision="float64")
    data, model = digits(), network(one, 64, 10)
    squares = []
    balanced = minimum_norm(params_of(model), mlp_group(model), p=one.p, tol=1e-9).params
    for params in (params_of(model), balanced):
        model.load_state_dict(params)
        outputs = model(data.train_inputs).log_softmax(1)
        loss = -outputs.gather(1, data.train_labels[:, None]).mean()
        grads = torch.autograd.grad(loss, [model[0].weight, model[2].weight, model[4].weight])
        squares.append(sum(float(g.pow(2).sum()) for g in grads))
    assert_close(gradient_gain(one), squares[1] / squares[0])
    assert gradient_gain(one) > 1.2


def test_panels_are_drawn():
    figure = learning_curves(panels(RUNS, ("regularised", "train_error", "imbalance")))
    left, middle, _ = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "regularised loss", "training error", "imbalance γ"
    ]  # fmt: skip
    assert left.lines[0].get_ydata().tolist() == [11.0, 4.0]
    assert (left.get_yscale(), middle.get_yscale()) == ("log", "symlog")
    (key,) = figure.legends  # above the panels, where it hides no curve
    labels = [entry.get_text() for entry in key.get_texts()]
    assert labels == ["3 layers", "never fixed", "fixed once"]
    with pytest.raises(GaugeError, match="one optimiser"):
        panels((*RUNS, made("never", 0, 1.0, optimiser="egd", output_bias=0.1)))


def test_what_is_not_stored_is_refused():
    with pytest.raises(GaugeError, match="found 'paper'"):
        stored("paper")
