"""Representations by permutations, and all homomorphisms of a small group into permutations."""

import itertools
import sys

import pytest
import torch
from sympy.combinatorics import (
    AbelianGroup,
    AlternatingGroup,
    CyclicGroup,
    DihedralGroup,
    Permutation,
    PermutationGroup,
    SymmetricGroup,
)
from sympy.combinatorics.homomorphisms import homomorphism

from gaugelib import GaugeError
from gaugelib.equivariance import (
    Representation,
    copies,
    homomorphisms,
    natural,
    regular,
    trivial,
)
from tests.equivariance import permuted

GROUPS = {
    "Z2": CyclicGroup(2),
    "Z4": CyclicGroup(4),
    "Z6": CyclicGroup(6),
    "V4": AbelianGroup(2, 2),
    "S3": SymmetricGroup(3),
    "D4": DihedralGroup(4),
    "A4": AlternatingGroup(4),
    "one": SymmetricGroup(1),
}
MAKERS = {
    "natural": natural,
    "trivial": lambda group: trivial(group, 3),
    "regular": regular,
    "copies": lambda group: copies(natural(group), 2),
}


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_the_image_of_a_product_is_the_product_of_the_images(group, make):
    representation = make(group)
    assert len(representation.elements) == group.order()
    assert representation.elements[0].is_Identity
    image = {
        g: Permutation(row)
        for g, row in zip(representation.elements, representation.images.tolist())
    }
    for g, h in itertools.product(image, repeat=2):
        assert image[g * h] == image[g] * image[h]  # sympy's product, sympy's order


def test_sizes_and_where_things_go():
    group = SymmetricGroup(3)
    assert [make(group).size for make in MAKERS.values()] == [3, 3, 6, 6]
    turn = Permutation([1, 2, 0])
    rho = natural(group)
    row = rho.images[rho.elements.index(turn)].tolist()
    assert row == [turn(i) for i in range(3)] == [1, 2, 0]
    twice = copies(rho, 2)
    assert twice.images[rho.elements.index(turn)].tolist() == [1, 2, 0, 4, 5, 3]


def test_matrices_take_each_unit_vector_to_the_image():
    rho = natural(SymmetricGroup(3))
    for row, matrix in zip(rho.images.tolist(), rho.matrices):
        for i, image in enumerate(row):
            assert matrix[:, i].tolist() == [int(k == image) for k in range(3)]


def test_to_act_is_to_multiply_by_the_matrices():
    rho = natural(SymmetricGroup(4))
    x = torch.randn(2, 4, 5, 4, generator=torch.Generator().manual_seed(0))
    P = rho.matrices.to(x)
    torch.testing.assert_close(rho.act(x), torch.einsum("gik,abck->gabci", P, x))
    torch.testing.assert_close(rho.act(x, dim=1), torch.einsum("gik,akbc->gaibc", P, x))
    turn = next(k for k, g in enumerate(rho.elements) if g.order() == 4)
    wrong = torch.einsum("ki,abck->abci", P[turn], x)  # the inverse
    assert not torch.equal(rho.act(x)[turn], wrong)


def exponential_formula(group, most: int) -> list[int]:
    """How many homomorphisms into the permutations of 1, ..., `most` things, by the series."""
    return permuted.series(rows(group), most)


def rows(group) -> list[tuple[int, ...]]:
    return [tuple(g.array_form) for g in group.generate()]


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_as_many_homomorphisms_as_the_exponential_formula_counts(group):
    counted = exponential_formula(group, 5)
    assert [len(homomorphisms(group, n)) for n in range(1, 6)] == counted


def test_ten_and_1036_homomorphisms_of_the_symmetric_group():
    group = SymmetricGroup(3)
    assert exponential_formula(group, 6) == [1, 2, 10, 34, 146, 1036]
    assert len(homomorphisms(group, 6)) == 1036


