"""Where the intake stands in one partition of a topic that it reads: stored with what it has written."""

from dataclasses import dataclass

import orjson

from models.errors import StateError, UnknownVersion

VERSION = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where one input partition stands.

    Parameters
    ----------
    position
        Offset of the next record to be read; all before it have been written.
    history_end
        Records below this offset lay there before the intake first looked.
    is_live
        Whether the history of this partition, and of all those that were begun with it, is written.
    """

    position: int
    history_end: int
    is_live: bool

    def encode(self) -> bytes:
        """The bytes that are stored.

        >>> Place(7, 5, True).encode()
        b'{"v":1,"position":7,"history_end":5,"live":true}'
        """
        fields = {"v": VERSION, "position": self.position, "history_end": self.history_end, "live": self.is_live}
        return orjson.dumps(fields)

    @classmethod
    def decode(cls, stored: bytes) -> "Place":
        """Read what `encode` gave.

        Raises
        ------
        StateError
            For bytes of another version, or damaged ones.
        """
        try:
            fields = orjson.loads(stored)
            version = fields["v"]
            if version == VERSION:
                return cls(fields["position"], fields["history_end"], fields["live"])
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(f"a place of the intake is {stored[:80]!r}: damaged ({error!r}).") from error
        raise UnknownVersion(
            f"a place of the intake has version {version!r}, this release reads {VERSION}: run the newer one."
        )


def place_key(topic: str, partition: int) -> bytes:
    """The key under which the place of an input partition is stored.

    >>> place_key("clicks", 3)
    b'clicks/3'
    """
    return f"{topic}/{partition}".encode()
