"""Lists as a slower service would serve them: those of so many records ago, and those of so long ago."""

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from operator import itemgetter

from app.evaluate.delays import Delay

Reader = str | int
"""A user, or the number of a partition for its users without a list."""


class DelayedLists:
    """Lists of the last so many records, and of the last so much event time, by every delay.

    Times are those of the users' own events: a user's list of an hour ago is that which they had an hour before the
    event that is tested.

    Parameters
    ----------
    delays
        Each above 0.
    """

    def __init__(self, delays: Sequence[Delay]) -> None:
        self.delays = delays
        self._of = {
            in_records: KeptLists({each.list_name: each.amount for each in delays if each.in_records is in_records})
            for in_records in (False, True)
        }

    def keep(self, reader: Reader, items: Sequence[int], n_records: int, time_ms: int, clock_ms: int) -> None:
        """Take a list.

        Parameters
        ----------
        n_records
            How many records were folded when it was made.
        time_ms
            Time of the event that it was made after.
        clock_ms
            The log's clock by then; lists that no delay reaches from there are dropped.
        """
        made = array("i", items)
        self._of[True].keep(reader, made, n_records, n_records)
        self._of[False].keep(reader, made, time_ms, clock_ms)

    def lists(self, user_id: str, partition: int, n_records: int, time_ms: int) -> Mapping[str, Sequence[int]]:
        """What a user would be served now, by each delay: no list of theirs that old, then that of their partition."""
        late = self._of[False].lists(user_id, partition, time_ms) | self._of[True].lists(user_id, partition, n_records)
        return {delay.list_name: late[delay.list_name] for delay in self.delays}


class KeptLists:
    """Every reader's lists within the longest delay, and the one before them.

    Memory holds a list per event of the longest delay, and one per reader. Of a reader whose times lie further back
    than that behind the clock, the newest list alone.

    Parameters
    ----------
    delays
        By the name of the list that is so late, in units of the clock.
    """

    def __init__(self, delays: Mapping[str, int]) -> None:
        self._delays = delays
        self._longest = max(delays.values(), default=0)
        self._made: dict[Reader, deque[tuple[int, Sequence[int]]]] = {}
        self._order: list[tuple[int, int, Reader]] = []  # a heap: times in a log may stand in any order
        self._n_kept = 0

    def keep(self, reader: Reader, items: Sequence[int], made_at: int, clock: int) -> None:
        """Take a list; a reader's lists are in the order in which they come, whatever their times."""
        if not self._delays:
            return
        made = self._made.setdefault(reader, deque())
        if made:
            made_at = max(made_at, made[-1][0])
        made.append((made_at, items))
        self._n_kept += 1
        heappush(self._order, (min(made_at, clock), self._n_kept, reader))
        oldest = clock - self._longest
        while self._order and self._order[0][0] < oldest:
            made = self._made[heappop(self._order)[2]]
            while len(made) > 1 and made[1][0] <= oldest:
                made.popleft()

    def lists(self, user_id: str, partition: int, now: int) -> dict[str, Sequence[int]]:
        """What a user would be served, by each delay."""
        return {
            name: self._as_of(user_id, now - delay) or self._as_of(partition, now - delay) or ()
            for name, delay in self._delays.items()
        }

    def _as_of(self, reader: Reader, time: int) -> Sequence[int] | None:
        made = self._made.get(reader, ())
        n_before = bisect_right(made, time, key=itemgetter(0))
        return made[n_before - 1][1] if n_before else None
