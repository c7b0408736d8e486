"""What `freshet tail` makes of a record, and which it shows."""

from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from app.commands.tail import as_cells, as_record
from app.settings import Settings
from app.tail import Filter, Mask, Seen, read

EVENT = {"user_id": "ann", "item_id": "i1", "event_type": "rating", "timestamp": 1_700_000_000_000, "value": 4.5}
RULES = Settings().rules


def seen(value: bytes, key: bytes = b"ann") -> Seen:
    """A record as it was read."""
    record = SimpleNamespace(partition=3, offset=12, timestamp=1_700_000_000_500, key=key, value=value)
    return read(cast(Any, record), RULES)


GOOD, BAD = seen(orjson.dumps({**EVENT, "context": {"ip": "192.0.2.7"}})), seen(b"ann's")


def test_an_event_and_what_is_none() -> None:
    """Cells for people, JSON for programs."""
    assert as_cells(GOOD, None) == ("2023-11-14 22:13:20", "ann", "rating", "i1", "4.5")
    assert as_record(GOOD, None)["event"] == {**EVENT, "context": {"ip": "192.0.2.7"}}
    assert as_cells(BAD, None)[1:4] == ("3:12", "no event", "not_json")
    assert as_record(BAD, None)["event"] is None


def test_a_mask_names_nobody_and_everybody_alike() -> None:
    """The same name for the same person, another one under another mask; nothing else of the person is shown."""
    mask = Mask()

    for shown in (repr(as_cells(GOOD, mask)), repr(as_record(GOOD, mask)), repr(as_record(BAD, mask)), repr(mask)):
        assert "ann" not in shown and "192.0.2.7" not in shown
    assert mask.of("ann") == mask.of("ann") != mask.of("bob")
    assert Mask().of("ann") != mask.of("ann")


@pytest.mark.parametrize(
    ("chosen", "good", "bad"),
    [
        (Filter(), True, True),
        (Filter(users=["ann"]), True, False),
        (Filter(users=["bob"]), False, False),
        (Filter(users=["ann"], types=["view"]), False, False),
        (Filter(items=["i1"], types=["rating", "view"]), True, False),
        (Filter(is_bad=True), False, True),
    ],
)
def test_which_are_shown(chosen: Filter, good: bool, bad: bool) -> None:
    """All that is given has to fit; of one kind any."""
    assert (chosen.passes(GOOD), chosen.passes(BAD)) == (good, bad)
