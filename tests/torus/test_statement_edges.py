"""What is not to be carried over from edges to longer columns, or only in another form."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.torus.gates import NETWORKS, dense, flat


def ratio_jacobian(rows, sizes):
    """Derivative of log(I/O) by the logarithms of the dials."""
    into, out = rows.clamp(min=0) * sizes, (-rows).clamp(min=0) * sizes
    return into @ rows.T / into.sum(1)[:, None] - out @ rows.T / out.sum(1)[:, None]


FOLDING = torch.tensor([[0, 2, 2, -1, -2], [-2, -2, 0, 0, 1], [-1, 0, 2, -2, 2]]).double()


def test_log_ratios_fold_with_longer_columns():
    sizes = torch.tensor([442.0, 1.04, 36.1, 8.25, 0.0514]).double()
    assert torch.linalg.det(ratio_jacobian(FOLDING, sizes)) < -20
    balanced = torch.linalg.svd(FOLDING).Vh[3:]  # of some positive combination of the kernel
    signs = [c @ balanced for c in torch.randn(2000, 2, generator=draw(0)).double()]
    (some, *_) = [x for x in signs if (x > 0).all()]
    assert (FOLDING @ some).abs().max() < 1e-12
    assert torch.linalg.det(ratio_jacobian(FOLDING, some)) > 0


def draw(seed):
    return torch.Generator().manual_seed(seed)


@given(seed=st.integers(0, 10_000))
def test_control_with_edges_the_determinant_stays_positive(seed):
    rows = torch.zeros(3, 6).double()
    for column, (target, source) in enumerate(((0, 3), (1, 0), (2, 1), (3, 2), (2, 0), (3, 1))):
        for end, sign in ((target, 1.0), (source, -1.0)):
            if end < 3:
                rows[end, column] = sign
    sizes = (3 * torch.randn(6, generator=draw(seed), dtype=torch.float64)).exp()
    assert torch.linalg.det(ratio_jacobian(rows, sizes)) > 0


@given(name=st.sampled_from([*NETWORKS]), seed=st.integers(0, 1000))
def test_monomials_of_the_kernel_name_an_orbit(name, seed):
    net = NETWORKS[name](seed=seed)
    rows = dense(net.group)
    kernel = torch.linalg.svd(rows).Vh[torch.linalg.matrix_rank(rows) :]
    logs = flat(net.params).abs().log()
    alpha = torch.randn(len(rows), generator=draw(seed), dtype=torch.float64)
    moved = logs + rows.T @ alpha
    assert_close(kernel @ moved, kernel @ logs, rtol=1e-9, atol=1e-9)
    other = logs + torch.randn(len(logs), generator=draw(seed + 1), dtype=torch.float64)
    assert (kernel @ other - kernel @ logs).abs().max() > 1e-3
    # and two networks with the same monomials are rescalings of each other
    change = torch.randn(len(logs), generator=draw(seed + 2), dtype=torch.float64)
    along = change - kernel.T @ (kernel @ change)
    dials = torch.linalg.lstsq(rows.T, along, driver="gelsd").solution
    assert_close(rows.T @ dials, along, rtol=1e-8, atol=1e-8)


def test_two_units_of_a_gate_pull_in_one_direction():
    net = NETWORKS["reglu"]()
    rows = dense(net.group)
    laplacian = (rows * flat(net.params).square()) @ rows.T
    assert (
        laplacian[0, net.group.units // 2] > 0
    )  # a graph's has no positive entry off its diagonal


def test_mixing_queries_and_keys_conserves_a_matrix():
    leaves = torch.randn(2, 4, 8, generator=draw(0), dtype=torch.float64).requires_grad_()
    x = torch.randn(6, 8, generator=draw(1), dtype=torch.float64)

    def rate(mixed):
        """Of the conserved matrix, along the gradient flow of some loss of the attention."""
        q, k = x @ leaves[0].T, x @ leaves[1].T
        loss = ((torch.tanh(q) if mixed else q) @ k.T).softmax(1)[:, 0].square().sum()
        query, key = torch.autograd.grad(loss, leaves)[0]
        moved = -query @ leaves[0].T + key @ leaves[1].T
        return (moved + moved.T).detach(), (query.abs() @ leaves[0].abs().T).detach().max()

    moved, size = rate(mixed=False)
    assert moved.abs().max() < 1e-13 * size
    moved, size = rate(mixed=True)  # control: what is bent between cannot be mixed
    assert moved.abs().max() > 1e-3 * size
