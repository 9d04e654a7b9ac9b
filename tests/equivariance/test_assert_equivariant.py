"""assert_equivariant: passes what follows a group, and names the elements that a model does not."""

import re

import pytest
import torch
from sympy.combinatorics import CyclicGroup, DihedralGroup, Permutation, SymmetricGroup
from torch import nn

from gaugelib import GaugeError, load_params_
from gaugelib.equivariance import copies, deep_sets, equivariant_space, natural, trivial
from gaugelib.testing import assert_equivariant, assert_gauge_invariant

S3 = SymmetricGroup(3)
X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))


class DeepSets(nn.Module):
    """The channel with a = 1, b = -0.3, and the weights to break it with."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        W, v = deep_sets(1.0, -0.3)
        self.W, self.v = nn.Parameter(W.to(dtype)), nn.Parameter(v.to(dtype))

    def forward(self, x):
        return (x @ self.W.T).relu() @ self.v


class Hidden(DeepSets):
    def forward(self, x):
        return (x @ self.W.T).relu()


def break_(model, entry, by=1e-3):
    with torch.no_grad():
        model.W[entry] += by
    return model


def test_it_returns_the_error_of_each_element():
    errors = assert_equivariant(DeepSets(), S3, X)
    assert set(errors) == set(S3.generate())
    assert errors[S3.identity] == 0.0
    assert max(errors.values()) < 64 * torch.finfo(torch.float64).eps
    errors = assert_equivariant(Hidden(), S3, X, outputs=natural(S3))
    assert len(errors) == 6


def test_the_error_is_the_largest_change_relative_to_the_largest_output():
    model = break_(DeepSets(torch.float64), (0, 1), 0.1)
    x = X.double()
    errors = assert_equivariant(model, S3, x, tol=torch.inf)
    with torch.no_grad():
        base = model(x)
        for g, error in errors.items():
            moved = x[:, [g.array_form.index(k) for k in range(3)]]  # x_i goes to place g(i)
            assert error == pytest.approx(
                float((model(moved) - base).abs().max() / base.abs().max())
            )


def test_it_names_the_elements_that_fail_the_worst_first():
    model = break_(DeepSets(), (0, 0), 0.1)  # the exchange of the two others stays a symmetry
    with pytest.raises(AssertionError) as caught:
        assert_equivariant(model, S3, X)
    message = str(caught.value)
    assert message.startswith("not invariant: 4 of 6 elements of the group fail: (")
    assert "(1 2):" not in message
    assert "the identity" not in message
    named = [float(error) for error in re.findall(r"\): ([\d.e+-]+)", message)]
    assert len(named) == 4
    assert named == sorted(named, reverse=True)
    assert "(0 1):" in message
    assert "tolerance is 1.42e-14" in message


def test_of_many_elements_six_are_named():
    model = nn.Linear(4, 4)
    x = torch.randn(2, 4)
    with pytest.raises(AssertionError, match=r"not equivariant: 23 of 24 .*, and 17 more; the tol"):
        assert_equivariant(model, SymmetricGroup(4), x, outputs=natural(SymmetricGroup(4)))


def test_the_page_of_a_homomorphism_passes_and_a_point_beside_it_fails():
    space = equivariant_space([natural(S3), copies(natural(S3), 2), trivial(S3)], bias=True)
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1)).double()
    with pytest.raises(AssertionError, match="5 of 6 elements"):
        assert_equivariant(model, S3, X)
    params = {name: value.detach().clone() for name, value in model.named_parameters()}
    load_params_(model, space.project(params))
    assert len(assert_equivariant(model, S3, X)) == 6
    load_params_(model, {**space.project(params), "0.bias": params["0.bias"]})
    with pytest.raises(AssertionError, match="not invariant"):
        assert_equivariant(model, S3, X)


@pytest.mark.parametrize("group", [CyclicGroup(5), DihedralGroup(5)], ids=["shifts", "reflections"])
def test_a_circular_convolution_follows_shifts_but_not_reflections(group):
    model = nn.Conv1d(2, 3, 3, padding=1, padding_mode="circular")
    x = torch.randn(4, 2, 5)
    if group.order() == 5:
        assert len(assert_equivariant(model, group, x, outputs=natural(group))) == 5
    else:
        with pytest.raises(AssertionError, match="not equivariant: 5 of 10 elements"):
            assert_equivariant(model, group, x, outputs=natural(group))
    model = nn.Conv1d(2, 3, 3, padding=1)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(model, group, x, outputs=natural(group))


def test_the_dimensions_that_are_permuted_can_be_chosen():
    x = torch.randn(4, 3, 2)  # a batch of sets of three points
    model = nn.Linear(2, 6)
    rho = natural(S3)
    assert len(assert_equivariant(model, S3, x, input_dim=1, output_dim=1, outputs=rho)) == 6
    with pytest.raises(
        GaugeError, match="dimension -1 must have 3 entries, found a tensor of shap"
    ):
        assert_equivariant(model, S3, x, outputs=rho)
    with pytest.raises(AssertionError):
        assert_equivariant(nn.Flatten(), S3, x, input_dim=1, outputs=copies(rho, 2))


def turn(x, g):
    """A quarter turn of an image for each step of the cyclic group."""
    return torch.rot90(x, g(0), (-2, -1))


def test_any_action_can_be_given_as_a_function():
    group = CyclicGroup(4)
    image = torch.randn(2, 1, 6, 6)
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU()).double()
    with torch.no_grad():
        kernel = model[0].weight
        kernel.copy_(sum(torch.rot90(kernel, k, (-2, -1)) for k in range(4)))
    assert len(assert_equivariant(model, group, image, inputs=turn, outputs=turn)) == 4
    pooled = nn.Sequential(model, nn.AdaptiveAvgPool2d(1))
    assert len(assert_equivariant(pooled, group, image, inputs=turn)) == 4
    with pytest.raises(AssertionError, match="not invariant"):
        assert_equivariant(model, group, image, inputs=turn)
    with pytest.raises(AssertionError, match="not equivariant: 3 of 4"):
        assert_equivariant(nn.Conv2d(1, 1, 3), group, image, inputs=turn, outputs=turn)


def test_a_group_that_acts_the_wrong_way_round_is_noticed():
    def back(x, g):
        return natural(S3).act(x)[natural(S3).elements.index(g**-1)]

    assert len(assert_equivariant(Hidden(), S3, X, inputs=back, outputs=back)) == 6
    with pytest.raises(AssertionError, match="not equivariant: 2 of 6"):  # the cycles of three
        assert_equivariant(Hidden(), S3, X, inputs=back, outputs=natural(S3))


class Halved(DeepSets):
    def forward(self, x):
        return super().forward(x).half()


def test_the_tolerance_is_that_of_the_coarsest_rounding():
    model = break_(DeepSets(), (0, 0), 1e-5)
    with pytest.raises(AssertionError):  # in float64, whatever the model's dtype
        assert_equivariant(model, S3, X)
    assert len(assert_equivariant(break_(Halved(), (0, 0), 1e-5), S3, X)) == 6
    with pytest.raises(AssertionError, match=r"tolerance is 3.12e-02"):
        assert_equivariant(break_(Halved(), (0, 0), 0.5), S3, X)
    assert max(assert_equivariant(model, S3, X, tol=1e-3).values()) > 1e-7


class Cut(nn.Module):
    """Gives NaN for some orders of its inputs."""

    def forward(self, x):
        return torch.where(x[:, :1] > x[:, 1:2], x, torch.nan).sum(dim=-1)


def test_an_output_that_is_not_a_number_fails():
    x = torch.tensor([[3.0, 2.0, 1.0]])
    with pytest.raises(AssertionError, match=r"not invariant: 3 of 6 .*: nan"):
        assert_equivariant(Cut(), S3, x)


def test_the_model_and_the_example_are_left_as_they_were():
    model, x = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), X.clone()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(AssertionError):
        assert_equivariant(model, S3, x)
    assert model.training
    assert torch.equal(x, X)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
        assert value.dtype == before[name].dtype


def test_inputs_that_are_whole_numbers_stay_so():
    model = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 2))
    tokens = torch.tensor([[1, 5, 2], [0, 6, 6]])
    rho = natural(S3)
    assert len(assert_equivariant(model, S3, tokens, outputs=rho, output_dim=1)) == 6


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Bool(nn.Module):
    def forward(self, x):
        return x if x[0, 0] > x[0, 1] else x[:, :2]


class Imaginary(nn.Module):
    def forward(self, x):
        return 1j * x


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        (Pair(), {}, "the output must be one tensor, found tuple"),
        (Bool(), {}, r"the output at the input moved by \(.*\) must have shape"),
        (nn.ReLU(), {"outputs": natural(CyclicGroup(3))}, "of the outputs is of another group"),
        (nn.ReLU(), {"inputs": natural(CyclicGroup(3))}, "of the inputs is of another group"),
        (nn.ReLU(), {"outputs": copies(natural(S3), 2)}, "dimension -1 must have 6 entries"),
        (nn.ReLU(), {"input_dim": 0}, "dimension 0 must have 3 entries"),
        (nn.ReLU(), {"inputs": lambda x, g: 3}, "action on the inputs must give a tensor, found"),
        (nn.ReLU(), {"outputs": lambda x, g: None}, "on the outputs must give a tensor, found No"),
        (Imaginary(), {}, "the output must be dense and real, found torch.complex"),
    ],
)
def test_what_cannot_be_tried_is_refused(model, more, message):
    with pytest.raises(GaugeError, match=message):
        assert_equivariant(model, S3, torch.tensor([[3.0, 2.0, 1.0]] * 5), **more)


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ((torch.ones(3),), "the example must be one tensor, found tuple"),
        (torch.ones(0, 3), r"the example has no entries: its shape is \(0, 3\)"),
        (torch.ones(2, 3), "no element of the group moves the example or the output"),
    ],
)
def test_an_example_that_tests_nothing_is_refused(example, message):
    with pytest.raises(GaugeError, match=message):
        assert_equivariant(nn.ReLU(), S3, example)


def test_whole_numbers_alone_are_compared_exactly():
    tokens = torch.tensor([[2, 0, 1]])
    assert set(assert_equivariant(nn.Identity(), S3, tokens, outputs=natural(S3)).values()) == {0.0}
    with pytest.raises(AssertionError, match="not invariant"):
        assert_equivariant(nn.Identity(), S3, tokens)


def test_an_action_that_writes_into_what_it_is_given_changes_nothing():
    example = torch.tensor([[3.0, 2.0, 1.0]])
    assert len(assert_equivariant(nn.Softmax(-1), S3, example, inputs=lambda x, g: x.add_(1))) == 6
    assert example.tolist() == [[3.0, 2.0, 1.0]]


def test_a_group_too_large_to_try_all_of_is_refused():
    with pytest.raises(GaugeError, match="the group has 5040 elements"):
        assert_equivariant(nn.ReLU(), SymmetricGroup(7), torch.zeros(1, 7))


def test_the_other_symmetry_is_another_test():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    assert assert_gauge_invariant(model, X) < 1e-13  # every network has the gauge symmetry
    with pytest.raises(AssertionError):
        assert_equivariant(model, S3, X)


def test_elements_are_named_as_sympy_reads_them():
    with pytest.raises(AssertionError) as caught:
        assert_equivariant(nn.Linear(3, 1), S3, X)
    cycles = re.findall(r"(\([\d ]+\)): ", str(caught.value))
    read = [Permutation([list(map(int, cycle[1:-1].split()))], size=3) for cycle in cycles]
    assert {*read, S3.identity} == set(S3.generate())
