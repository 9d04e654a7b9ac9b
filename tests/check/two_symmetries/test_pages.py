"""Checkers of homomorphisms and of their pages: answers, and what they are of."""

import itertools
import math

import pytest
import torch

from gaugelib import check
from gaugelib.check.two_symmetries.pages import (
    _OTHERS,
    _SYMMETRIC,
    _cyclic,
    _homomorphisms,
    _of_type,
)


def spelt(word, images, n):
    """Where the product of a word's letters sends 0, 1, …"""
    places = range(n)
    for letter in word:
        places = [images[letter][place] for place in places]
    return tuple(places)


def homomorphisms(generators, words, n):
    """The images of the generators, one tuple for each homomorphism."""
    still = tuple(range(n))
    all_images = itertools.product(itertools.permutations(range(n)), repeat=generators)
    return [im for im in all_images if all(spelt(word, im, n) == still for word in words)]


def homomorphism_count(generators, words, n):
    return len(homomorphisms(generators, words, n))


def of_each_generator(generators, words, n):
    return homomorphism_count(generators, [w for w in words if len(set(w)) == 1], n)


def up_to_numbering(generators, words, n):
    def renamed(images, p):
        return tuple(tuple(p[im[p.index(i)]] for i in range(n)) for im in images)

    found = homomorphisms(generators, words, n)
    return len({min(renamed(im, p) for p in itertools.permutations(range(n))) for im in found})


def isomorphisms(generators, words, n):
    """Those onto six elements, as from S₃ onto S₃."""
    return sum(len(set(im)) == 2 and spelt([1], im, n) != tuple(range(n))
               for im in homomorphisms(generators, words, n))  # fmt: skip


def moved(w, v, inputs, units):
    w, v, back, home = w.clone(), v.clone(), torch.tensor(inputs), torch.tensor(units)
    return w[home.argsort()][:, back.argsort()], v[home.argsort()]


def powers(count, w, v, inputs, units):
    turned = [(w, v)]
    for _ in range(count(inputs, units) - 1):
        turned.append(moved(*turned[-1], inputs, units))
    return [torch.stack(parts) for parts in zip(*turned)]


def order(*permutations):
    return math.lcm(*[length for p in permutations for length in cycles(p)])


def cycles(images):
    found, left = [], set(range(len(images)))
    while left:
        start = k = left.pop()
        found.append(1)
        while (k := images[k]) != start:
            left.remove(k)
            found[-1] += 1
    return found


def page_projection(w, v, inputs, units):
    return [part.mean(0) for part in powers(order, w, v, inputs, units)]


def with_other(*, inputs=None, units=None):
    """The projection for other permutations than those that were given."""

    def answer(w, v, rho, pi):
        return page_projection(w, v, inputs(rho) if inputs else rho, units(pi) if units else pi)

    return answer


def turned_round(images):
    return [images.index(k) for k in range(len(images))]


def unmoved(images):
    return list(range(len(images)))


def changed(change):
    """The projection, changed by a function of it and of the weights."""
    return lambda w, v, *where: change(*page_projection(w, v, *where), w, v)


def blocks(w, v, inputs, units):
    rows = page_projection(w, v, unmoved(inputs), units)
    return page_projection(*rows, inputs, unmoved(units))[0], rows[1]


def first_entry(w, v, inputs, units):
    """Each orbit has the value of the first of its entries."""
    places = torch.arange(w.numel() + v.numel()).double()
    parts = places[: w.numel()].view(w.shape), places[w.numel() :]
    first = [part.min(0).values.long() for part in powers(order, *parts, inputs, units)]
    return [torch.cat([w.flatten(), v])[place] for place in first]


