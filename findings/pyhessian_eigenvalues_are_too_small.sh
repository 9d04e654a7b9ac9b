#!/usr/bin/env bash
# The top eigenvalue of PyHessian is too small at every tolerance, and a negative trace ends after two probes.
#
# Version: pyhessian 0.1 with torch 2.13.0.
# Behaviour: power iteration divides each vector by its norm plus 1e-6, and so finds the eigenvalue times
#   (1 + 1e-6)^-2: a Hessian that is exactly 1 is reported as 0.999998, whatever the tolerance.
#   `trace()` stops when |mean - trace| / (trace + 1e-6) is below the tolerance; with a negative trace that quotient
#   is negative and below any tolerance at once, so the estimate is the mean of two random probes.
# Why it matters here: the benchmark of sharpness asks for six digits, and corrects the eigenvalue before it compares.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5
"$folder/venv/bin/pip" install --quiet --no-deps pyhessian==0.1
"$folder/venv/bin/python" -W ignore - <<'END'
import torch
from pyhessian import hessian
from torch import nn

one = nn.Linear(1, 1, bias=False)


def half_square(outputs, targets):
    return (outputs - targets).square().sum() / 2


data = torch.ones(1, 1), torch.zeros(1, 1)
for tol in (1e-3, 1e-12):
    (found,), _ = hessian(one, half_square, data=data, cuda=False).eigenvalues(tol=tol, maxIter=500)
    print(f"the Hessian is 1; with a tolerance of {tol:g} its eigenvalue is {found:.7f}")
    assert abs(found - 0.999998) < 5e-7, "mended"

torch.manual_seed(0)
many = nn.Linear(50, 1, bias=False)
data = torch.randn(200, 50), torch.zeros(200, 1)
probes = {}
for sign in (1, -1):
    asked = hessian(many, lambda o, t, s=sign: s * (o - t).square().mean(), data=data, cuda=False)
    probes[sign] = len(asked.trace(maxIter=500, tol=1e-4))
    print(f"probes for a trace of sign {sign:+}: {probes[sign]}")
assert probes[1] > 10 and probes[-1] == 2, "mended"
END
# Output seen:
#   the Hessian is 1; with a tolerance of 0.001 its eigenvalue is 0.9999980
#   the Hessian is 1; with a tolerance of 1e-12 its eigenvalue is 0.9999980
#   probes for a trace of sign +1: 23
#   probes for a trace of sign -1: 2
