#!/usr/bin/env bash
# emlp gives a group the equivariant maps of another one of the same class, and of fewer if its generators are written large.
#
# Version: emlp 1.0.3 with jax 0.4.30, numpy 1.26.4; Python 3.11.
# Behaviour: 1. a solved basis is kept by representation and group, and a group is its class's name and the arguments
#   that reached `Group.__init__`, written one after the other with nothing between. Two groups whose class keeps its
#   generators to itself are one; so are arguments (1, 12) and (11, 2). The second gets the basis of the first:
#   four maps for the group that a transposition of four points generates, which has ten.
#   2. A generator of a Lie algebra stands for all of its multiples. The rank is counted in single precision above
#   a singular value of 1e-5, as it comes: SO(3) has the invariant tensors of rank 1 to 5 in numbers 0, 1, 1, 3, 6; with
#   generators ten times as long one of rank 5 is lost, at a hundred times all above rank 2; at a millionth every tensor
#   is invariant.
# Why it matters here: the dimension of the space of equivariant weights is what the chapter on two symmetries counts.
# Remedy: give `super().__init__` all that tells the groups apart, one string; generators with entries of size one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet emlp==1.0.3 jax==0.4.30 jaxlib==0.4.30 numpy==1.26.4 scipy==1.11.4 optax==0.2.3 \
    chex==0.1.86 objax==1.8.0 plum-dispatch==1.7.4 scikit-learn==1.5.2 six==1.17.0
"$folder/venv/bin/python" -W ignore - <<'END'
import numpy as np
from emlp.groups import SO, Group
from emlp.reps import T, V
from emlp.reps.linear_operators import LazyPerm


class Generated(Group):
    """The group that permutations generate."""

    def __init__(self, *permutations):
        self.discrete_generators = [LazyPerm(np.array(p)) for p in permutations]
        super().__init__()


def maps(group):
    return (V(group) >> V(group)).equivariant_basis().shape[-1]


def orbits_on_pairs(permutation):
    n, left, count = len(permutation), {(i, j) for i in range(4) for j in range(4)}, 0
    while left:
        i, j = start = left.pop()
        count += 1
        while (pair := (permutation[i], permutation[j])) != start:
            i, j = pair
            left.discard(pair)
    return count


turn, swap = [1, 2, 3, 0], [1, 0, 2, 3]
found = {"turn": maps(Generated(turn)), "swap": maps(Generated(swap))}
exact = {"turn": orbits_on_pairs(turn), "swap": orbits_on_pairs(swap)}
print("equivariant maps of four points:", found, "exact:", exact)
assert exact == {"turn": 4, "swap": 10} and found == {"turn": 4, "swap": 4}, "mended: the cache"


class Pair(Group):
    """The permutations of n points that move each point by a multiple of k."""

    def __init__(self, k, n):
        self.discrete_generators = [LazyPerm((np.arange(n) + k) % n)]
        super().__init__(k, n)


print("two arguments:", Pair(1, 12), Pair(11, 2), "equal:", Pair(1, 12) == Pair(11, 2))
assert Pair(1, 12) == Pair(11, 2), "mended: names"


class Scaled(Group):
    """SO(3), its generators written in another unit."""

    def __init__(self, scale):
        self.lie_algebra = scale * np.array(SO(3).lie_algebra)
        super().__init__(scale)


def invariants(scale):
    return [T(rank)(Scaled(scale)).equivariant_basis().shape[-1] for rank in range(1, 6)]


counts = {scale: invariants(scale) for scale in (1e-6, 1.0, 10.0, 100.0)}
for scale, count in counts.items():
    print(f"generators times {scale:g}: invariant tensors of rank 1 to 5: {count}")
assert counts[1.0] == [0, 1, 1, 3, 6]
assert counts[1e-6] == [3, 9, 27, 81, 243] and sum(counts[100.0]) < 5, "mended: rank"
END
# Output seen:
#   equivariant maps of four points: {'turn': 4, 'swap': 4} exact: {'turn': 4, 'swap': 10}
#   two arguments: Pair(112) Pair(112) equal: True
#   generators times 1e-06: invariant tensors of rank 1 to 5: [3, 9, 27, 81, 243]
#   generators times 1: invariant tensors of rank 1 to 5: [0, 1, 1, 3, 6]
#   generators times 10: invariant tensors of rank 1 to 5: [0, 1, 1, 3, 5]
#   generators times 100: invariant tensors of rank 1 to 5: [0, 1, 0, 0, 0]
