"""Dead letters as they are read."""

from collections.abc import Mapping
from typing import Any

from aiokafka import ConsumerRecord

from app.dead_letters.read import DeadLetter, Once, dead_letter

HEADERS = {"reason": "not_json", "message": "no", "topic": "t", "partition": "2", "offset": "7", "timestamp_ms": "5"}


def record(headers: Mapping[str, str | None], offset: int = 0) -> ConsumerRecord[Any, Any]:
    """A record of the dead letter topic."""
    pairs = [(name, None if text is None else text.encode()) for name, text in headers.items()]
    return ConsumerRecord("dead", 0, offset, 99, 0, b"k", b"\xff", None, 1, 1, tuple(pairs))


def test_origin_comes_from_the_headers() -> None:
    """Reason, message, and place and time in the log."""
    assert dead_letter(record(HEADERS)) == DeadLetter("not_json", "no", "t", 2, 7, 5, 99, b"k", b"\xff")


def sizes(letter: DeadLetter) -> tuple[int | None, int | None]:
    """The sizes that key and value have in the log."""
    return letter.key_bytes, letter.value_bytes


def test_what_was_cut_has_its_size_in_the_headers() -> None:
    """The sizes in the log, if they are numbers."""
    assert sizes(dead_letter(record({**HEADERS, "value_bytes": "300"}))) == (None, 300)
    assert sizes(dead_letter(record({**HEADERS, "key_bytes": "300", "value_bytes": "x"}))) == (300, None)


def test_foreign_record_is_its_own_origin() -> None:
    """A record without our headers, or with damaged ones, is shown with its own place and an unknown reason."""
    damaged: tuple[Mapping[str, str | None], ...] = (
        {},
        {"topic": "t", "partition": "x", "offset": "1"},
        {"topic": None},
    )
    for headers in damaged:
        letter = dead_letter(record(headers, offset=4))
        assert (letter.topic, letter.partition, letter.offset, letter.time_ms) == ("dead", 0, 4, 99)
        assert letter.reason == "unknown"


def test_repeats_are_dropped_by_origin() -> None:
    """The first of each (topic, partition, offset) is handed on, whatever lies between."""
    taken: list[DeadLetter] = []
    once = Once(taken.append)
    first = dead_letter(record(HEADERS))
    others = [first._replace(offset=8), first._replace(partition=1), first._replace(topic="u")]

    for letter in (first, *others, first._replace(sent_ms=1000), *others):
        once.take(letter)

    assert taken == [first, *others]
    assert once.n_repeats == 4
