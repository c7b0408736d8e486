"""The item view of a running worker: own shares live, the others' as of their last checkpoints, and the clock."""

import time
from collections.abc import Mapping

from app.worker.owned import OwnedPartition
from models.partitioner import partition_of
from models.windows import TRENDING_WINDOWS
from tables.fold_settings import FoldSettings
from tables.items import ItemShares
from tables.newcomers import Newcomers
from tables.view import Filler, ItemView

FILLER_SIZE = 500
BEHIND_RECORDS = 2000
MANY = 200  # items at once: cheaper than their neighbours are all items


class LiveView:
    """What lists are made from.

    The event clock is aged by the wall time that has passed since it last moved: in live traffic that is now, in a
    replay of an old log it is the log's own time.
    """

    def __init__(self, settings: FoldSettings) -> None:
        self.items = ItemView(settings.cooccurrence)
        self.stale: dict[str, None] = {}
        self.owned: dict[int, OwnedPartition] = {}
        self.knows_shares = False  # of the partitions that others hold, as they were saved when they became theirs
        self.knows_catalogue = False  # as it was at the start
        self.knows_factors = True  # as they were at the start, if there is a learner
        self.taught_to: Mapping[int, int] | None = None  # by partition, where the learner stands; None: there is none
        self.n_partitions = 1
        self._settings = settings
        self.newcomers = Newcomers()  # until lists say who makes it
        self._filler: Filler | None = None
        self._filler_numbering = -1

    def own(self, owned: Mapping[int, OwnedPartition]) -> None:
        """Show the shares of other own partitions from now on."""
        shares: dict[int, ItemShares | None] = dict.fromkeys(self.owned.keys() - owned.keys())
        shares.update((number, partition.state.items) for number, partition in owned.items())
        self.owned = dict(owned)
        if self.items.set_shares(shares):
            self.mark_all()

    def follow(self, number: int, share: ItemShares) -> None:
        """Show another worker's share."""
        if number not in self.owned and self.items.set_share(number, share):
            self.mark_all()

    @property
    def caught_up(self) -> bool:
        """Whether lists may go out."""
        return self.knows_shares and self.knows_catalogue and self.knows_factors

    def forbid(self, item_ids: set[str]) -> None:
        """Offer all items but these; the neighbours of those that come or go get other similarities."""
        moved = item_ids ^ self.items.hidden
        self.items.forbid(item_ids)
        self._changed_neighbours(moved)

    def _changed_neighbours(self, moved: set[str]) -> None:
        """Have the similarities of items written anew in which some others stand, or stand no more."""
        if len(moved) > MANY:
            self.mark_all()
            return
        for item_id in moved:
            self.stale.update(dict.fromkeys(self.items.neighbours(item_id)))

    def sync(self) -> None:
        """Take over what changed."""
        self.stale.update(dict.fromkeys(map(self.items.ids.__getitem__, self.items.sync())))
        if self.items.moved:
            moved, self.items.moved = self.items.moved, set()
            self._changed_neighbours(moved)

    @property
    def is_behind(self) -> bool:
        """Whether an own partition has a backlog."""
        return any(partition.lag > BEHIND_RECORDS for partition in self.owned.values())

    @property
    def as_of_ms(self) -> int:
        """The time that trends are read as of."""
        now_ms = int(time.time() * 1000)
        return max((partition.clock_ms(now_ms) for partition in self.owned.values()), default=now_ms)

    def filler(self) -> Filler:
        """What stands behind the items that a history names; made anew by `refresh`."""
        if self._filler is None or self._filler_numbering != self.items.numbering:
            self._filler = self.newcomers.filler(self.items, self.as_of_ms, FILLER_SIZE)
            self._filler_numbering = self.items.numbering
        return self._filler

    def refresh(self) -> None:
        """Let the filler follow the clock."""
        self.sync()
        self._filler = None

    def is_mine(self, item_id: str) -> bool:
        """Whether this worker writes what belongs to an item."""
        return partition_of(item_id.encode(), self.n_partitions, self._settings.partitioner) in self.owned

    def trending(self, as_of_ms: int, k: int) -> dict[str, list[tuple[str, float]]]:
        """The items of every trending window, best first."""
        return {
            window.name: [(self.items.ids[item], score) for item, score in self.items.trending(index, as_of_ms, k)]
            for index, window in enumerate(TRENDING_WINDOWS)
        }

    def mark_all(self) -> None:
        """Have what belongs to each item written anew: all of it may be somebody else's, or gone."""
        self.items.sync()
        self.stale.update(dict.fromkeys(self.items.ids))
        self._filler = None
