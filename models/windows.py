"""Windows in event time: how wide they are, how finely they move, when an event is late.

    7d  |----|----|----| ... |----|----|      56 buckets of 3 h
    1d             |--|--| ... |--|--|        48 buckets of 30 min
    1h                      |.|.| ... |.|     60 buckets of 1 min
    1m                              |||||     12 buckets of 5 s
                                        ^ as of: max(clock, event time)

A window holds the buckets whose number is above `as_of // step - n_buckets`: the running bucket and the full ones
before it, so it is `width` wide to the precision of one step.
"""

from typing import NamedTuple


class Window(NamedTuple):
    """One sliding window: its name in features and keys, its width and the width of its buckets, in ms."""

    name: str
    width_ms: int
    step_ms: int

    @property
    def n_buckets(self) -> int:
        """How many buckets are alive at once."""
        return self.width_ms // self.step_ms


WINDOWS = (
    Window("1m", 60_000, 5_000),
    Window("1h", 3_600_000, 60_000),
    Window("1d", 86_400_000, 1_800_000),
    Window("7d", 604_800_000, 10_800_000),
)
ALL = "all"
TRENDING_WINDOWS = WINDOWS[1:]


class EventClock:
    """A partition's clock: the third-greatest of its users' last event times.

    One wrong stamp, or two, can therefore not expire every window. With fewer than three users it is the lowest.

    >>> clock = EventClock()
    >>> for user_id, time_ms in [("a", 50), ("b", 90), ("c", 70), ("a", 80)]:
    ...     clock.observe(user_id, time_ms)
    >>> clock.now_ms
    70
    """

    __slots__ = ("latest",)

    def __init__(self, latest: tuple[tuple[int, str], ...] = ()) -> None:
        self.latest = latest  # the three greatest (last event time, user_id), greatest first

    @property
    def now_ms(self) -> int:
        """The clock, Unix ms; 0 before the first event."""
        return self.latest[-1][0] if self.latest else 0

    def observe(self, user_id: str, last_ms: int) -> None:
        """Take note of a user's last event time, which never falls."""
        latest = self.latest
        if len(latest) == 3 and last_ms <= latest[2][0]:
            return
        if len(latest) == 3 and latest[0][1] == user_id:
            if last_ms > latest[0][0]:
                self.latest = ((last_ms, user_id), latest[1], latest[2])
            return
        if len(latest) == 3 and last_ms > latest[0][0] and user_id != latest[1][1] and user_id != latest[2][1]:
            self.latest = ((last_ms, user_id), latest[0], latest[1])
            return
        others = [entry for entry in latest if entry[1] != user_id]
        known = [entry[0] for entry in latest if entry[1] == user_id]
        entry = (max([last_ms, *known]), user_id)
        self.latest = tuple(sorted([*others, entry], key=lambda entry: (-entry[0], entry[1]))[:3])
