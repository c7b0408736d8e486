"""A partition's state as the compiled fold sees it: arrays by item slot and by user slot, and a batch of events.

Only what stands here is read or written by `models.fold_kernel.fold_events`; who owns the arrays is the tables' affair.
"""

from typing import Any, NamedTuple

import numpy as np

from models.rows import RowArrays

Array = Any  # numpy arrays; numba's signatures say the dtypes

LATE, SEEN, POSITIVE, EVALUATED, FRESH, NEGATIVE, WITHDRAWN, RETURNS = 1, 2, 4, 8, 16, 32, 64, 128
"""Flags of an event: behind the grace; makes its item seen; speaks for it; of an evaluated user; no list waits yet;
speaks against its item; takes back; may be of an item its user has had, and counts as a test then, too."""

KIND_FROM = 8
"""From this bit on stands the kind that returns (`models.words`)."""

NOT_TESTED, TESTED, FIRST, REPEATED = 0, 1, 2, 3
"""What an event is a test of: an item new to its user; the same, of a user without a history before that timestamp; an
item had before."""

EVENT = np.dtype(
    [
        ("user", np.int64),
        ("item", np.int64),
        ("offset", np.int64),
        ("time_ms", np.int64),
        ("as_of_ms", np.int64),
        ("kind", np.int64),
        ("flags", np.int64),
        ("waiting", np.int64),
        ("weight", np.float64),
        ("rating", np.float64),
    ]
)
"""One event of a batch: slots of user and item, the number of its type, the row where the user's lists wait (-1: none),
its weight, and its rating on the scale (NaN: none)."""


class ItemArrays(NamedTuple):
    """One share, by slot: index, counts, and the rows of every model."""

    cells: Array  # uint64: the index by hash
    slots: Array  # int32
    hashes: Array  # uint64
    keys: Array  # uint64 (n, 2)
    live: Array  # bool: holds an item that has had an event
    offered: Array  # bool: may stand in lists: it is live, and no more people are against it than for it
    n_range: Array  # int64 (1,): the highest live slot + 1
    n_events: Array  # int64
    n_for: Array  # int64: people whose last word is for the item
    n_against: Array  # int64
    last_offset: Array  # int64
    last_ms: Array  # int64
    weight: Array  # float64
    known_norm: Array  # float64
    candidate_norm: Array  # float64
    dirty: Array  # bool: to be saved
    touched: Array  # bool: to be shown
    pairs: RowArrays
    totals: RowArrays
    buckets: RowArrays
    trend_values: Array  # float64 (n, 3)
    trend_buckets: Array  # int64 (n, 3)
    trend_decay: Array  # float64 (3, n)
    rating_rows: Array  # float64 (n, 1 + n_factors)
    has_rating: Array  # bool
    rating_mean: Array  # float64 (2,)
    rows: Array  # float32 (n, n_factors + 4)
    blocks: Array  # float32 (n, n_factors + 1, 64)
    stale: Array  # bool
    top: Array  # int32 (1024,): the most popular slots, best first
    top_place: Array  # int32: where in `top`; -1: not there
    n_top: Array  # int64 (1,)
    following: RowArrays


class UserArrays(NamedTuple):
    """The users of a partition, by slot; `waiting_*` by row of the lists that wait."""

    hashes: Array  # uint64
    n_events: Array  # int64
    last_offset: Array  # int64
    last_ms: Array  # int64
    recent: Array  # uint64 (n, max_recent), oldest first
    recent_weights: Array  # float64 (n, max_recent)
    recent_ms: Array  # int64 (n, max_recent)
    n_recent: Array  # int64
    seen: RowArrays
    totals: RowArrays
    buckets: RowArrays
    factors: Array  # float64 (n, 1 + n_factors)
    has_factors: Array  # bool
    waiting_ms: Array  # int64
    waiting_counts: Array  # int32 (n, 4)
    waiting_hashes: Array  # uint64 (n, 4, k)


class Results(NamedTuple):
    """What the fold tells of each event, and sums it adds to."""

    tested: Array  # uint8: one of NOT_TESTED and so on
    ranks: Array  # int32 (n, 4): of the item in each list that waited, 1 for the first, 0: not there
    rating_errors: Array  # float64 (3,): number, sum of absolute and of squared errors
