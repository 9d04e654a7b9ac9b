"""A training run is what the paper's equations say, in each arm and with each optimiser."""

import math
from dataclasses import astuple, replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from gaugelib import GaugeError
from gaugelib.data import Dataset
from gaugelib.experiments import Run, Settings, run_all
from gaugelib.experiments.training import Training, network
from tests.experiments.by_hand import blobs, train

SGD = Settings(
    "blobs", (9, 6), "sgd", "never", 3, lr=0.1, weight_decay=0.02, epochs=4, batch=7, tol=1e-9,
    precision="float64",
)  # fmt: skip
EGD = replace(SGD, optimiser="egd", output_bias=0.01)


def run(settings: Settings) -> Run:
    return run_all([settings], load=lambda _: blobs(), device="cpu", progress=False)[0]


def by_hand(settings: Settings, **wrong) -> np.ndarray:
    model = network(settings, 5, 3)
    weights = [w.detach().numpy() for n, w in model.named_parameters() if "weight" in n]
    return train(settings, blobs(), weights, model[-1].bias.detach().numpy(), **wrong)


@pytest.mark.parametrize("arm", ["never", "once", "every"])
@pytest.mark.parametrize("settings", [SGD, EGD], ids=["sgd", "egd"])
def test_curves_are_those_of_the_equations(settings, arm):
    settings = replace(settings, arm=arm)
    found = np.array(astuple(run(settings).curves)[:4]).T
    np.testing.assert_allclose(found, by_hand(settings), rtol=1e-6)


@pytest.mark.parametrize("settings", [SGD, EGD], ids=["sgd", "egd"])
def test_curves_tell_a_wrong_sign_and_a_wrong_arm_apart(settings):
    found = np.array(astuple(run(settings).curves)[:2]).T
    for wrong in (by_hand(settings, decay_sign=-1.0), by_hand(replace(settings, arm="every"))):
        assert np.abs(found - wrong[:, :2]).max() > 1e-3


def test_the_regularised_loss_is_loss_and_penalty():
    found = run(SGD)
    assert_close(found.regularised[4], found.curves.loss[4] + 0.02 * found.curves.penalty[4])


def test_all_arms_begin_at_the_same_function():
    found = [run(replace(EGD, arm=arm)).curves for arm in ("never", "once", "every")]
    for curves in found[1:]:
        assert_close(curves.loss[0], found[0].loss[0])
        assert curves.penalty[0] < found[0].penalty[0]
        assert curves.test_error[0] == found[0].test_error[0]
    # control: another seed is another function
    assert abs(run(replace(EGD, seed=4)).curves.loss[0] - found[0].loss[0]) > 1e-2


def test_the_gauge_is_fixed_when_the_arm_says():
    never, once, every = (
        run(replace(SGD, arm=arm)).curves.imbalance for arm in ("never", "once", "every")
    )
    assert min(never) > 0.2
    assert once[0] < 1e-9 < 1e-3 < once[4] < 0.2
    step = 5 * SGD.lr**2  # what one step of size η may add, with the gradients seen here
    assert max(every) < min(step, once[4])


@pytest.mark.parametrize(("init", "power"), [("he", 2 / 400), ("xavier", 2 / 700)])
def test_first_weights_have_the_variance_of_their_init(init, power):
    model = network(replace(SGD, hidden=(300,), init=init), 400, 3)
    assert_close(float(model[0].weight.detach().var()), power, rtol=0.02, atol=0.0)
    assert model[0].bias is None
    assert model[-1].bias.tolist() == [0.0, 0.0, 0.0]


def test_both_precisions_begin_at_the_same_network():
    double, single = (network(replace(SGD, precision=p), 5, 3) for p in ("float64", "float32"))
    for a, b in zip(double.parameters(), single.parameters(), strict=True):
        assert torch.equal(a.float(), b)


def test_hidden_units_have_no_biases_and_output_biases_do_not_decay():
    still = replace(SGD, weight_decay=0.5, epochs=1)
    one_class = blobs()
    labels = torch.zeros_like(one_class.train_labels)
    data = Dataset(
        "one", 1, one_class.train_inputs, labels, one_class.test_inputs, one_class.test_labels * 0
    )  # with one class the loss is 0 and so is its gradient
    training = Training(replace(still, output_bias=0.25), data, "cpu")
    before = training.model[0].weight.detach().clone()
    training.run_epoch_()
    assert training.model[-1].bias.tolist() == [0.25]
    assert_close(training.model[0].weight.detach(), before * (1 - 0.1 * 0.5) ** 5)


@pytest.mark.parametrize("arm", ["never", "once", "every"])
@pytest.mark.parametrize("settings", [SGD, EGD], ids=["sgd", "egd"])
def test_a_run_that_diverges_ends_and_says_so(settings, arm):
    found = run(replace(settings, arm=arm, lr=1e8))
    assert found.diverged
    assert len(found.curves.loss) < 5
    assert all(math.isfinite(v) for curve in astuple(found.curves) for v in curve)
    assert not run(replace(settings, arm=arm)).diverged


def test_a_state_of_another_run_is_refused():
    training = Training(SGD, blobs(), "cpu")
    with pytest.raises(GaugeError, match="state of another run"):
        Training(EGD, blobs(), "cpu").load_state_(training.state())
