"""Several events in one record: the elements of an array, each beside the record's own fields."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from models.events import MAX_EVENT_ID_BYTES

EACH: Final = "each"
"""By this name paths ask for the element at hand."""

_HASH_BYTES = 16


def element_documents(record: Mapping[str, Any], elements: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """For each element the record's fields with the element beside them; one document, which the next one changes."""
    document = dict(record)
    for element in elements:
        document[EACH] = element
        yield document


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
