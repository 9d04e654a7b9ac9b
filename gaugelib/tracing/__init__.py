"""`trace_group`: from a model and an example to its gauge group; the files in reading order.

- `trace`: the whole way. `preconditions`, `contents`: what a model must be, and what it may hold.
- `follow`: the model runs once in a copy. `standin`: what stands for its tensors. `run`: what is
  done at each operation. `shadows`: its shapes. `places`: the module in which it stands. `answer`:
  rules of the reader's. `side_effects`, `randomness`: what a forward leaves behind and draws.
  `errors`: what is said when it fails.
- `values`: labels, positions or numbers. `labels`: scales, ties and relations. `operation`: what a
  rule is given. `rules`: all the rules. `parameter_uses`: what they find out about parameters.
  `solve`: what ties and relations leave free.
- `causes`: what fixed or tied a scale, and `explain`. `verify`: the model in a random gauge.

Others import `trace_group` and `explain` from here, and single functions from `preconditions`,
`randomness` and `verify`. Rules import each other, `operation`, `values`, `labels` and
`preconditions`.
"""

from gaugelib.tracing.causes import explain as explain
from gaugelib.tracing.trace import trace_group as trace_group
