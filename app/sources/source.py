"""A source: records as other people write them in, plain events out."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from models.errors import InvalidEvent


class SourceRecord(NamedTuple):
    """A record as it came from a topic; a line or row of a file has the value alone, and the time of the replay."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    timestamp_ms: int


class SourceEvent(NamedTuple):
    """A record of `user_events`, `items` or `users` in the plain form; value None: a deleted item or user."""

    key: bytes
    value: bytes | None


class Source(Protocol):
    """Reads records of one source; pure, but for the schemas that `prepare` has fetched."""

    async def prepare(self, records: Sequence[SourceRecord]) -> None:
        """Fetch the schemas that these records name and that are not known yet; without any, nothing to do.

        Raises
        ------
        SchemaUnavailable
            When one cannot be had now: try again, the records are not to blame.
        """

    def read(self, record: SourceRecord) -> list[SourceEvent]:
        """The events in a record, in their order; none where the settings leave it out.

        Raises
        ------
        InvalidEvent
            For the whole record, if any of its elements is no valid event; the message has the element's index.
        SchemaUnavailable
            If `prepare` has not been asked for this record's schema.
        """

    def read_apart(self, record: SourceRecord) -> list[SourceEvent | InvalidEvent]:
        """The same where elements stand for themselves, as in files: in the place of a bad one, what is wrong with it.

        Raises
        ------
        InvalidEvent, SchemaUnavailable
            For what is wrong with the record itself.
        """
