"""What an operator has had stepped over: batches of the log that cannot be decoded.

A version byte and JSON with sorted keys, in a topic of its own that is compacted and that no reset empties: whoever
folds the log again steps over the same ones.
"""

from dataclasses import dataclass

import orjson

from tables.codec import check_version, undamaged

VERSION = 1
WHAT = "a record of what was stepped over"


@dataclass(frozen=True, slots=True)
class Skip:
    """One batch that is stepped over, if it is this very one and cannot be decoded.

    Parameters
    ----------
    topic, partition, first, behind
        Where it lies: its first offset, and the one behind its last.
    sha256
        Of its bytes.
    why
        Why it could not be decoded.
    n_bytes
        How many it has.
    at_ms
        When it was ordered, Unix ms.
    """

    topic: str
    partition: int
    first: int
    behind: int
    sha256: str
    why: str
    n_bytes: int
    at_ms: int

    @property
    def key(self) -> bytes:
        """Its key in the topic: a later one for the same place replaces it."""
        return f"{self.topic}/{self.partition}/{self.first}".encode()

    def encode(self) -> bytes:
        """Version byte and JSON."""
        return bytes((VERSION,)) + orjson.dumps(self, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decode(cls, data: bytes) -> "Skip":
        """Read a stored one.

        Raises
        ------
        UnknownVersion
            If the bytes are of another version.
        """
        check_version(data, VERSION, WHAT)
        with undamaged(WHAT):
            return cls(**orjson.loads(data[1:]))
