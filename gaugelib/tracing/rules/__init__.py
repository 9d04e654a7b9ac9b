"""What the operations of torch do to scales: one table, `RULES`, from operations to rules.

An operation is found as a function, by the name of a method, or by the exact type of a module; what
is not there is refused by name. To add a rule, write it under `@rule(...)` in the file of its kind.
It reads the labels of what goes in (`op.activation`), ties them or issues new ones (`op.labels`,
`op.issue`), says what flows where through a parameter (`op.uses`), and returns what comes out. A
new file is imported below, which enters its rules.

To test it, add a line to `CASES` in `tests/tracing/test_operations.py` or, for a module, to `PARTS`
in `test_modules_between.py`: an example, and how many units keep a scale. What it refuses goes into
`test_refusals.py`. `test_table.py` names every rule that has no such line.
"""

from gaugelib.tracing.rules import arithmetic as arithmetic
from gaugelib.tracing.rules import convolution as convolution
from gaugelib.tracing.rules import creation as creation
from gaugelib.tracing.rules import in_place as in_place
from gaugelib.tracing.rules import linear as linear
from gaugelib.tracing.rules import normalisation as normalisation
from gaugelib.tracing.rules import pointwise as pointwise
from gaugelib.tracing.rules import pooling as pooling
from gaugelib.tracing.rules import reductions as reductions
from gaugelib.tracing.rules import refused as refused
from gaugelib.tracing.rules import structure as structure
from gaugelib.tracing.rules.table import IMPURE as IMPURE
from gaugelib.tracing.rules.table import RULES as RULES
