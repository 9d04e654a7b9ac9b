#!/usr/bin/env bash
# Lanczos in hessian-eigenthings makes two steps for one eigenvalue, and a last batch of four weighs as much as one of 96.
#
# Version: hessian-eigenthings 1.0.0a5 with torch 2.13.0.
# Behaviour: `lanczos(operator, k=1)` takes max(2 k, k + 1) = 2 steps unless `max_iter` is given; `tol` never adds one,
#   and the result says only `converged=False`. The operator over several batches is the plain mean of the batches'
#   Hessians, so with a loss that is a mean over its batch the examples of a short last batch count for more: it is not
#   the Hessian of the loss over the data set.
# Why it matters here: the benchmark of sharpness uses one batch and gives the number of steps.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.3.5 hessian-eigenthings==1.0.0a5
"$folder/venv/bin/python" -W ignore - <<'END'
import hessian_eigenthings as he
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(40, 1, bias=False)
x, y = torch.randn(100, 40), torch.zeros(100, 1)


def loss(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def top(batches, **options):
    operator = he.HessianOperator(model, batches, loss)
    return he.lanczos(operator, k=1, which="LA", seed=0, **options)


exact = torch.linalg.eigvalsh(2 * x.T @ x / len(x))[-1].item()
for tol in (1e-3, 1e-12):
    short = top([(x, y)], tol=tol)
    print(f"exact {exact:.2f}; tol {tol:g}: {float(short.eigenvalues[0]):.2f} after {short.iterations} steps")
    assert short.iterations == 2 and not short.converged, "mended"
whole, parts = (
    float(top(batches, max_iter=40).eigenvalues[0])
    for batches in ([(x, y)], [(x[:96], y[:96]), (x[96:], y[96:])])
)
print(f"one batch of 100: {whole:.2f}; the same in batches of 96 and 4: {parts:.2f}")
assert abs(whole - exact) < 1e-3 and parts > 2 * exact, "mended"
END
# Output seen:
#   exact 5.01; tol 0.001: 3.53 after 2 steps
#   exact 5.01; tol 1e-12: 3.53 after 2 steps
#   one batch of 100: 5.01; the same in batches of 96 and 4: 16.61
