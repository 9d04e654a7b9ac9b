"""Finite groups of permutations, and the networks that are equivariant under them.

Read `groups`, representations by permutations; `homomorphisms`, all of them for a small group;
`space`, the weights that are equivariant through one; `barriers`, what divides them, found by the
`search`; `gaussian`, the exact mean loss against a teacher; `descent`, gradient descent of many
networks at once; `summation`, sums that keep a symmetry bit for bit. What was measured is read by
`runs` and `training`. Other packages import the names below.
"""

from gaugelib.equivariance.barriers import Barrier as Barrier
from gaugelib.equivariance.barriers import barriers as barriers
from gaugelib.equivariance.descent import Descent as Descent
from gaugelib.equivariance.descent import deep_sets as deep_sets
from gaugelib.equivariance.descent import descend as descend
from gaugelib.equivariance.gaussian import teacher_gradient as teacher_gradient
from gaugelib.equivariance.gaussian import teacher_loss as teacher_loss
from gaugelib.equivariance.groups import Representation as Representation
from gaugelib.equivariance.groups import copies as copies
from gaugelib.equivariance.groups import natural as natural
from gaugelib.equivariance.groups import regular as regular
from gaugelib.equivariance.groups import trivial as trivial
from gaugelib.equivariance.homomorphisms import homomorphisms as homomorphisms
from gaugelib.equivariance.runs import stored_run as stored_run
from gaugelib.equivariance.runs import stored_runs as stored_runs
from gaugelib.equivariance.runs import wilson as wilson
from gaugelib.equivariance.space import EquivariantSpace as EquivariantSpace
from gaugelib.equivariance.space import equivariant_space as equivariant_space
