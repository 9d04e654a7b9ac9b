"""The page of a representation: its dimension, basis, projection and metric."""

import itertools
from fractions import Fraction

import pytest
import sympy as sp
import torch
from sympy.combinatorics import AbelianGroup, CyclicGroup, DihedralGroup, SymmetricGroup
from torch.func import grad

from gaugelib import GaugeError
from gaugelib.equivariance import (
    EquivariantSpace,
    copies,
    equivariant_space,
    homomorphisms,
    natural,
    regular,
    trivial,
)
from tests.equivariance.exact import equivariant, projector

S3, Z4, D4, V4 = SymmetricGroup(3), CyclicGroup(4), DihedralGroup(4), AbelianGroup(2, 2)
PAGES = {
    **{f"S3 {k}": [natural(S3), pi, trivial(S3)] for k, pi in enumerate(homomorphisms(S3, 3))},
    "regular": [natural(S3), regular(S3), trivial(S3)],
    "two channels": [natural(S3), copies(natural(S3), 2), trivial(S3)],
    "cyclic": [natural(Z4), natural(Z4), trivial(Z4)],
    "dihedral": [natural(D4), natural(D4), trivial(D4)],
    "two cycles": [natural(V4), regular(V4), natural(V4)],
    "deep": [natural(S3), natural(S3), natural(S3), trivial(S3)],
}
DIMENSIONS = {  # S₃: the trivial one, three of order two, six isomorphisms
    **dict.fromkeys([f"S3 {k}" for k in range(10)], 3),
    "S3 0": 6,
    "S3 1": 4,
    "S3 5": 4,
    "S3 9": 4,
    "regular": 4,
    "two channels": 6,
    "cyclic": 5,
    "dihedral": 4,
    "two cycles": 8,
    "deep": 5,
}


def random_params(space, seed=0, batch=(), dtype=torch.float64):
    draw = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(*batch, *label.shape, generator=draw, dtype=dtype)
        for name, label in space.labels.items()
    }


def flat(params, batch=0):
    return torch.cat([value.flatten(batch) for value in params.values()], dim=-1)


@pytest.mark.parametrize("bias", [False, True], ids=["weights", "biases"])
@pytest.mark.parametrize("name", PAGES)
def test_dimension_and_projector_are_those_of_the_stacked_equations(name, bias):
    space = equivariant_space(PAGES[name], bias=bias)
    places, exact = equivariant(PAGES[name], bias)
    assert space.dimension == exact.shape[1]
    if not bias:
        assert space.dimension == DIMENSIONS[name]
    basis = flat(space.basis(torch.int64), batch=1)
    ours = sp.Matrix(basis.tolist()).T
    assert projector(ours) == projector(exact)
    assert ours.T * ours == sp.diag(*space.multiplicities.tolist())  # an orthogonal basis
    one_hot = torch.eye(len(places), dtype=torch.float64)
    ends = [label.numel() for label in space.labels.values()]
    params = {
        key: part.unflatten(-1, label.shape)
        for (key, label), part in zip(space.labels.items(), one_hot.split(ends, dim=-1))
    }
    expected = torch.tensor(projector(exact).tolist(), dtype=torch.float64)
    torch.testing.assert_close(flat(space.project(params), 1), expected, rtol=0, atol=1e-16)


@pytest.mark.parametrize("name", PAGES)
def test_dimension_is_the_mean_number_of_entries_left_in_place(name):
    steps = PAGES[name]
    count = [[sum(k == i for i, k in enumerate(row)) for row in s.images.tolist()] for s in steps]
    total = sum(a * b for one, two in itertools.pairwise(count) for a, b in zip(one, two))
    dimension = Fraction(total, len(count[0]))  # Burnside
    assert equivariant_space(steps).dimension == dimension == DIMENSIONS[name]


def test_another_homomorphism_has_another_page():
    _, exact = equivariant(PAGES["S3 2"])
    for name in ("S3 0", "S3 3", "S3 9"):
        ours = equivariant_space(PAGES[name]).basis(torch.int64)
        assert projector(sp.Matrix(flat(ours, 1).tolist()).T) != projector(exact)


