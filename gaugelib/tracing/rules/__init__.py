"""What the operations of torch do to scales: one table, `RULES`, from operations to rules.

An operation is found by its name in ATen, as PyTorch runs it: layers and functions arrive here as
the few operations that they are made of. What has no rule fixes the scales of all that goes in,
which always holds. To add a rule, write it under `@rule("name …")` in the file of its kind. It gets
the arguments of the operation, with values in place of tensors. It reads labels (`op.activation`),
ties, relates or issues them (`op.labels`, `op.issue`), says what flows where through a parameter
(`op.use`), and returns what comes out.

To test it, add a line to `CASES` in `tests/tracing/test_operations.py` or, for a module, to `PARTS`
in `test_modules_between.py`: an example, and how many units keep a scale. `test_table.py` names
every rule that has no such line.
"""

from gaugelib.tracing.rules import arithmetic as arithmetic
from gaugelib.tracing.rules import linear as linear
from gaugelib.tracing.rules import normalisation as normalisation
from gaugelib.tracing.rules import pointwise as pointwise
from gaugelib.tracing.rules import reductions as reductions
from gaugelib.tracing.rules import structure as structure
from gaugelib.tracing.rules import windows as windows
from gaugelib.tracing.rules.table import MOVES as MOVES
from gaugelib.tracing.rules.table import REFUSED as REFUSED
from gaugelib.tracing.rules.table import RULES as RULES
