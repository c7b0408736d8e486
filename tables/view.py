"""The item view: every partition's shares combined, for reading and for making lists. It is no state."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from operator import is_
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.cooccurrence import CooccurrenceSettings
from models.list_candidates import first_share, show_share, touched_by
from models.rows import RowPool
from models.source_names import POPULARITY
from models.words import AGAINST, FOR, NEITHER, parts_of
from tables.linked_factors import Factors, LinkedFactors, factors_of
from tables.list_json import ListItem
from tables.numbering import NumberedItems
from tables.user_state import UserState

N_ARRAYS = 6  # of a share, as the kernels read its rows

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


class Ranking(NamedTuple):
    """Item numbers, best first, and their scores."""

    items: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float64]


NO_RANKING: Final = Ranking(np.empty(0, np.int32), np.empty(0, np.float64))


@dataclass(frozen=True, slots=True)
class Filler:
    """Items behind those that a user's history names, best first: item numbers, scores, and where they come from.

    Scores fall from first to last. `popular` are the items that most people are for.
    """

    items: Sequence[tuple[int, float, str]]
    popular: Ranking = NO_RANKING


class ShownRows:
    """Rows of every share as the kernels read them, shown anew where an array is another one.

    Attributes
    ----------
    shares
        A typed list (`models.list_candidates.show_share`); None without shares.
    """

    def __init__(self) -> None:
        self.shares: Any = None
        self._shown: list[Any] = []  # arrays, `N_ARRAYS` for each share

    def show(self, pools: Sequence[RowPool], numbers: Sequence[tuple[Ints, Ints]]) -> bool:
        """Show pools, each with how items translate to its slots, and its slots to items; whether any is another."""
        arrays = [
            array
            for rows, translated in zip(pools, numbers, strict=True)
            for array in (rows.keys, rows.values, rows.start, rows.length, *translated)
        ]
        before = self._shown
        if len(arrays) == len(before) and all(map(is_, arrays, before)):
            return False
        if len(arrays) < len(before):
            self.shares, before = None, []
        for place, first in enumerate(range(0, len(arrays), N_ARRAYS)):
            share = arrays[first : first + N_ARRAYS]
            if first < len(before) and all(map(is_, share, before[first:])):
                continue
            if self.shares is None:
                self.shares = first_share(*share)
            else:
                show_share(self.shares, place, *share)
        self._shown = arrays
        return True


class ItemView(NumberedItems):
    """Shares of several partitions, read as one.

    Attributes
    ----------
    learned
        The rows of the one learner of factors, where there is one: shares of several partitions have none.
    """

    def __init__(self, settings: CooccurrenceSettings) -> None:
        super().__init__(settings)
        self.learned: LinkedFactors | None = None
        self._pairs = ShownRows()
        self._following = ShownRows()
        self._place_of: Ints = np.full(64, -1, np.int32)
        self._sums: Floats = np.zeros(64, np.float64)

    def n_events(self, item: int) -> int:
        """Events of an item, in all shares."""
        return sum(int(share.n_events[slot]) for share, slot in self.slots_of(item))

    def pairs(self) -> tuple[Any, Ints]:
        """Every share's pairs, in partition order, for the kernels, and their scratch: by slot, full of -1."""
        return self._of_all(self._pairs, [share.pairs.rows for share in self.shares.values()])

    def following(self) -> tuple[Any, Ints]:
        """As `pairs`, of the directed ones."""
        return self._of_all(self._following, [share.following.rows for share in self.shares.values()])

    def factors(self, number: int) -> Factors:
        """The factors that lists of a partition's users are made from: the learner's, or else the partition's own."""
        if self.learned is not None:
            return self.learned.of(self)
        return factors_of(self.shares[number], (self.slot_in[number], self.to_item[number]))

    def _of_all(self, shown: "ShownRows", pools: list[RowPool]) -> tuple[Any, Ints]:
        numbers = [(self.slot_in[partition], self.to_item[partition]) for partition in self.shares]
        if shown.show(pools, numbers):
            n_slots = max((len(rows.start) for rows in pools), default=0)
            if n_slots > len(self._place_of):
                self._place_of = np.full(2 * n_slots, -1, np.int32)
        return shown.shares, self._place_of

    def sums(self) -> Floats:
        """Scratch by item number and one more: full of 0, and to be left so."""
        if len(self.ids) >= len(self._sums):
            self._sums = np.zeros(2 * len(self.ids), np.float64)
        return self._sums[: len(self.ids) + 1]

    def fill(self, chosen: list[ListItem], seen: npt.NDArray[np.uint64], k: int, filler: Filler) -> list[ListItem]:
        """Put items of the filler behind those chosen, up to `k`; none scored above them.

        None of those seen, either: a set (`models.list_candidates.set_of`).
        """
        if len(chosen) < k and filler.items:
            scale = chosen[-1].score / filler.items[0][1] if chosen else 1.0
            taken = {item.item_id for item in chosen}
            hashes = set(seen.tolist())
            for item, score, source in filler.items:
                if len(chosen) == k:
                    break
                item_id = self.ids[item]
                if item_id not in taken and self.allowed[item] and int(self.hashes[item]) not in hashes:
                    chosen.append(ListItem(item_id, scale * score, source, ()))
        return chosen

    def again(self, user: UserState, k: int, filler: Filler) -> list[ListItem]:
        """The first `k` of the filler for a user for whom nothing else is left: of what may be offered, all seen.

        What the user is for, or else what the user is not against; what is against only where there is nothing else.
        """
        said_of = parts_of(user.words[: user.n_seen]).stances.tolist()
        stances = dict(zip(user.seen[: user.n_seen].tolist(), said_of, strict=True))
        offered = [(item, score, source) for item, score, source in filler.items if self.allowed[item]]
        said = [stances.get(int(self.hashes[item]), NEITHER) for item, _, _ in offered]
        for wanted in ((FOR,), (FOR, NEITHER), (FOR, NEITHER, AGAINST)):
            kept = (each for each, stance in zip(offered, said, strict=True) if stance in wanted)
            if found := [ListItem(self.ids[item], score, source, ()) for item, score, source in islice(kept, k)]:
                return found
        return []

    def similar(self, item_id: str, k: int) -> list[tuple[str, float]]:
        """The `k` nearest neighbours of an item and their similarity: n_j^-c * n_i^-a * pairs, best first."""
        number = self.index.get(item_id)
        if number is None:
            return []
        scores = np.zeros(len(self.ids) + 1, np.float64)
        touched_by(self.pairs()[0], np.array([number], np.int32), self.known_norm[[number]], scores)
        with np.errstate(over="ignore", invalid="ignore"):
            normed = scores[:-1] * self.candidate_norm[: len(self.ids)]
        return [(self.ids[item], score) for item, score in self.top(np.where(np.isfinite(normed), normed, 0.0), k)]

    def neighbours(self, item_id: str) -> list[str]:
        """The items that an item has pairs with, in any share."""
        number = self.index.get(item_id)
        found: dict[str, None] = {}
        for partition, share in self.shares.items() if number is not None else ():
            slot = int(self.slot_in[partition][number])
            if slot >= 0:
                others, to_item = share.pairs.row(slot)[0], self.to_item[partition]
                numbers = to_item[others[others < len(to_item)]]  # the fold may have slots newer than the mapping
                found.update(dict.fromkeys(self.ids[each] for each in numbers.tolist() if each >= 0))
        return list(found)

    def popular(self, k: int) -> Ranking:
        """The `k` items that most people are for, ties by id."""
        top = self.top(self.people[: len(self.ids)], k)
        return Ranking(np.array([item for item, _ in top], np.int32), np.array([score for _, score in top]))

    def popularity(self, k: int) -> Filler:
        """A filler of the `k` most popular items alone."""
        popular = self.popular(k)
        return Filler(
            list(zip(popular.items.tolist(), popular.scores.tolist(), [POPULARITY] * len(popular.items), strict=True)),
            popular,
        )

    def trends(self, window_index: int, as_of_ms: int) -> Floats:
        """How much each item trends in a window as of a time, by its number."""
        scores = np.zeros(len(self.ids), np.float64)
        for partition, share in self.shares.items():
            slots = self.slot_in[partition][: len(self.ids)]
            by_slot = share.trending.scores(window_index, as_of_ms, max(1, share.n_slots))
            scores += np.where(slots >= 0, by_slot[slots], 0.0)
        return scores

    def trending(self, window_index: int, as_of_ms: int, k: int) -> list[tuple[int, float]]:
        """The `k` items that trend in a window as of a time: (item, score), best first; only items with a score."""
        return self.top(self.trends(window_index, as_of_ms), k)

    def top(self, scores: Floats, k: int, among: npt.NDArray[np.intp] | None = None) -> list[tuple[int, float]]:
        """The `k` items with the greatest scores above 0, by item number; of all, or of some."""
        candidates = np.flatnonzero(self.allowed[: len(scores)]) if among is None else among[self.allowed[among]]
        candidates = candidates[scores[candidates] > 0.0]
        values = scores[candidates]
        if len(values) > k > 0:
            above = values > values.min()  # numpy takes 20 times as long to part values most of which are equal
            if np.count_nonzero(above) > k:
                candidates, values = candidates[above], values[above]
            kept = values >= np.partition(values, len(values) - k)[len(values) - k]
            candidates, values = candidates[kept], values[kept]
        return self._ordered(candidates, values, k)

    def _ordered(
        self, items: npt.NDArray[np.int32] | npt.NDArray[np.intp], values: Floats, k: int
    ) -> list[tuple[int, float]]:
        ranked = sorted(
            zip(items.tolist(), values.tolist(), strict=True), key=lambda pair: (-pair[1], self.ids[pair[0]])
        )
        return ranked[:k]
