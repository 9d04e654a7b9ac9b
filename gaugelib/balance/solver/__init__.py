"""The solver behind `minimum_norm`, in five stages that each take what the last one returned.

1. `task`: `check` refuses what cannot be done. The methods stand in `methods`.
2. `plan`: where to begin, and in which order to take the `blocks` of units that weights join. With
   care, that is for dead units and for sums out of range, it asks `prepare`.
3. `read`: the weights as conductances: a link is a matrix of them between two blocks (`matrices`),
   formed in pieces (`powers`) each time that it is multiplied.
4. `sweeps`: balancing, colour by colour. `state` holds the scales; `colours` what flows, where
   bonds join parts of blocks, or a part and the ground, and a current is what comes through those
   of one link. Then `correction` of whole layers, or of `parts` of them, and `anderson`
   extrapolation.
5. `write`: the rescaled weights, and by `unit_sums` what flows through them.

Where columns are longer than edges, `newton` takes the place of stages 2 to 4: `runaway` says which
units are dead, `columns` what flows.

`found` says what was found so far and whether to go on. The step of Algorithm 1 is `Method.step`.
A module imports from earlier stages only. Nothing here is public; `optim` uses what reads and
writes in pieces.
"""
