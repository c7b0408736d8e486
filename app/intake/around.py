"""What all inputs of a worker share, and how each says that it stands still."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from app.broker import Broker
from app.intake.fetch import Fetcher, IsSkipped
from app.intake.inputs import Input
from app.intake.output import Output
from app.intake.pace import Pace
from app.intake.places import Places
from app.intake.reading import Reading
from models.errors import ServiceError
from tables.intake import Place

logger = logging.getLogger("freshet")

RETRY_S, MAX_RETRY_S = 1.0, 10.0
FENCED = (ProducerFenced, InvalidProducerEpoch)


@dataclass(frozen=True, slots=True)
class Around:
    """What all inputs share.

    Parameters
    ----------
    make_output
        Gives the output of a transactional id, with its codec.
    is_skipped
        See `Fetcher`.
    span_ms
        See `Merge`.
    report
        Told what happens.
    """

    broker: Broker
    reading: Reading
    places: Places
    make_output: Callable[[str, str | None], Output]
    pace: Pace
    is_skipped: IsSkipped
    span_ms: int
    report: Callable[..., None]


@dataclass(slots=True)
class Tally:
    """Records read, events written, dead letters written."""

    n_in: int = 0
    n_out: int = 0
    n_dead: int = 0

    def add(self, other: "Tally") -> None:
        """Add another one."""
        self.n_in += other.n_in
        self.n_out += other.n_out
        self.n_dead += other.n_dead


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why an input stands still, and at which offset."""

    offset: int
    why: str


class Standing:
    """Whether one input stands still; said once for each place, however often it is tried again."""

    def __init__(self, source: Input, report: Callable[..., None]) -> None:
        self.stopped: Stopped | None = None
        self.retry_s = RETRY_S
        self._source = source
        self._report = report
        self._said_at: int | None = None

    def stop(self, offset: int, error: Exception) -> None:
        """Take note that it cannot go on."""
        why = str(error) or type(error).__name__
        self.stopped = Stopped(offset, why)
        if self._said_at != offset:
            self._said_at = offset
            logger.error("%s stands still at offset %d: %s It is tried again.", self._source, offset, why)
            self._tell("intake_stopped", offset=offset, error=why)

    def go_on(self, offset: int) -> None:
        """Take note that it has got behind an offset."""
        self.retry_s = RETRY_S
        if self.stopped is not None and offset > self.stopped.offset:
            logger.info("%s goes on at offset %d", self._source, offset)
            self._tell("intake_resumed", offset=offset)
            self.stopped = self._said_at = None

    def take_retry_s(self) -> float:
        """How long to wait before it is tried again: longer each time."""
        retry_s, self.retry_s = self.retry_s, min(2 * self.retry_s, MAX_RETRY_S)
        return retry_s

    def _tell(self, event: str, **more: object) -> None:
        self._report(event, topic=self._source.topic, partition=self._source.partition, **more)


async def open_at(source: Input, place: Place | None, broker: Broker, is_skipped: IsSkipped) -> tuple[Fetcher, Place]:
    """Begin to read an input from its place on; without one, from its first record, and its end is where news begins.

    Raises
    ------
    ServiceError
        If the topic ends before the place.
    """
    fetcher = Fetcher(TopicPartition(*source), broker, is_skipped)
    try:
        first, end = await fetcher.start()
        if place is None:
            place = Place(first, end, is_live=False)
        if place.position > end:
            raise ServiceError(
                f"the intake stands at offset {place.position} of {source}, which ends at {end}: the topic was made "
                "anew. Let its producers write to a topic of another name, and name that one in the source."
            )
        if place.position < first:
            logger.error("%s: offsets %d to %d were deleted before they were read", source, place.position, first - 1)
        fetcher.seek(max(place.position, first))
    except BaseException:
        await fetcher.stop()
        raise
    return fetcher, place