def test_without_a_subgroup_the_formula_miscounts():
    index = sorted(6 // len(sub) for sub in permuted.subgroups(rows(SymmetricGroup(3))))
    assert index == [1, 2, 3, 3, 3, 6]
    cyclic = exponential_formula(CyclicGroup(6), 6)  # of the same order, with fewer subgroups
    assert cyclic[2] != 10


@pytest.mark.parametrize(
    ("group", "n"), [("S3", 3), ("V4", 3), ("Z4", 4), ("Z6", 3), ("D4", 3), ("one", 3)]
)
def test_they_are_those_that_sympy_accepts(group, n):
    group, target = GROUPS[group], SymmetricGroup(n)
    accepted = set()
    for images in itertools.product(target.generate(), repeat=len(group.generators)):
        try:
            hom = homomorphism(group, target, group.generators, images, check=True)
        except ValueError:
            continue
        elements = natural(group).elements
        accepted.add(tuple(tuple(hom(g).array_form) for g in elements))
    found = homomorphisms(group, n)
    tables = [tuple(map(tuple, pi.images.tolist())) for pi in found]
    assert set(tables) == accepted
    assert len(tables) == len(set(tables))
    assert tables == sorted(tables)
    assert tables[0] == tuple([tuple(range(n))] * len(elements))


@pytest.mark.parametrize("n", [0, 9, -1, True, 2.0, "3"])
def test_homomorphisms_into_too_many_permutations_are_refused(n):
    with pytest.raises(GaugeError, match="n must be a whole number from 1 to 8"):
        homomorphisms(CyclicGroup(2), n)


def test_a_search_that_is_too_long_is_refused(monkeypatch):
    module = sys.modules[homomorphisms.__module__]
    monkeypatch.setattr(module, "MOST_TRIALS", 15)
    with pytest.raises(GaugeError, match=r"group of 6 elements .* 3 things is too long: 16 trials"):
        homomorphisms(SymmetricGroup(3), 3)
    monkeypatch.setattr(module, "MOST_TRIALS", 16)
    assert len(homomorphisms(SymmetricGroup(3), 3)) == 10


def test_batches_change_nothing(monkeypatch):
    module = sys.modules[homomorphisms.__module__]
    group = DihedralGroup(4)
    before = [pi.images.tolist() for pi in homomorphisms(group, 4)]
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    assert [pi.images.tolist() for pi in homomorphisms(group, 4)] == before


def test_a_map_that_is_no_homomorphism_is_refused():
    rho = natural(SymmetricGroup(3))
    swapped = rho.images[[0, 2, 1, 3, 4, 5]]
    assert Representation(rho.elements, rho.images).size == 3
    with pytest.raises(GaugeError, match="the images are no homomorphism"):
        Representation(rho.elements, swapped)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 3, dtype=torch.int64), r"images\[0\] = \[0, 0, 0\] is no permutation"),
        (torch.tensor([[0, 1], [1, 2]]), r"images\[1\] = \[1, 2\] is no permutation"),
        (torch.tensor([[0, 1], [1, -1]]), r"images\[1\] = \[1, -1\] is no permutation"),
        (torch.tensor([[0, 1]]), r"must be int64 of shape \(2, size\)"),
        (torch.tensor([0, 1]), r"must be int64 of shape \(2, size\)"),
        (torch.tensor([[0.0, 1.0], [1.0, 0.0]]), "must be int64"),
        (torch.tensor([[1, 0], [0, 1]]), "no homomorphism"),
        (torch.zeros(2, 0, dtype=torch.int64), "at least one thing to permute"),
    ],
)
def test_images_that_do_not_fit_are_refused(images, message):
    with pytest.raises(GaugeError, match=message):
        Representation(natural(CyclicGroup(2)).elements, images)


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ((Permutation([1, 0]), Permutation([0, 1])), "the identity first"),
        ((Permutation([0, 1]), Permutation([0, 1])), "each once"),
        ((Permutation([0, 1, 2]), Permutation([1, 2, 0])), "not closed"),
        ((Permutation([0, 1]), Permutation([1, 0, 2])), "not closed"),
        ([Permutation([0, 1]), Permutation([1, 0])], "a tuple of Permutations"),
        (((0, 1), (1, 0)), "a tuple of Permutations"),
    ],
)
def test_elements_that_are_no_group_are_refused(elements, message):
    with pytest.raises(GaugeError, match=message):
        Representation(elements, torch.tensor([[0, 1], [1, 0]]))


def test_groups_that_are_not_listed_are_refused():
    with pytest.raises(GaugeError, match="the group has 5040 elements; only up to 1000"):
        natural(SymmetricGroup(7))
    with pytest.raises(GaugeError, match="must be a PermutationGroup of sympy"):
        natural(3)
    with pytest.raises(GaugeError, match="at least one thing to permute"):
        natural(PermutationGroup())
    assert len(natural(SymmetricGroup(6)).elements) == 720


@pytest.mark.parametrize("n", [0, -2, 1.5, True])
def test_numbers_of_things_that_are_none_are_refused(n):
    group = CyclicGroup(2)
    for make in (lambda: trivial(group, n), lambda: copies(natural(group), n)):
        with pytest.raises(GaugeError, match="a positive whole number of things"):
            make()


@pytest.mark.parametrize(("shape", "dim"), [((2,), -1), ((3, 4), 1), ((3,), 1), ((), -1)])
def test_what_it_cannot_act_on_is_refused(shape, dim):
    with pytest.raises(GaugeError, match=f"dimension {dim} must have 3 entries"):
        natural(CyclicGroup(3)).act(torch.zeros(shape), dim)


def test_a_group_given_by_any_generators_has_the_same_elements():
    other = PermutationGroup(Permutation([1, 0, 2]), Permutation([0, 2, 1]))
    assert natural(other).elements == natural(SymmetricGroup(3)).elements
