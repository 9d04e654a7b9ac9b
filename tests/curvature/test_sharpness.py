"""The largest eigenvalue of the Hessian, against numpy's of the dense one and closed forms."""

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import eigsh
from torch.testing import assert_close

from gaugelib import GaugeError, hessian, params_of, sharpness
from gaugelib.curvature import HessianProduct, eigensolver
from tests.flow.problems import problem
from tests.tracing.zoo import build, loss_of


def quadratic(values, seed=0):
    """A loss whose Hessian has these eigenvalues, in a basis drawn at random; its parameters."""
    draw = torch.Generator().manual_seed(seed)
    values = torch.as_tensor(values, dtype=torch.float64)
    basis, _ = torch.linalg.qr(torch.randn(len(values), len(values), generator=draw).double())
    matrix = basis @ (values[:, None] * basis.T)
    return lambda p: p["w"] @ matrix @ p["w"] / 2, {"w": torch.ones_like(values)}


def spectrum(loss, params):
    return np.linalg.eigvalsh(hessian(loss, params).numpy())


def power_iteration(loss, params, steps=2000):
    """The eigenvalue of largest size."""
    product = HessianProduct(loss, params)
    vector = torch.ones(product.size, dtype=torch.float64)
    for _ in range(steps):
        vector = product.of_vector(vector / vector.norm())
    return float(vector @ product.of_vector(vector) / (vector @ vector))


@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet", "tied autoencoder", "channel shuffle"])
def test_sharpness_is_the_largest_eigenvalue_of_the_dense_hessian(name):
    model, example = build(name)
    loss, params = loss_of(model, example), params_of(model)
    values = spectrum(loss, params)
    assert float(sharpness(loss, params)) == pytest.approx(values[-1], rel=1e-9)
    lowest = -float(sharpness(lambda p: -loss(p), params))
    assert lowest == pytest.approx(values[0], abs=1e-6 * values[-1])
    assert values[-2] < 0.999 * values[-1]  # control: it is not the next one


@pytest.mark.parametrize("size", [1, 2, 3, 9, 10, 11, 12, 60])
def test_matrices_of_every_size_have_their_largest_eigenvalue(size):
    loss, params = quadratic(torch.linspace(-3, 2, size) if size > 1 else [2.0])
    found = sharpness(loss, params)
    assert found.shape == ()
    assert_close(found, torch.tensor(2.0).double(), rtol=1e-9, atol=0)


def test_it_is_the_largest_as_a_number_and_not_in_size():
    loss, params = quadratic([-5.0, *torch.linspace(-1, 2, 30).tolist()])
    assert float(sharpness(loss, params)) == pytest.approx(2.0, rel=1e-9)
    assert power_iteration(loss, params) == pytest.approx(-5.0, rel=1e-9)  # control


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 20,
        [3.0] * 20,
        [-3.0] * 20,
        [0.0] * 19 + [3.0],
        [0.0] * 19 + [-3.0],
        [0.0] + [-3.0] * 19,
        [-7.0] + [-2.0] * 19,
        [*range(-12, 0)],
    ],
)
@pytest.mark.parametrize("unit", [1.0, 1e-30, 1e25, 1e-250, 1e250])
def test_flat_and_bent_down_losses_of_any_size_are_measured(values, unit):
    loss, params = quadratic(unit * torch.tensor(values, dtype=torch.float64))
    largest = max(abs(value) for value in values) * unit
    assert float(sharpness(loss, params)) == pytest.approx(max(values) * unit, abs=1e-6 * largest)


def test_control_arpack_alone_accepts_anything_of_a_small_matrix():
    values = torch.cat([torch.linspace(0, 1, 200).double(), torch.tensor([1.002]).double()])
    loss, params = quadratic(1e-20 * values)
    matrix = hessian(loss, params).numpy()
    start = np.random.default_rng(0).normal(size=len(values))
    alone = eigsh(matrix, 1, which="LA", tol=1e-6, v0=start, return_eigenvectors=False)
    assert abs(float(alone[0]) / 1.002e-20 - 1) > 1e-5
    assert float(sharpness(loss, params)) == pytest.approx(1.002e-20, rel=1e-9)


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-6, 1e-10])
@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5])
def test_the_error_is_within_the_tolerance(tol, gap):
    loss, params = quadratic([*torch.linspace(-4, 1, 98).tolist(), 2.0 - gap, 2.0])
    assert float(sharpness(loss, params, tol=tol)) == pytest.approx(2.0, abs=tol * 4)


def test_control_a_loose_tolerance_is_not_a_tight_one():
    loss, params = quadratic(torch.linspace(0, 2, 300))
    errors = [abs(float(sharpness(loss, params, tol=tol)) - 2.0) for tol in (1e-1, 1e-8)]
    assert errors[0] > 1e-5 > 1e-12 > errors[1]