@pytest.mark.parametrize("name", PAGES)
def test_networks_on_the_page_are_equivariant_and_others_are_not(name):
    steps = PAGES[name]
    space = equivariant_space(steps, bias=True)
    x = torch.randn(5, steps[0].size, generator=torch.Generator().manual_seed(1)).double()

    def outputs(params, x):
        for k in range(len(steps) - 1):
            x = x @ params[f"{2 * k}.weight"].mT + params[f"{2 * k}.bias"]
            x = x if k == len(steps) - 2 else x.relu()
        return x

    params = random_params(space)
    for weights, equal in ((space.project(params), True), (params, False)):
        before = steps[-1].act(outputs(weights, x))
        after = torch.stack([outputs(weights, moved) for moved in steps[0].act(x)])
        assert bool((before - after).abs().max() < 1e-13) is equal


@pytest.mark.parametrize("number", [0.1, 1 / 3, 1e300, -5e-324])
def test_the_mean_of_equal_numbers_is_the_number(number):
    space = equivariant_space(PAGES["two channels"], bias=True)
    place = torch.full((space.dimension,), number, dtype=torch.float64)
    point = space.params(place)
    for name, value in space.project(point).items():
        assert torch.equal(value, point[name])
    assert space.distance(point) == 0.0
    assert torch.equal(space.coordinates(point), place)


def test_a_sum_divided_by_its_count_would_not_be():
    tenths = torch.full((6,), 0.1, dtype=torch.float64)
    total = 0.0
    for tenth in tenths:
        total = total + tenth
    assert total / 6 != 0.1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_to_project_twice_is_to_project_once(dtype):
    space = equivariant_space(PAGES["dihedral"], bias=True)
    once = space.project(random_params(space, dtype=dtype, batch=(7,)))
    twice = space.project(once)
    for name in once:
        assert once[name].dtype == dtype
        assert torch.equal(once[name], twice[name])


def test_the_projection_is_the_nearest_point():
    space = equivariant_space(PAGES["regular"])
    params = random_params(space, batch=(4,))
    near = space.project(params)
    away = flat(params, 1) - flat(near, 1)
    torch.testing.assert_close(space.distance(params), away.norm(dim=-1))
    basis = flat(space.basis(), 1)
    torch.testing.assert_close(away @ basis.T, torch.zeros(4, space.dimension).double())
    for seed in range(1, 9):
        other = space.project(random_params(space, seed, batch=(4,)))
        assert ((flat(params, 1) - flat(other, 1)).norm(dim=-1) > space.distance(params)).all()


def test_each_network_of_a_batch_is_projected_by_itself():
    space = equivariant_space(PAGES["deep"], bias=True)
    params = random_params(space, batch=(2, 3))
    together = space.project(params)
    for i in range(2):
        for j in range(3):
            alone = space.project({name: value[i, j] for name, value in params.items()})
            for name in params:
                assert torch.equal(together[name][i, j], alone[name])
    assert space.distance(params).shape == (2, 3)
    assert space.coordinates(params).shape == (2, 3, space.dimension)


def test_coordinates_and_params_are_inverse():
    space = equivariant_space(PAGES["two cycles"], bias=True)
    draw = torch.Generator().manual_seed(0)
    coordinates = torch.randn(6, space.dimension, generator=draw, dtype=torch.float64)
    assert torch.equal(space.coordinates(space.params(coordinates)), coordinates)


def test_raw_sharing_sums_what_the_inherited_metric_averages():
    space = equivariant_space(PAGES["S3 2"], bias=True)
    weights = random_params(space, 3)

    def loss(params):  # of no symmetry: the statement is about the parametrisation
        return sum((weights[name] * params[name]).sin().sum() for name in params)

    place = torch.linspace(-1, 1, space.dimension, dtype=torch.float64)
    shared = grad(lambda place: loss(space.params(place)))(place)
    full = grad(loss)(space.params(place))
    torch.testing.assert_close(shared, space.multiplicities * space.coordinates(full))
    assert not torch.allclose(shared, space.coordinates(full))
    assert space.multiplicities.tolist() == [3, 6, 3, 3, 1]


def test_gradients_pass_through_the_projection():
    space = equivariant_space(PAGES["cyclic"])
    params = random_params(space)
    half = grad(lambda p: (space.distance(p) ** 2).sum() / 2)(params)
    near = space.project(params)
    for name in params:
        torch.testing.assert_close(half[name], params[name] - near[name])


