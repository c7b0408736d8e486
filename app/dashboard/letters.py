"""What the pages show of dead letters, and the one redrive that they may start."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiokafka.errors import KafkaError

from app.dead_letters import DeadLetter, Tally, read_dead_letters, redrive
from app.doctor.bad_events import ELSEWHERE, Kind, advice_for
from app.doctor.letters import MAX_KEYS, findings_of
from app.settings import Settings
from models.errors import ServiceError

N_SAMPLES: Final = 5
FRESH_S: Final = 3.0
OF_READING: Final = 5.0  # what was read counts as fresh for so many times as long as reading took


@dataclass(slots=True)
class Reason:
    """The dead letters of one reason: how many, the newest, and what to do."""

    name: str
    n: int
    newest_ms: int
    samples: Sequence[DeadLetter]
    advice: str


@dataclass(slots=True)
class Summary:
    """All dead letters.

    Parameters
    ----------
    reasons
        The most frequent first.
    n_redriven
        Of those left out, the ones that were sent again before.
    """

    reasons: Sequence[Reason] = ()
    n_redriven: int = 0

    @property
    def n(self) -> int:
        """How many there are."""
        return sum(reason.n for reason in self.reasons)


@dataclass(slots=True)
class Redrive:
    """One redrive: under way, done, or failed."""

    reason: str | None
    tally: Tally = field(default_factory=Tally)
    share: float = 0.0
    is_done: bool = False
    error: str | None = None


class Letters(Protocol):
    """Dead letters."""

    last: Redrive | None

    async def summary(self) -> Summary:
        """What there is, a few seconds old at most where that is cheap."""

    def begin(self, reason: str | None) -> bool:
        """Begin to send again those of one reason, or all; False: one is under way."""

    async def stop(self) -> None:
        """End what is under way; what was sent is remembered."""


class KafkaLetters:
    """Reads the topic when a page wants to show it, once for all of them.

    Parameters
    ----------
    n_partitions
        Says how many the log has; 0 while that is not known.
    """

    def __init__(self, settings: Settings, n_partitions: Callable[[], int]) -> None:
        self.last: Redrive | None = None
        self._settings = settings
        self._n_partitions = n_partitions
        self._reading: asyncio.Task[Summary] | None = None
        self._good_until_s = 0.0
        self._redriving: asyncio.Task[None] | None = None

    async def summary(self) -> Summary:
        """What there is.

        Raises
        ------
        ServiceError
            If it cannot be read.
        """
        if self._reading is None or (self._reading.done() and time.monotonic() > self._good_until_s):
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)

    async def _read(self) -> Summary:
        began_s = time.monotonic()
        taken = _Taken(self._settings, self._n_partitions() or self._settings.partitions)
        try:
            once = await read_dead_letters(self._settings.kafka, self._settings.names.dead_letters, taken.take)
        except KafkaError as error:
            raise ServiceError(f"the dead letters cannot be read: {error!r}. `freshet doctor` says more.") from error
        finally:
            took_s = time.monotonic() - began_s
            self._good_until_s = time.monotonic() + max(FRESH_S, OF_READING * took_s)
        return Summary(taken.reasons(), once.n_redriven)

    def begin(self, reason: str | None) -> bool:
        """Begin to send again those of one reason, or all; False: one is under way."""
        if self._redriving is not None and not self._redriving.done():
            return False
        self.last = Redrive(reason)
        self._redriving = asyncio.create_task(self._redrive(self.last))
        return True

    async def _redrive(self, last: Redrive) -> None:
        async def progress(done: int, total: int) -> None:
            last.share = done / total if total else 1.0

        try:
            await redrive(self._settings, last.reason, last.tally, progress)
        except (ServiceError, KafkaError) as error:
            last.error = str(error)
        last.is_done = True
        self._good_until_s = 0.0

    async def stop(self) -> None:
        """End what is under way; what was sent is remembered."""
        for task in (self._reading, self._redriving):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


class _Taken:
    """Letters by reason, as they are read."""

    def __init__(self, settings: Settings, n_partitions: int) -> None:
        self._partitioner = settings.partitioner
        self._n_partitions = n_partitions
        self._kinds: dict[str, Kind] = {}
        self._samples: dict[str, deque[DeadLetter]] = {}
        self._placed: deque[tuple[bytes, int]] = deque(maxlen=MAX_KEYS)

    def take(self, letter: DeadLetter) -> None:
        """Count one."""
        self._kinds.setdefault(letter.reason, Kind()).take(letter)
        self._samples.setdefault(letter.reason, deque(maxlen=N_SAMPLES)).append(letter)
        if letter.reason == ELSEWHERE and letter.key and letter.key_bytes is None:
            self._placed.append((letter.key, letter.partition))

    def reasons(self) -> list[Reason]:
        """What was taken."""
        ordered = sorted(self._kinds.items(), key=lambda item: (-item[1].n, item[0]))
        return [
            Reason(name, kind.n, kind.newest_ms, tuple(reversed(self._samples[name])), self._advice(name, kind))
            for name, kind in ordered
        ]

    def _advice(self, name: str, kind: Kind) -> str:
        if name != ELSEWHERE:
            return advice_for(name, kind.hints)
        age_s = max(0.0, time.time() - kind.newest_ms / 1000)
        counts = Counter({name: kind.n})
        return findings_of(counts, age_s, self._partitioner, self._placed, self._n_partitions)[-1].advice
