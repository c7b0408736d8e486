"""How far the clocks of producers are from the broker's, by the newest event of each transaction of the intake."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from agents.intake import Event


def skew_ms(record_ms: int, plain: Mapping[str, Sequence[Event]]) -> int | None:
    """The broker's time of a record less the time of its last event; None where no event is among what it came to.

    Parameters
    ----------
    record_ms
        Of the last record read, Unix ms.
    plain
        Topic -> plain records, in their order.
    """
    for events in plain.values():
        fields: Any = orjson.loads(events[-1].value or b"null") if events else None
        if isinstance(fields, dict) and isinstance(timestamp := fields.get("timestamp"), int):
            return record_ms - timestamp
    return None


def widest(skews: Iterable[tuple[str, int | None]]) -> dict[str, int]:
    """The skew of each topic: of its partitions the one that is furthest from 0.

    >>> widest([("clicks", 40), ("clicks", -900), ("orders", None)])
    {'clicks': -900}
    """
    found: dict[str, int] = {}
    for topic, ms in skews:
        if ms is not None and abs(ms) >= abs(found.get(topic, 0)):
            found[topic] = ms
    return found