REFERENCES = {"homomorphism_count": homomorphism_count, "page_projection": page_projection}
MISTAKES = {
    "homomorphism_count": [
        (lambda k, words, n: math.factorial(n) ** k, "every pair of permutations"),
        (of_each_generator, "ties the two together"),
        (lambda *given: homomorphism_count(*given) - 1, "everything to the identity"),
        (isomorphisms, "those are the isomorphisms"),
        (up_to_numbering, "a new numbering of the units"),
        (lambda k, words, n: 10, "in all ways"),
        (lambda k, words, n: 34 if n == 4 else 10, "in all ways"),
    ],
    "page_projection": [
        (lambda w, v, *where: (page_projection(w, v, *where)[0], v), "v lies on a page, too"),
        (changed(lambda p, q, w, v: (p, 0 * q + v.mean())), "only if the units are one orbit"),
        (with_other(units=turned_round), "turned round"),
        (with_other(inputs=turned_round), "turned round"),
        (blocks, "orbits of pairs"),
        (with_other(inputs=unmoved), "the inputs are to be moved"),
        (with_other(units=unmoved), "the units are to be moved"),
        (lambda *given: [x.sum(0) for x in powers(order, *given)], "a sum over the group"),
        (
            lambda *given: [x.mean(0) for x in powers(lambda i, u: 2, *given)],
            "the identity and the generator alone",
        ),
        (
            lambda *given: [x.mean(0) for x in powers(lambda i, u: 4, *given)],
            "the mean over four powers",
        ),
        (changed(lambda p, q, w, v: (w - p, v - q)), "takes away"),
        (lambda w, v, *where: (w, v), "as they were given"),
        (first_entry, "others on it are nearer"),
        (changed(lambda p, q, w, v: (p + 0.1 * w, q)), "the generator moves your weights"),
        (lambda w, v, *where: w, "return two tensors"),
    ],
}


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("group", [_SYMMETRIC, *map(_cyclic, range(2, 7)), *_OTHERS], ids=str)
def test_the_series_counts_what_trying_every_assignment_finds(group, n):
    found = homomorphism_count(group.generators, group.words, n)
    assert _homomorphisms(group.subgroups, n) == found


def test_ten_from_three_units_to_three_and_1036_to_six():
    counts = [_homomorphisms(_SYMMETRIC.subgroups, n) for n in range(1, 7)]
    assert counts == [1, 2, 10, 34, 146, 1036]


def test_control_without_the_word_of_both_generators_there_are_more():
    assert homomorphism_count(2, _SYMMETRIC.words[:2], 3) == 12


@pytest.mark.parametrize("types", [((4,), (4,)), ((3,), (3, 1)), ((6,), (2, 2))])
def test_the_projection_is_one_and_its_image_is_equivariant(types):
    inputs, units = (_of_type(lengths) for lengths in types)
    assert [sorted(cycles(p)) for p in (inputs, units)] == [sorted(t) for t in types]
    draw = torch.Generator().manual_seed(0)
    w, v = torch.randn(4, len(inputs), generator=draw).double(), torch.randn(4).double()
    p, q = page_projection(w, v, inputs, units)
    for again in (page_projection(p, q, inputs, units), moved(p, q, inputs, units)):
        torch.testing.assert_close(again, (p, q) if isinstance(again, tuple) else [p, q])
    assert (p * (w - p)).sum() + (q * (v - q)).sum() == pytest.approx(0, abs=1e-14)
    x = torch.randn(len(inputs), generator=draw).double()
    shifted = x[torch.tensor(inputs).argsort()]  # input j comes to inputs[j]
    outputs = [q @ torch.relu(p @ z) for z in (x, shifted)]
    assert outputs[0] == pytest.approx(float(outputs[1]))
    apart = [v @ torch.relu(w @ z) for z in (x, shifted)]
    assert abs(float(apart[0] - apart[1])) > 1e-3  # control: not of any weights


def test_a_verdict_says_into_which_group():
    verdict = check.homomorphism_count(lambda generators, words, n: 10)
    assert "from S₃ into S_4 there are not 10" in verdict.message
