"""Proofs that run: each step of a proof, with both sides evaluated on the reader's own network.

A proof is a function `(params, group, p=2.0, *, drop=None) -> Record`. The record says what it
assumes and which of its hypotheses can be dropped; whoever shows it needs no mathematics.

To be read in this order: `step` and `record` (what a proof leaves behind); `edges`, `paths` and
`sketch` (the network as a graph); `loss`, `penalised` and `equalities` (the network as it learns);
`second` and `twin` (its Hessian, and a network with two equal units); `channel` (an equivariant
network of three numbers); `degenerate` (networks that break a hypothesis); then a file for each
proof, which none of these imports. `examples` has networks to run them on.
"""

# isort: off
# the proofs of the minimum-norm gauge
from gaugelib.proofs.auxiliary import lemma_auxiliary as lemma_auxiliary
from gaugelib.proofs.balanced import lemma_balanced_is_minimal as lemma_balanced_is_minimal
from gaugelib.proofs.compact import lemma_compact as lemma_compact
from gaugelib.proofs.unique import theorem_uniqueness as theorem_uniqueness

# the proofs of the conservation laws
from gaugelib.proofs.conserved import lemma_conserved as lemma_conserved
from gaugelib.proofs.pairing import theorem_pairing as theorem_pairing

# the proof of soft gauge fixing
from gaugelib.proofs.soft import theorem_soft as theorem_soft

# the proofs of second-order structure
from gaugelib.proofs.splitting import theorem_splitting as theorem_splitting
from gaugelib.proofs.zero_modes import theorem_zero_modes as theorem_zero_modes

# the proof of two symmetries
from gaugelib.proofs.barrier import theorem_barriers as theorem_barriers

# what a proof is made of
from gaugelib.proofs.record import Drop as Drop
from gaugelib.proofs.record import Hypothesis as Hypothesis
from gaugelib.proofs.step import Place as Place
from gaugelib.proofs.step import Side as Side
from gaugelib.proofs.sketch import Sketch as Sketch
from gaugelib.proofs.step import Step as Step
from gaugelib.proofs.record import Record as Record
