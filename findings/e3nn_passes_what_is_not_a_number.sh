#!/usr/bin/env bash
# e3nn's test of equivariance passes a function that is not equivariant as soon as one of its outputs is not a number.
#
# Version: e3nn 0.6.0 with torch 2.13.0 (CPU).
# Behaviour: `equivariance_error` starts from minus infinity and takes over an error where it is larger. The error is a
#   maximum, so one NaN among all entries makes it NaN; NaN is larger than nothing, the minus infinity stays, and
#   `assert_equivariant` finds it below any tolerance. A square root of each coordinate passes for a map of vectors, and
#   one pair of equal points among a hundred hides that each direction's third coordinate is cut by a third.
#   The tolerance, 1e-3 in single precision, is not relative to anything: the bent direction passes when it is multiplied
#   by 1e-4, without any NaN.
# Why it matters here: a test of equivariance is what a reader trusts when no theorem is at hand, and 0/0 at a distance
#   of zero is a common accident of networks on points. In `gaugelib.testing.assert_equivariant` such an element fails.
# Remedy: assert that what `assert_equivariant` returns is finite, in double precision, of a function of the size of one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5 scipy==1.17.1 e3nn==0.6.0
"$folder/venv/bin/python" -W ignore - <<'END'
import torch
from e3nn.util.test import assert_equivariant

torch.manual_seed(0)


def direction(x):
    return x / x.norm(dim=-1, keepdim=True)


def bent(x):
    return direction(x) * torch.tensor([1.0, 1.0, 2 / 3])


def bent_and_small(x):
    return 1e-4 * bent(x)


def verdict(what, function, x):
    try:
        errors = assert_equivariant(function, [x], irreps_in=["1o"], irreps_out=["1o"])
        seen = f"passes, errors {[float(f'{error.item():.0e}') for error in errors.values()]}"
    except AssertionError:
        seen = "fails"
    print(f"{what}: {seen}")
    return seen


points = torch.randn(100, 3)
difference = points.clone()
difference[0] = 0  # of a point and itself
assert verdict("bent direction, a hundred differences", bent, points) == "fails"
assert verdict("the same, one of them zero", bent, difference).startswith("passes, errors [-inf"), "mended"
assert verdict("the square root of each coordinate", torch.sqrt, points).startswith("passes, errors [-inf"), "mended"
assert verdict("bent direction times 1e-4", bent_and_small, points).startswith("passes"), "mended: the tolerance"
END
# Output seen:
#   bent direction, a hundred differences: fails
#   the same, one of them zero: passes, errors [-inf, -inf]
#   the square root of each coordinate: passes, errors [-inf, -inf]
#   bent direction times 1e-4: passes, errors [9e-06, 8e-06]
