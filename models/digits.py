"""Numbers with six significant digits, as lists are published with; compiled, and plain Python (`kernel.py_func`)."""

import math

import numpy as np

from models.compiled import lean
from models.list_candidates import Array

DIGITS = 6
SIX = 10.0**DIGITS
EXACT = 22  # the greatest power of ten that is a float
POWERS = np.array([10.0**power for power in range(EXACT + 1)])
LEAST, GREATEST = 1e-15, 1e15


@lean(cache=True, error_model="numpy")
def shifted(value: float, power: int) -> float:
    """A value times ten to a power within `EXACT`, rounded once."""
    return float(value * POWERS[power] if power >= 0 else value / POWERS[-power])


@lean(cache=True, error_model="numpy")
def shorten(values: Array) -> int:
    """Round to six significant digits, in place, what lies within 1e-15 and 1e15; returns how many others there are.

    An integer below 10^6 divided by an exact power of ten is the float nearest to that decimal number, which a writer
    of shortest digits writes with six. Halves go to the even digit as they stand in binary.
    """
    n_others = 0
    for at in range(values.shape[0]):
        value = abs(values[at])
        if value == 0.0:
            continue
        if not LEAST <= value < GREATEST:
            n_others += 1
            continue
        power = DIGITS - 1 - math.floor(math.log10(value))
        whole = np.rint(shifted(value, power))
        if whole >= SIX:  # the logarithm was rounded down, or the value is rounded up to a power of ten
            power -= 1
            whole = np.rint(shifted(value, power))
        short = shifted(whole, -power)
        values[at] = short if values[at] > 0.0 else -short
    return n_others
