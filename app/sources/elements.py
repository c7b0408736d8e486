"""Several events in one record: the elements of an array, each beside the record's own fields."""

from hashlib import blake2b
from typing import Final

from models.events import MAX_EVENT_ID_BYTES

EACH: Final = "each"
"""By this name paths ask for the element at hand, which stands beside its record's own fields."""

_HASH_BYTES = 16


def element_id(text: str, index: int) -> str:
    """The id of an element's event, `<id>/<index>`; the hash of one that is longer than an event_id may be.

    >>> element_id("o-7", 0)
    'o-7/0'
    """
    return fitting_id(f"{text}/{index}")


def fitting_id(text: str) -> str:
    """An id as it is; the hash of one that is longer than an event_id may be."""
    raw = text.encode("utf-8", "surrogatepass")
    return text if len(raw) <= MAX_EVENT_ID_BYTES else blake2b(raw, digest_size=_HASH_BYTES).hexdigest()
