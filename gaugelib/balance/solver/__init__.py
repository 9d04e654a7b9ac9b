"""The solver behind `minimum_norm`.

In the order in which a call goes through it:

1. `search`: what to do next, and with how much care; it calls all the others.
2. `prepare`: units that are dead, and starts whose sums fit into a float.
3. `plan` and `order`: which blocks of units each parameter joins, and in which order to take them.
4. `powers` and `links`: the weights, read once, as conductances between blocks.
5. `colours` and `state`: what flows through the units at the present scales.
6. `sweeps`: balancing, with `correction` (whole layers), `parts` (networks that fall into some) and
   `anderson` (extrapolation).
7. `write` and `tally`: the rescaled weights, and what flows through them.

The step of Algorithm 1 is `Method.step` in `sweeps`. Nothing here is public.
"""