def test_nothing_that_is_given_is_changed():
    space = equivariant_space(PAGES["S3 2"])
    params = random_params(space)
    before = {name: value.clone() for name, value in params.items()}
    space.project(params), space.distance(params), space.coordinates(params)
    for name in params:
        assert torch.equal(params[name], before[name])


def test_layers_have_the_names_that_they_are_given():
    steps = PAGES["S3 2"]
    assert list(equivariant_space(steps, bias=True).labels) == [
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
    ]
    space = equivariant_space(steps, names=["phi", "rho"])
    assert list(space.labels) == ["phi.weight", "rho.weight"]


@pytest.mark.parametrize("names", [["a"], ["a", "a"], ["a", "b", "c"]])
def test_names_that_do_not_fit_are_refused(names):
    with pytest.raises(GaugeError, match="2 different names of layers are needed"):
        equivariant_space(PAGES["S3 2"], names=names)


def test_representations_that_do_not_fit_are_refused():
    with pytest.raises(GaugeError, match="two representations at least are needed, found 1"):
        equivariant_space([natural(S3)])
    with pytest.raises(GaugeError, match="in a list; found one alone"):
        equivariant_space(natural(S3))
    with pytest.raises(GaugeError, match="representations 0 and 1 are of different groups"):
        equivariant_space([natural(S3), natural(CyclicGroup(3))])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"4.weight": torch.zeros(1)}, "must be 0.weight, 2.weight, found 0.weight, 2.weight, 4"),
        ({"0.weight": torch.zeros(3)}, r"'0.weight' must have shape \(..., 3, 3\), found \(3,\)"),
        ({"0.weight": torch.zeros(3, 4)}, r"'0.weight' must have shape \(..., 3, 3\), found"),
        ({"2.weight": torch.zeros(3)}, r"'2.weight' must have shape \(..., 1, 3\), found \(3,\)"),
        ({"0.weight": torch.zeros(3, 3, dtype=torch.int64)}, "'0.weight' must be of a floating"),
        ({"0.weight": torch.full((3, 3), torch.nan)}, "'0.weight' holds NaN or infinity"),
        ({"2.weight": torch.full((1, 3), torch.inf)}, "'2.weight' holds NaN or infinity"),
        ({"0.weight": torch.zeros(5, 3, 3)}, "the batch dimensions differ"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(change, message):
    space = equivariant_space(PAGES["S3 2"])
    params = {**random_params(space), **change}
    for ask in (space.project, space.distance, space.coordinates):
        with pytest.raises(GaugeError, match=message):
            ask(params)


@pytest.mark.parametrize("shape", [(), (2,), (3, 4)])
def test_coordinates_that_do_not_fit_are_refused(shape):
    with pytest.raises(GaugeError, match=r"coordinates must have shape \(..., 3\)"):
        equivariant_space(PAGES["S3 2"]).params(torch.zeros(shape))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_means_in_half_precision_are_those_of_float64_rounded(dtype):
    group = SymmetricGroup(1)
    many = equivariant_space([trivial(group, 1), trivial(group, 1)])
    labels = {"0.weight": torch.zeros(64, 64, dtype=torch.int64)}
    one = EquivariantSpace(many.representations, labels)
    draw = torch.Generator().manual_seed(0)
    values = (1 + torch.rand(64, 64, generator=draw)).to(dtype)
    values[0, 0] = 0.0  # the sum of differences is that of the numbers
    mean = one.coordinates({"0.weight": values})
    torch.testing.assert_close(mean.double(), values.double().mean()[None], rtol=0.004, atol=0)
    large = torch.tensor([6e4, -6e4] * 2048).reshape(64, 64).half()
    assert one.coordinates({"0.weight": large}) == 0.0


def test_sums_beyond_the_range_are_refused_and_not_infinite():
    space = equivariant_space(PAGES["S3 2"])
    params = {**random_params(space), "2.weight": torch.tensor([[1.0, -1.0, 1.0]]).double()}
    assert space.coordinates(params).isfinite().all()
    params["2.weight"] = 1.7e308 * params["2.weight"]
    with pytest.raises(GaugeError, match=r"sums of the numbers of '2.weight' leave the range of"):
        space.project(params)
