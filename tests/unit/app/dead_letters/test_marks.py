"""What a redrive leaves, and what is left out because of it."""

from typing import Any

from aiokafka import ConsumerRecord

from app.dead_letters.copies import Copies, twice
from app.dead_letters.marks import (
    Headers,
    Marks,
    Origin,
    Origins,
    begin_headers,
    is_mark,
    mark_headers,
    refold_headers,
    sent_headers,
    sent_origin,
)
from app.dead_letters.read import DeadLetter, Once, dead_letter
from app.dead_letters.redriving import Sorter, Tally
from models.events import EventRules
from tables.names import Names

ORIGIN = Origin("shop.user_events", 3, 7)


def record(headers: Headers) -> ConsumerRecord[Any, Any]:
    """A record of a topic."""
    return ConsumerRecord("dead", 0, 0, 99, 0, None, b"", None, 1, 1, tuple(headers))


def letter(origin: Origin, value: bytes | None = b"{}", reason: str = "wrong_key") -> DeadLetter:
    """A dead letter of this origin."""
    return DeadLetter(reason, "", *origin, 1, 1, b"key", value)


def test_origins_are_a_set() -> None:
    """The same offset of another partition or topic is another origin."""
    origins = Origins()
    others = [ORIGIN, ORIGIN._replace(partition=4), ORIGIN._replace(topic="t"), ORIGIN._replace(offset=8)]
    assert [origins.add(origin) for origin in others] == [True] * 4
    assert [origins.add(origin) for origin in others] == [False] * 4
    assert [origin in origins for origin in (*others, Origin("x", 3, 7))] == [True] * 4 + [False]


def test_a_mark_names_its_letter() -> None:
    """What was written is read; letters are no marks."""
    marks = Marks()
    marks.take(record(mark_headers(ORIGIN, 1, 55)))
    assert ORIGIN in marks.redriven and ORIGIN._replace(offset=55) not in marks.redriven
    assert is_mark(record(mark_headers(ORIGIN, 1, 55)))
    assert not is_mark(record([("topic", b"t"), ("partition", b"3"), ("offset", b"7")]))


def test_a_reader_that_knows_no_marks_takes_them_for_repeats() -> None:
    """A mark has the origin of its letter in the same headers, so dropping repeats by origin drops it."""
    assert dead_letter(record(mark_headers(ORIGIN, 1, 55))).origin == ORIGIN


def test_a_begin_is_open_until_its_end() -> None:
    """Marks do not close it, a later begin replaces it, an end does."""
    marks = Marks()
    assert marks.open_ends is None
    for headers, expected in [
        (begin_headers({0: 5, 11: 6}), {0: 5, 11: 6}),
        (mark_headers(ORIGIN, 1, 55), {0: 5, 11: 6}),
        (begin_headers({0: 9}), {0: 9}),
        (begin_headers({}), None),
    ]:
        assert is_mark(record(headers))
        marks.take(record(headers))
        assert marks.open_ends == expected


def test_a_sent_event_names_its_letter() -> None:
    """Read back from its header; what others put under that name, or under another, is nothing."""
    assert sent_origin(record(sent_headers(ORIGIN))) == ORIGIN
    for value in (b"", b"t", b"t/1", b"t/1/x", b"t//2", b"\xff/\xff/\xff"):
        assert sent_origin(record([("redriven_from", value)])) is None
    assert sent_origin(record([("other", b"t/1/2")])) is None


def test_what_was_redriven_is_left_out_and_counted_once() -> None:
    """Repeats of it are repeats."""
    redriven = Origins()
    redriven.add(ORIGIN)
    taken: list[DeadLetter] = []
    once = Once(taken.append, redriven)
    stays = letter(ORIGIN._replace(offset=8))
    for each in (letter(ORIGIN), stays, letter(ORIGIN), stays):
        once.take(each)
    assert (taken, once.n_redriven, once.n_repeats) == ([stays], 1, 2)


def test_what_a_reset_has_folded_anew_is_left_out_until_it_comes_again() -> None:
    """Letters before it whose origin the log still has; not those behind it, of other logs, or gone from the log."""
    place = {"topic": b"shop.user_events", "partition": b"3", "offset": b"7", "reason": b"wrong_partition"}

    def at(place_there: int, **other: bytes) -> ConsumerRecord[Any, Any]:
        headers = tuple((place | other).items())
        return ConsumerRecord("dead", 0, place_there, 99, 0, None, b"", None, 1, 1, headers)

    marks = Marks()
    refold = ConsumerRecord(
        "dead", 0, 5, 9, 0, None, b"", None, 1, 1, tuple(refold_headers("shop.user_events", {3: 7}))
    )
    assert is_mark(refold)
    marks.take(refold)
    taken: list[DeadLetter] = []
    once = Once(taken.append, marks.redriven, marks.refolds)
    gone, elsewhere, again = at(1, offset=b"6"), at(2, topic=b"clicks"), at(6)
    batch = at(3, offset=b"8", reason=b"undecodable")
    for each in (at(0), gone, elsewhere, batch, again):
        once.take_record(each)
    expected = [("shop.user_events", 6), ("clicks", 7), ("shop.user_events", 8), ("shop.user_events", 7)]
    assert [(letter.topic, letter.offset) for letter in taken] == expected
    assert once.n_refolded == 1


def test_letters_are_judged_by_todays_rules() -> None:
    """Under the key that the bytes name; those of another reason are left alone."""
    event = b'{"user_id":"\xc3\xbc","item_id":"i","event_type":"view","timestamp":1700000000000}'
    future = b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":99999999999999}'
    tally = Tally()
    every = Sorter(Names(), EventRules(), None, tally)
    for value in (event, future, None, b"[]", b"{}", event + b" " * 70_000):
        every.take(letter(ORIGIN, value))
    assert [ready.key for ready in every.ready] == ["ü".encode()]
    assert tally.stay == {"future_timestamp": 1, "not_json": 1, "not_object": 1, "missing_field": 1, "too_large": 1}

    one = Sorter(Names(), EventRules(), "wrong_partition", tally)
    one.take(letter(ORIGIN, event))
    assert (one.ready, tally.stay.total()) == ([], 5)


def test_events_that_lie_in_the_log_twice_are_counted_by_their_marks() -> None:
    """Once each; not those of other topics, of a part of the log that is gone, nor what is no mark of a redrive."""
    copies = Copies(ORIGIN.topic, {1: 50, 3: 5})
    for origin, partition, offset in [
        (ORIGIN, 1, 55),
        (ORIGIN, 1, 56),  # marked again
        (ORIGIN._replace(offset=9), 3, 60),
        (ORIGIN._replace(topic="clicks"), 1, 57),
        (ORIGIN._replace(offset=4), 1, 58),  # the original has left the log
        (ORIGIN._replace(offset=8), 1, 49),  # so has the copy
        (ORIGIN._replace(offset=8), 2, 58),  # no such partition
    ]:
        copies.take(record(mark_headers(origin, partition, offset)))
    copies.take(record(begin_headers({1: 9})))
    copies.take(record([("redriven", b"x/y"), ("topic", b"shop.user_events"), ("partition", b"3"), ("offset", b"10")]))

    assert copies.n == 2
    assert twice(copies.n).startswith("2 of them were dead letters") and "counts twice" in twice(copies.n)
