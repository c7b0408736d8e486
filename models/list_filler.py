"""Which items of a filler may stand behind a list; compiled, and plain Python (`kernel.py_func`)."""

from models.compiled import lean
from models.list_candidates import Array, holds


@lean(cache=True)
def still_free(
    filler: Array, listed: Array, allowed: Array, hashes: Array, seen: Array, place_of: Array, out: Array
) -> int:
    """The places in `filler` (item numbers) of what may be offered, unseen and not listed, into `out` until it is full.

    Returns how many there are. `place_of`, by item, is scratch: full of -1, and left so. `seen` is a set
    (`models.list_candidates.set_of`).
    """
    for place in range(listed.shape[0]):
        place_of[listed[place]] = place
    n = 0
    for place in range(filler.shape[0]):
        if n == out.shape[0]:
            break
        item = filler[place]
        if place_of[item] < 0 and allowed[item] and not holds(seen, hashes[item]):
            out[n] = place
            n += 1
    for place in range(listed.shape[0]):
        place_of[listed[place]] = -1
    return n
