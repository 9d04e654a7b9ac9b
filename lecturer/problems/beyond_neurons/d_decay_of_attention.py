"""What a weight decay on queries and keys is for their product."""

import torch
from torch import nn

import gaugelib as gl
from tools.teach import Problem, problem


class Scores(nn.Module):
    """Attention whose values are its tokens: queries and keys alone have weights."""

    def __init__(self, width, channels):
        super().__init__()
        self.q, self.k = (nn.Linear(width, channels, bias=False) for _ in range(2))

    def forward(self, x):
        """Tokens, mixed."""
        return (self.q(x) @ self.k(x).mT).softmax(-1) @ x


@problem(title="What a decay sees of attention", stars=3, minutes=30)
def what_a_decay_sees(draw):
    """Along its dials a head weighs the products of its rows; along all mixings the nuclear norm."""
    seed = draw.randrange(2**31)

    def holds(rows_orthogonal: bool) -> bool:
        chance = torch.Generator().manual_seed(seed)
        params = {n: torch.randn(3, 5, generator=chance).double() for n in ("q.weight", "k.weight")}
        if rows_orthogonal:
            sizes = torch.tensor([1.0, 2.0, 4.0]).double()[:, None]
            params = {n: sizes * torch.linalg.qr(w.T).Q.T for n, w in params.items()}
        group = gl.trace_group(Scores(5, 3).double(), torch.randn(4, 5, generator=chance).double())
        light = gl.minimum_norm(params, group, tol=1e-12).params
        least = sum(w.square().sum() for w in light.values()) / 2
        pairs = (params["q.weight"].norm(dim=1) * params["k.weight"].norm(dim=1)).sum()
        matrix = params["q.weight"].T @ params["k.weight"]
        return bool((least - pairs).abs() < 1e-9) and bool(
            (least - torch.linalg.matrix_norm(matrix, "nuc")).abs() < 1e-6
        )

    return Problem(
        question=r"""
A head of attention without rotary positions and biases has the matrices $W_Q$ and $W_K$ with $c$ rows each, $q_1,\dots,q_c$ and $k_1,\dots,k_c$, none of them zero.
Only $M=W_Q^\top W_K$ enters the scores.
A weight decay adds $\frac\lambda2(\|W_Q\|^2+\|W_K\|^2)$ to the loss.
The nuclear norm $\|M\|_*$ is the sum of the singular values of $M$; it is a norm, and $\|qk^\top\|_*=\|q\|\,\|k\|$.

1. Show that along the $c$ dials of the head the least value of $\frac12(\|W_Q\|^2+\|W_K\|^2)$ is $\sum_r\|q_r\|\,\|k_r\|$.
2. Show that this is at least $\|M\|_*$, and equal to it if the rows of $W_Q$ are orthogonal to each other and those of $W_K$ are, too.
3. Let both matrices have rank $c$.
   Show that by mixing channels, $W_Q\mapsto AW_Q$ and $W_K\mapsto A^{-\top}W_K$ with an invertible matrix $A$, one comes down to $\|M\|_*$, and never below it.
4. What does a minimum of loss and decay pay for $M$: a multiple of $\|M\|^2$, or of what?
   And what would it pay if only the dials could be turned?
""",
        solution=r"""
1. The dial of channel $r$ multiplies $q_r$ by $a_r$ and divides $k_r$ by it, and no two dials share a weight.
   $\frac12(\|q_r\|^2a_r^2+\|k_r\|^2a_r^{-2})\ge\|q_r\|\,\|k_r\|$ by the inequality between the means, with equality where both terms are equal, at $a_r^2=\|k_r\|/\|q_r\|$.
   Add up over $r$.
2. $M=\sum_rq_rk_r^\top$, and the triangle inequality gives $\|M\|_*\le\sum_r\|q_rk_r^\top\|_*=\sum_r\|q_r\|\,\|k_r\|$.
   If the rows are orthogonal, $M=\sum_r\|q_r\|\,\|k_r\|\,\hat q_r\hat k_r^\top$ with orthonormal $\hat q_r$ and orthonormal $\hat k_r$ is a singular value decomposition, and the sum of its singular values is the right side.
3. After any mixing $M$ is the same, so by parts 1 and 2 half of the squares is at least $\|M\|_*$.
   As both matrices have rank $c$, so has $M=U\Sigma V^\top$, with $c$ positive singular values.
   The rows of $W_Q$ span the same space as the columns of $U$, so $\Sigma^{1/2}U^\top=AW_Q$ with an invertible $A$.
   From $U\Sigma V^\top=W_Q^\top W_K=U\Sigma^{1/2}A^{-\top}W_K$ we get $A^{-\top}W_K=\Sigma^{1/2}V^\top$, and half of the squares of both is $\operatorname{tr}\Sigma=\|M\|_*$.
4. It pays $\lambda\|M\|_*$: at a minimum no mixing makes the squares smaller.
   Along the dials only it would pay $\lambda\sum_r\|q_r\|\,\|k_r\|$, which depends on how the channels are chosen.
   So the decay does more than what the dials say: it leaves matrix freedoms, too, at their lightest.
""",
        marks=(
            (2, "one channel by the inequality between the means, and no two share a weight"),
            (2, "the triangle inequality"),
            (2, "equality: a singular value decomposition"),
            (3, "the mixing that reaches it, and that none goes below"),
            (1, "the nuclear norm, and along the dials the products of the rows"),
        ),
        witness=lambda: holds(rows_orthogonal=True),
        control=lambda: holds(rows_orthogonal=False),
    )
