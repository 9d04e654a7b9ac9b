"""The library's own tests of a symmetry, given to its reader.

Read `gauge`, that the rescaling of hidden units leaves a model's function alone; `equivariant`,
that a model follows what a group does to its inputs; both run it as `trial` says. Other packages
import the names below.
"""

from gaugelib.testing.equivariant import Action as Action
from gaugelib.testing.equivariant import assert_equivariant as assert_equivariant
from gaugelib.testing.gauge import assert_gauge_invariant as assert_gauge_invariant
