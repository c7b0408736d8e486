"""What the records of their topics mean: each by the source that names its topic."""

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import ConsumerRecord

from app.settings import Settings
from app.sources import Source, SourceEvent, SourceRecord, make_source
from app.sources.rewritten import as_first_written
from models.errors import InvalidEvent, SettingsError

NO_SOURCE = "unknown_topic"
LEAST_ROOM = 65_536


class Reading:
    """Reads records of every topic of the settings' sources.

    Parameters
    ----------
    sources
        Topic -> its source, and the topic that its records go to.
    redriven
        The topic of records that were dead letters: headers name where each came from.
    """

    def __init__(self, sources: Mapping[str, tuple[Source, str]], redriven: str) -> None:
        self._sources = sources
        self._redriven = redriven
        self.limits: Mapping[str, int] = {}  # topic: the most bytes that a record may have there

    @property
    def topics(self) -> list[str]:
        """Topics of theirs."""
        return sorted(self._sources)

    def knows(self, topic: str) -> bool:
        """Whether it is a topic of theirs."""
        return topic in self._sources

    async def check(self, record: SourceRecord) -> None:
        """Refuse what is no valid record of its topic; see `Source`."""
        source, _ = self._sources[record.topic]
        await source.prepare([record])
        source.read(record)

    async def prepare(self, records: Sequence[ConsumerRecord]) -> None:
        """Fetch the schemas that reading these takes; see `Source.prepare`."""
        by_topic: dict[str, list[SourceRecord]] = {}
        for record in records:
            plain = self._as_written(record)
            if plain.topic in self._sources:
                by_topic.setdefault(plain.topic, []).append(plain)
        for topic, plain_records in by_topic.items():
            await self._sources[topic][0].prepare(plain_records)

    def read(self, record: ConsumerRecord) -> tuple[str, Iterable[SourceEvent]]:
        """The topic that a record belongs to, and what it says in the plain form; see `Source.read`."""
        plain = self._as_written(record)
        if plain.topic not in self._sources:
            raise InvalidEvent(NO_SOURCE, f"topic {plain.topic!r} is in no source of the settings. Add it to one.")
        source, target = self._sources[plain.topic]
        events = source.read(plain)
        limit = self.limits.get(target, LEAST_ROOM)
        for event in events:
            if event.value is not None and len(event.key) + len(event.value) > limit:
                size = len(event.value)
                raise InvalidEvent("too_large", f"it has {size} bytes in the plain form, {target} takes {limit}.")
        return target, events

    def _as_written(self, record: ConsumerRecord) -> SourceRecord:
        if record.topic != self._redriven:
            return SourceRecord(record.topic, record.key, record.value, record.headers, record.timestamp)
        return as_first_written(record.topic, record.key, record.value, record.headers, record.timestamp)


def make_reading(settings: Settings) -> Reading:
    """The reading of all sources that have topics.

    Raises
    ------
    SettingsError
        If two sources name one topic, or one names a topic of Freshet's own; or a source cannot be made.
    """
    names, rules = settings.names, settings.rules
    targets = {"events": names.events, "items": names.catalogue, "users": names.profiles}
    own = {spec.name for spec in (*names.topics(1), *names.intake_topics())}
    sources: dict[str, tuple[Source, str]] = {}
    for name, source in settings.sources.items():
        made = make_source(source, rules) if source.topics else None
        for topic in source.topics:
            if topic in own:
                raise SettingsError(
                    f"sources.{name}.topics has {topic!r}: a topic of Freshet's own, which the intake would write to "
                    "itself. Name the topics of your producers, or set events_topic to another one."
                )
            if topic in sources:
                raise SettingsError(
                    f"sources.{name}.topics has {topic!r}, which another source has as well: leave it to one of them."
                )
            assert made is not None
            sources[topic] = made, targets[source.kind]
    return Reading(sources, names.redriven)
