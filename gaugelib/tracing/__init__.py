"""`trace_group`: from a model and an example to its gauge group; the files in reading order.

- `trace`: the whole way. `preconditions`, `contents`: what a model must be, and what it may hold.
- `graph`: the operations of a forward. `side_effects`, `randomness`: what a forward leaves behind
  and draws. `errors`: what is said when it fails.
- `execute`: the graph is run on `values`, whose `labels` stand for scales. `operation`: what a rule
  is given. `rules`: all the rules. `parameter_uses`: what they find out about parameters.
- `causes`: what fixed a scale. `verify`: graph and model compared, in a random gauge.

Others import `trace_group` from here, and single functions from `preconditions`, `randomness` and
`verify`. Rules import each other, `operation`, `values`, `labels` and `preconditions`.
"""

from gaugelib.tracing.trace import trace_group as trace_group
