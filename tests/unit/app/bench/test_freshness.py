"""The numbers of `freshet bench freshness`, its traffic and its command."""

import asyncio
from typing import Any, cast

import orjson
import pytest

from app.bench import freshness
from app.bench.child import Child
from app.bench.freshness import bounds, n_touched, percentile
from app.bench.freshness_intake import foreign_form, foreign_source
from app.bench.freshness_load import N_ITEMS, N_USERS, OpenLoop, Probe, Traffic
from app.client import AsyncReader
from app.sources import SourceRecord, make_source
from models.events import EventRules, decode
from tables.list_encoding import encode_list
from tables.list_json import RecommendationList, decode_list
from tests.command import freshet
from tests.unit.app.bench.test_freshness_probe import listed

RESULT: dict[str, Any] = {
    "rate": 1000.0,
    "users": 5000,
    "items": 2000,
    "touched": 1900,
    "n": 60_000,
    "probed": 3000,
    "unread": 0,
    "p50_ms": 9.0,
    "p95_ms": 20.0,
    "p99_ms": 50.0,
    "raw_p50_ms": 3.0,
    "raw_p99_ms": 20.0,
    "max_stall_ms": 12.0,
    "max_checkpoint_stall_ms": 3.0,
}


def test_percentile_is_a_value_that_was_measured() -> None:
    """The least one that so many percent do not exceed."""
    values = [float(value) for value in range(1, 101)]

    assert [percentile(values, percent) for percent in (1, 50, 95, 99, 100)] == [1.0, 50.0, 95.0, 99.0, 100.0]
    assert percentile([4.0], 50) == 4.0


@pytest.mark.parametrize(
    ("changes", "holds", "said"),
    [
        ({}, [True, True, True, True], "p99 50.0 ms <= 60 ms"),
        ({"p99_ms": 61.0}, [True, True, False, True], "p99 61.0 ms <= 60 ms"),
        ({"p99_ms": 61.0, "raw_p99_ms": 31.0}, [True, True, True, True], "p99 61.0 ms <= 2 x the raw 31.0 ms"),
        ({"p99_ms": 63.0, "raw_p99_ms": 31.0}, [True, True, False, True], "p99 63.0 ms <= 2 x the raw 31.0 ms"),
        ({"p99_ms": 60.0, "raw_p99_ms": 31.0}, [True, True, True, True], "p99 60.0 ms <= 60 ms"),
        ({"p50_ms": 18.1}, [True, False, True, True], "p99 50.0 ms <= 60 ms"),
        ({"unread": 2}, [False, True, True, True], "p99 50.0 ms <= 60 ms"),
        ({"max_checkpoint_stall_ms": 21.0}, [True, True, True, False], "p99 50.0 ms <= 60 ms"),
    ],
)
def test_bounds_say_which_they_are(changes: dict[str, Any], holds: list[bool], said: str) -> None:
    """For p99 the bound named is the one that holds; if neither does, the wider one."""
    told = bounds({**RESULT, **changes})

    assert [one for _, one in told] == holds
    assert told[2][0] == said


def test_everybody_has_an_event_before_it_is_measured() -> None:
    """So that everybody has a list; all are valid events of the users and items there are."""
    traffic, users = Traffic(seed=1), set()

    for record in traffic.preloaded(2 * N_USERS):
        event = decode(record.key, record.value, 10**15, EventRules())
        users.add(event.user_id)
        assert 0 <= int(event.item_id[1:]) < N_ITEMS

    assert len(users) == N_USERS


def test_a_catalogue_of_any_size_is_touched_as_a_whole() -> None:
    """One view of each item, in no order that its number tells; the traffic after it is of the same items."""
    traffic = Traffic(seed=1, n_items=7000)

    touching = [decode(record.key, record.value, 10**15, EventRules()) for record in traffic.touching_all()]
    ids = [event.item_id for event in touching]
    after = {decode(*traffic.event("u1"), 10**15, EventRules()).item_id for _ in range(3000)}

    assert sorted(ids) == sorted(f"i{number}" for number in range(7000))
    assert ids != sorted(ids) and {event.event_type for event in touching} == {"view"}
    assert after < set(ids) and max(int(item_id[1:]) for item_id in after) >= N_ITEMS


