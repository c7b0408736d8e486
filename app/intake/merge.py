"""Old records of several inputs, oldest first.

Each input says what it has at hand, and is told up to which time it may go on; the next round begins when all have
written that. Within a round inputs are written side by side, so a round is short: as few records, or as little of
their time, as is worth a transaction for each.
"""

import asyncio
import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

RECORDS_PER_ROUND = 2000


def rising(times_ms: Sequence[int]) -> list[int]:
    """The greatest time so far, for each record: what comes first in its partition goes first.

    >>> rising([5, 9, 7, 11])
    [5, 9, 9, 11]
    """
    return list(accumulate(times_ms, max))


class Merge:
    """Rounds of the inputs that catch up together.

    Parameters
    ----------
    span_ms
        The longest time of the records that one round takes.
    """

    def __init__(self, span_ms: int) -> None:
        self.is_done = asyncio.Event()
        self._span_ms = span_ms
        self._members: set[object] = set()
        self._offers: dict[object, tuple[list[int], bool]] = {}
        self._asking: dict[object, asyncio.Future[int]] = {}

    def join(self, member: object) -> None:
        """From now on every round waits for this one."""
        self._members.add(member)

    def leave(self, member: object) -> None:
        """Wait no longer for one that has nothing old left, or stands; when all have left, what is new may come."""
        self._members.discard(member)
        self._offers.pop(member, None)
        if asked := self._asking.pop(member, None):
            asked.cancel()
        if self._members:
            self._begin_round()
        else:
            self.is_done.set()

    async def take(self, member: object, times_ms: Sequence[int], *, is_all: bool) -> int:
        """How many of the records at hand may go now, at least one; waits for its turn.

        Parameters
        ----------
        times_ms
            Their times, in the order of the partition.
        is_all
            Whether the partition has no old ones behind them.
        """
        offer = rising(times_ms)
        while True:
            self._offers[member] = offer, is_all
            self._asking[member] = asyncio.get_running_loop().create_future()
            asked = self._asking[member]
            self._begin_round()
            if n := bisect_right(offer, await asked):
                return n

    def _begin_round(self) -> None:
        if self._members != self._asking.keys():
            return  # some are still writing, or fetching
        until_ms = self._until_ms()
        asking, self._asking, self._offers = self._asking, {}, {}
        for asked in asking.values():
            asked.set_result(until_ms)

    def _until_ms(self) -> int:
        """Up to which time records go: no further than anybody knows what is there, and not too many at once."""
        offers = self._offers.values()
        known_ms = min((offer[-1] for offer, is_all in offers if not is_all), default=math.inf)
        first_ms = min(offer[0] for offer, _ in offers)
        enough = sorted(time for offer, _ in offers for time in offer)[:RECORDS_PER_ROUND][-1]
        return int(min(known_ms, first_ms + self._span_ms, enough))
