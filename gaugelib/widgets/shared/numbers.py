"""Numbers drawn as a widget draws them: `numbers.js` in Python."""


def uniform(state: int) -> tuple[float, int]:
    """One step of the mulberry32 generator: a number in [0, 1) and the next state."""
    state = (state + 0x6D2B79F5) % 2**32
    mixed = (state ^ (state >> 15)) * (state | 1) % 2**32
    mixed ^= (mixed + (mixed ^ (mixed >> 7)) * (mixed | 61)) % 2**32
    return (mixed ^ (mixed >> 14)) / 2**32, state