def test_the_same_is_found_each_time_and_nothing_is_drawn():
    model, example = build("resnet")
    loss, params = loss_of(model, example), params_of(model)
    first = sharpness(loss, params)
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002
    before = torch.get_rng_state()
    assert torch.equal(sharpness(loss, params), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_low_rank_is_the_same_each_time_though_the_krylov_space_ends():
    loss, params = quadratic([0.0] * 40 + [1.0, 2.0])
    assert len({float(sharpness(loss, params)) for _ in range(3)}) == 1


def test_an_eigenvector_that_breaks_the_symmetry_of_the_point_is_not_missed():
    """Twelve equal numbers: the gradient, and all that the Hessian makes of it, are constant."""
    params = {"w": torch.ones(12, dtype=torch.float64)}

    def loss(p):
        return p["w"].sum() + p["w"].mean() ** 2 * 6 + 3 * (p["w"] - p["w"].mean()).square().sum()

    assert float(sharpness(loss, params)) == pytest.approx(6.0, rel=1e-12)
    assert power_iteration(loss, params) == pytest.approx(1.0)  # control: it starts constant


def test_a_search_that_is_too_long_says_what_to_do():
    loss, params = quadratic(torch.linspace(0, 1, 300))
    with pytest.raises(GaugeError, match=r"error of 1e-06 after 15 products.*most=.*tol="):
        sharpness(loss, params, most=15)
    assert float(sharpness(loss, params, most=500)) == pytest.approx(1.0)  # the advice holds
    small, few = quadratic([1.0, 2.0, 3.0])
    with pytest.raises(GaugeError, match="after 2 products"):
        sharpness(small, few, most=2)


def test_arpack_s_own_failure_is_told(monkeypatch):
    def fails(*args, **options):
        raise eigensolver.ArpackError(3)

    monkeypatch.setattr(eigensolver, "eigsh", fails)
    with pytest.raises(GaugeError, match=r"ARPACK error 3.*tol="):
        sharpness(*quadratic(torch.linspace(0, 1, 30)))


@pytest.mark.parametrize("error", [KeyboardInterrupt, GaugeError])
def test_it_can_be_stopped_and_started_again(monkeypatch, error):
    loss, params = quadratic(torch.linspace(0, 1, 50))
    whole, calls = HessianProduct.of_vector, []

    def interrupted(self, vector):
        calls.append(1)
        if len(calls) == 5:
            raise error
        return whole(self, vector)

    monkeypatch.setattr(HessianProduct, "of_vector", interrupted)
    with pytest.raises(error):
        sharpness(loss, params)
    assert float(sharpness(loss, params)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tol": 0.0}, "tol must be a finite number > 0"),
        ({"tol": float("nan")}, "tol must be"),
        ({"tol": 1e-16}, "at least 8.9e-16 for parameters of torch.float64"),
        ({"most": 0}, "most must be a whole number >= 1, found 0"),
        ({"most": 1.5}, "most must be"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(GaugeError, match=message):
        sharpness(*quadratic([1.0, 2.0]), **options)


def test_an_infinite_curvature_is_refused():
    params = {"w": torch.arange(20).double()}
    with pytest.raises(GaugeError, match="holds NaN or infinity at 'w'"):
        sharpness(lambda p: p["w"].pow(1.5).sum(), params)


@pytest.mark.parametrize(
    ("dtype", "tol", "digits"), [(torch.float32, 1e-6, 1e-5), (torch.bfloat16, 0.1, 0.05)]
)
def test_narrow_parameters_have_their_digits(dtype, tol, digits):
    given = problem(5, 8, 6, 2, seed=2)
    wide = {name: value.to(dtype).double() for name, value in given.params.items()}
    expected = spectrum(given.loss, wide)[-1]
    narrow = {name: value.to(dtype) for name, value in wide.items()}
    loss = lambda p: given.loss({n: v.double() for n, v in p.items()})  # noqa: E731
    found = sharpness(loss, narrow, tol=tol)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(expected, rel=digits)
    with pytest.raises(GaugeError, match=f"for parameters of {dtype}.*float64"):
        sharpness(loss, narrow, tol=1e-7)


def test_progress_is_shown_where_it_is_asked_for(capsys):
    loss, params = quadratic(torch.linspace(0, 1, 20))
    sharpness(loss, params)
    assert capsys.readouterr().err == ""
    sharpness(loss, params, progress=True)
    assert "sharpness: " in capsys.readouterr().err


@pytest.mark.parametrize("size", [3, 20])
def test_the_default_device_does_not_matter(size):
    loss, params = quadratic(torch.linspace(-1, 2, size))
    with torch.device("meta"):  # on which nothing can be computed
        found = sharpness(loss, params)
    assert found == sharpness(loss, params)


@pytest.mark.cuda
def test_the_same_is_found_on_another_device():
    given = problem(5, 8, 6, 2)
    there = {name: value.cuda() for name, value in given.params.items()}
    found = sharpness(lambda p: given.loss({n: v.cpu() for n, v in p.items()}), there)
    assert found.device.type == "cuda"
    assert_close(found.cpu(), sharpness(given.loss, given.params), rtol=1e-9, atol=0)
