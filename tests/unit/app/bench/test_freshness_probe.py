"""When a probe counts as seen."""

import pytest

from app.bench.freshness_probe import MAX_AT_ONCE, UNREAD_S, Prober
from tables.list_encoding import encode_list
from tables.list_json import ListItem


def listed(offset: int, *items: str) -> bytes:
    """The list of user u at an offset."""
    return encode_list(
        epoch=1,
        offset=offset,
        user_id="u",
        namespace="",
        generated_at_ms=1,
        source=("user_events", 2, offset),
        model="m",
        variant="default",
        items=[ListItem(item, 1.0, "trending", ()) for item in items],
    )


def probed(due: float = 100.0) -> Prober:
    """A click on item a by user u."""
    prober = Prober()
    prober.tell({"number": 7, "user_id": "u", "item_id": "a", "due": due})
    return prober


def test_list_has_to_be_as_new_as_the_event() -> None:
    """Without the item but older than the click is not yet seen; the first one that is as new is."""
    prober = probed()
    prober.tell({"number": 7, "offset": 20})

    prober.look(7, listed(19, "b"), 100.004)
    assert prober.turn() == [7]
    prober.look(7, listed(20, "b"), 100.006)

    assert prober.latencies_ms == pytest.approx([6.0]) and not prober.pending and prober.turn() == []


def test_list_must_not_offer_the_item_any_more() -> None:
    """A list that is as new and still offers it does not count; a later one without it does."""
    prober = probed()
    prober.tell({"number": 7, "offset": 20})

    prober.look(7, listed(21, "b", "a"), 100.004)
    prober.look(7, listed(25, "b"), 100.009)

    assert prober.latencies_ms == pytest.approx([9.0])


def test_list_that_comes_before_the_acknowledgement_counts_when_it_came() -> None:
    """The offset may be known only after the list was seen, and other lists after it: its own time stands."""
    prober = probed()
    for at, payload in ((100.001, None), (100.002, listed(20, "b")), (100.003, listed(20, "b")), (100.5, listed(30))):
        prober.look(7, payload, at)
    assert prober.turn() == [7]

    prober.tell({"number": 7, "offset": 20})

    assert prober.latencies_ms == pytest.approx([2.0]) and not prober.pending


def test_what_is_never_seen_is_unread() -> None:
    """After 10 s it is given up, and stands among the latencies as 10 s; a late acknowledgement changes nothing."""
    prober = probed(due=100.0)

    prober.look(7, listed(1, "a"), 100.0 + UNREAD_S)
    assert prober.unread == 0
    prober.look(7, listed(1, "a"), 100.1 + UNREAD_S)
    prober.tell({"number": 7, "offset": 20})

    assert (prober.unread, prober.latencies_ms, prober.turn()) == (1, [1000 * UNREAD_S], [])


def test_too_many_take_turns() -> None:
    """A tick reads a bounded number of lists, and every probe gets its turn."""
    prober, n = Prober(), MAX_AT_ONCE + 8
    for number in range(n):
        prober.tell({"number": number, "user_id": f"u{number}", "item_id": "a", "due": 1.0})

    assert prober.turn() == list(range(MAX_AT_ONCE))
    assert prober.turn() == [*range(MAX_AT_ONCE, n), *range(MAX_AT_ONCE - 8)]
