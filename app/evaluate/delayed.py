"""Lists as a slower service would serve them: those of so many records ago."""

from collections import deque
from collections.abc import Mapping, Sequence

Reader = str | int
"""A user, or the number of a partition for its users without a list."""


class DelayedLists:
    """Every user's lists of the last so many records, and the one before them.

    Memory holds a list per record of the longest delay, and one per reader.

    Parameters
    ----------
    delays
        In records of the log, each above 0.
    """

    def __init__(self, delays: Sequence[int]) -> None:
        self.delays = {f"{delay:,} records ago": delay for delay in delays}
        self._longest = max(delays, default=0)
        self._made: dict[Reader, deque[tuple[int, Sequence[int]]]] = {}
        self._order: deque[tuple[int, Reader]] = deque()

    def keep(self, reader: Reader, n_records: int, items: Sequence[int]) -> None:
        """Take a list that was made when so many records were folded."""
        self._made.setdefault(reader, deque()).append((n_records, items))
        self._order.append((n_records, reader))
        oldest = n_records - self._longest
        while self._order[0][0] < oldest:
            made = self._made[self._order.popleft()[1]]
            while len(made) > 1 and made[1][0] <= oldest:
                made.popleft()

    def lists(self, user_id: str, partition: int, n_records: int) -> Mapping[str, Sequence[int]]:
        """What a user would be served now, by each delay: no list of theirs that old, then that of their partition."""
        return {
            name: self._as_of(user_id, n_records - delay) or self._as_of(partition, n_records - delay) or ()
            for name, delay in self.delays.items()
        }

    def _as_of(self, reader: Reader, n_records: int) -> Sequence[int] | None:
        for made_at, items in reversed(self._made.get(reader, ())):
            if made_at <= n_records:
                return items
        return None
