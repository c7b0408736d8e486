"""Weights of a blend by log shares, learned online from what became of lists; compiled, and plain Python.

What the sources proposed makes a distribution over all that was proposed, and what a user then took is a draw from it:

    p(i) = exp(sum over sources of w_s * log share_s(i)) / (the same, summed over all proposed)
    g_s = log share_s(taken) - sum over i of p(i) * log share_s(i)
    w_s += rate * g_s / sqrt(START_SQUARES + sum of all g_s^2 so far),   within 0 and `MAX_LEARNED`

which is a gradient step of the log likelihood: multinomial logit (McFadden 1974), by Adagrad (Duchi, Hazan, Singer,
JMLR 12, 2011), one step an outcome; a source whose shares hardly differ is found out as soon as one whose shares do.
Users with a short history have weights of their own, because sources know little of them. What they show is a
beginning for the others all the same: a second step, by a sum of squares of its own, is taken by the weights of all.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.blend import log_shares
from models.compiled import njit
from models.list_candidates import Array
from models.proposals import Proposals
from models.weight_history import WeightHistory

BOUNDS: Final = (5, 20, 60)
"""Numbers of events of a user at which the next weights begin."""

ROWS: Final = tuple(map(str, (0, *BOUNDS)))

RATES: Final = (0.2, 0.4)
"""Of the step for users with as long a history, and of the one for all."""

ALL: Final = "all"
START_SQUARES: Final = 10.0
MAX_LEARNED: Final = 10.0


@dataclass(frozen=True, slots=True)
class Served:
    """What the sources proposed for a list that a user was given.

    Parameters
    ----------
    hashes
        Of the items proposed, shape (n_sources, depth), uint64.
    amounts, counts
        As of `models.proposals.Proposals`.
    bucket
        Of the weights that made the list.
    """

    hashes: npt.NDArray[np.uint64]
    amounts: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    bucket: int


@njit(cache=True)
def learn_from(
    hashes: Array,
    amounts: Array,
    counts: Array,
    taken: np.uint64,
    bucket: int,
    rates: tuple[float, float],
    values: Array,
    squares: Array,
) -> bool:
    """One step by what a user took; False, and nothing learned, if no source had proposed it.

    `values` has a row of weights per bucket; `squares` a row per bucket and, last, that of the step that all take.
    `rates` are of the bucket's own step and of that one.
    """
    weights = values[bucket]
    n_sources, depth = hashes.shape
    found, places = np.empty(n_sources * depth, np.uint64), np.full((n_sources * depth, n_sources), -1, np.int32)
    n, target = 0, -1
    for source in range(n_sources):
        for rank in range(counts[source]):
            at = 0
            while at < n and found[at] != hashes[source, rank]:
                at += 1
            if at == n:
                found[n] = hashes[source, rank]
                n += 1
            places[at, source] = rank
            if found[at] == taken:
                target = at
    if target < 0:
        return False
    logs, floors = np.empty((n, n_sources), np.float64), np.empty(n_sources, np.float64)
    log_shares(counts, amounts, places, n, logs, floors)
    scores, greatest, total = np.zeros(n, np.float64), -np.inf, 0.0
    for at in range(n):
        for source in range(n_sources):
            scores[at] += weights[source] * logs[at, source]
        greatest = max(greatest, scores[at])
    for at in range(n):
        scores[at] = np.exp(scores[at] - greatest)
        total += scores[at]
    for source in range(n_sources):
        mean = 0.0
        for at in range(n):
            mean += scores[at] / total * logs[at, source]
        gradient = logs[target, source] - mean
        squares[bucket, source] += gradient * gradient
        squares[-1, source] += gradient * gradient
        own = rates[0] * gradient / np.sqrt(squares[bucket, source])
        shared = rates[1] * gradient / np.sqrt(squares[-1, source])
        for row in range(values.shape[0]):
            moved = values[row, source] + shared + (own if row == bucket else 0.0)
            values[row, source] = min(max(moved, 0.0), MAX_LEARNED)
    return True


class BlendWeights:
    """Weights of some sources, by how much is known of a user.

    Parameters
    ----------
    names, start
        The sources, and what each counts before anything is learned; one that counts nothing never will.

    Attributes
    ----------
    history
        What the weights were, from the start on.
    """

    def __init__(self, names: Sequence[str], start: Sequence[float], rates: tuple[float, float] = RATES) -> None:
        self.names = tuple(names)
        self.values: npt.NDArray[np.float64] = np.tile(np.array(start, np.float64), (len(BOUNDS) + 1, 1))
        self.squares: npt.NDArray[np.float64] = np.full((len(BOUNDS) + 2, len(self.names)), START_SQUARES)
        self.n_learned = 0
        self._rates = rates
        self._start = tuple(map(float, start))
        self._is_on = (np.array(start, np.float64) != 0.0).astype(np.int64)
        self.history = WeightHistory(names, ROWS)
        self.history.add(0, self.values)

    @staticmethod
    def bucket(n_events: int) -> int:
        """Which weights are for a user of so many events."""
        return bisect_right(BOUNDS, n_events)

    def served(self, proposals: Proposals, hashes: npt.NDArray[np.uint64], bucket: int) -> Served:
        """What is to be kept of proposals until it is known what became of them; `hashes` are of items by number."""
        known = hashes.take(proposals.items, mode="clip")  # behind a row's count stands what an older list left there
        return Served(known, proposals.scores.copy(), proposals.counts * self._is_on, bucket)

    def learn(self, served: Served, taken: int) -> bool:
        """Learn from the hash of what a user took; False if no source had proposed it."""
        proposed = served.hashes, served.amounts, served.counts
        if not learn_from(*proposed, np.uint64(taken), served.bucket, self._rates, self.values, self.squares):
            return False
        self.n_learned += 1
        if self.n_learned % self.history.every == 0:
            self.history.add(self.n_learned, self.values)
        return True

    def as_json(self) -> dict[str, Any]:
        """The weights and squares by source and by the least number of events, and how many outcomes they come from.

        `start` has what each source counted before, `history` what it counted on the way.
        """
        return {
            "n": self.n_learned,
            "start": dict(zip(self.names, self._start, strict=True)),
            "weights": self._by_source(ROWS, self.values),
            "squares": self._by_source((*ROWS, ALL), self.squares),
            "history": self.history.as_json(),
        }

    def _by_source(self, rows: Sequence[str], table: npt.NDArray[np.float64]) -> dict[str, dict[str, float]]:
        columns = zip(self.names, table.T.tolist(), strict=True)
        return {name: dict(zip(rows, column, strict=True)) for name, column in columns}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Take over what `as_json` gave, of the sources that began with the same weight.

        Weights that were stored without a history have one from then on.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it has another shape; nothing is taken over then.
        """
        values, squares, n_learned = self.values.copy(), self.squares.copy(), int(stored["n"])
        known = set()
        for column, (name, start) in enumerate(zip(self.names, self._start, strict=True)):
            if stored["start"].get(name) != start:
                continue
            known.add(name)
            if start > 0.0:
                for row, least in enumerate(ROWS):
                    values[row, column] = min(max(float(stored["weights"][name][least]), 0.0), MAX_LEARNED)
                    squares[row, column] = max(float(stored["squares"][name][least]), START_SQUARES)
                squares[-1, column] = max(float(stored["squares"][name].get(ALL, START_SQUARES)), START_SQUARES)
        past = stored.get("history")
        history = WeightHistory(self.names, ROWS) if past is None else self.history.restored(past, known)
        self.values, self.squares, self.n_learned, self.history = values, squares, n_learned, history