def test_touched_items_are_counted_once_each() -> None:
    """The default load touches most of its catalogue, a touched one all of it."""
    traffic = Traffic(seed=0)

    assert 1000 < n_touched(traffic.preloaded(10_000)) < N_ITEMS
    assert n_touched([*traffic.touching_all(), *traffic.preloaded(100)]) == N_ITEMS


class OneList:
    """A reader with one answer for all."""

    def __init__(self, found: RecommendationList | None) -> None:
        self._found = found

    async def recs(self, user_id: str) -> RecommendationList | None:
        return self._found


def default_list() -> bytes:
    """The list for people without one of their own."""
    fields = decode_list(listed(5, "a"))
    return encode_list(
        epoch=1,
        offset=5,
        user_id=None,
        namespace="",
        generated_at_ms=1,
        source=fields.source,
        model="m",
        variant="default",
        items=fields.items,
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [(listed(5, "a"), Probe("u", "a")), (listed(5), None), (default_list(), None), (None, None)],
)
def test_only_items_of_the_own_list_are_probed(payload: bytes | None, expected: Probe | None) -> None:
    """Without a list of its own, or with an empty one, a user's click would prove nothing."""
    reader = OneList(None if payload is None else decode_list(payload))
    load = OpenLoop(Traffic(seed=0), cast(AsyncReader, reader), cast(Child, None), 1000.0, 0)

    assert asyncio.run(load._click("u")) == expected


@pytest.mark.parametrize(("unread", "code"), [(0, 0), (3, 1)])
def test_command_fails_if_a_list_did_not_react(unread: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags arrive; JSON stands alone on standard output, and what should hold goes to standard error."""
    calls: list[dict[str, object]] = []

    def run(**arguments: object) -> dict[str, Any]:
        calls.append(arguments)
        return {**RESULT, "unread": unread}

    monkeypatch.setattr(freshness, "run_freshness", run)

    outcome = freshet("bench", "freshness", "--rate", "200", "--seconds", "5", "--json")

    assert outcome.code == code
    assert orjson.loads(outcome.out) == {**RESULT, "unread": unread}
    assert f"unread {unread} = 0: {'NO' if unread else 'yes'}" in outcome.err
    assert "p99 50.0 ms <= 60 ms: yes" in outcome.err
    services: dict[str, object] = {"broker": None, "redis_url": None, "access": {}, "show_progress": False}
    assert calls == [{"rate": 200.0, "seconds": 5.0, "intake": False, "items": None, **services}]


def test_size_of_the_catalogue_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too small to fill lists is refused."""
    asked: list[object] = []

    def run(*, items: int | None, **_others: object) -> dict[str, Any]:
        asked.append(items)
        return RESULT

    monkeypatch.setattr(freshness, "run_freshness", run)

    taken, refused = (freshet("bench", "freshness", "--items", n) for n in ("100000", "99"))

    assert (taken.code, refused.code, asked) == (0, 2, [100_000])
    assert "touched\t1,900\tthose among them that had an event" in taken.out
    assert "99 is not in the range 100<=x<=500000" in refused.err


def test_the_foreign_form_says_the_same() -> None:
    """What the intake makes of the traffic as others write it is the traffic."""
    source, traffic = make_source(foreign_source("n")), Traffic(seed=3)
    for number in range(200):
        plain = traffic.event(f"u{number}")

        (event,) = source.read(SourceRecord("n.visits", None, foreign_form(plain), (), 2**41))

        assert event.key == plain.key
        assert orjson.loads(event.value or b"") == orjson.loads(plain.value)
