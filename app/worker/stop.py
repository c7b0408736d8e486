"""Where a partition stands because what lies there cannot be decoded."""

from typing import NamedTuple


class Stop(NamedTuple):
    """One partition's stop.

    Parameters
    ----------
    offset, why
        The first offset that cannot be read, and what the decoder said.
    folded_to
        The state has all that lies before the stop when it has come so far.
    n_seeks
        Which positions it was found with: a stop found with older ones says nothing of now.
    """

    topic: str
    partition: int
    offset: int
    why: str
    folded_to: int
    n_seeks: int
