"""All that the pages show of the stream as a whole: one for the process, whoever looks at it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from app.dashboard.alarms import Alarm
from app.dashboard.log import LogState
from app.dashboard.moments import Moment
from app.dashboard.workers import Worker

RECENT: Final = 900
PAST: Final = 1440
PAST_S: Final = 60.0


class Happening(NamedTuple):
    """Something that happened to the workers' group or to a worker."""

    at_ms: int
    what: str


@dataclass(slots=True)
class Board:
    """What is known now, and what was known for a while.

    Parameters
    ----------
    recent
        A moment a second, of the last quarter of an hour.
    past
        One a minute, of the last day.
    log
        The log of events.
    redis_error
        Why Redis does not answer; None: it does.
    happenings
        The newest, oldest first.
    """

    workers: Sequence[Worker] = ()
    recent: deque[Moment] = field(default_factory=lambda: deque(maxlen=RECENT))
    past: deque[Moment] = field(default_factory=lambda: deque(maxlen=PAST))
    log: LogState = field(default_factory=LogState)
    redis_error: str | None = None
    alarms: Sequence[Alarm] = ()
    happenings: deque[Happening] = field(default_factory=lambda: deque(maxlen=50))

    @property
    def now(self) -> Moment:
        """The newest moment."""
        return self.recent[-1] if self.recent else Moment(0)

    @property
    def answering(self) -> list[Worker]:
        """The workers that answer."""
        return [worker for worker in self.workers if worker.error is None]
