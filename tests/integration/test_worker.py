"""The real worker on real Kafka and Redis: what comes in, what goes out."""

import asyncio
import time
from typing import NamedTuple

import orjson
import pytest
import redis
from confluent_kafka import Producer

from app.client import Reader
from app.store import Store
from models.events import REASONS
from models.partitioner import partition_of
from tables.keys import Keys
from tables.list_encoding import encode_list
from tables.list_json import decode_list
from tests.flow import events
from tests.scene import PATIENCE_S, Scene, Sent, send_all

PARTITIONS = 2
NOW_MS = 1_700_000_000_000


class Bad(NamedTuple):
    """A record that is no event, and why."""

    reason: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


def event(user_id: str = "u1", item_id: str = "i1", **more: object) -> bytes:
    """The bytes of an event."""
    fields = {"user_id": user_id, "item_id": item_id, "event_type": "view", "timestamp": NOW_MS, **more}
    return orjson.dumps(fields)


ELSEWHERE = 1 - partition_of(b"u1", PARTITIONS, "murmur2")
BAD = (
    Bad("not_json", b"u1", b"\xff{ no json"),
    Bad("not_object", b"u1", b'["u1"]'),
    Bad("missing_field", b"u1", b'{"user_id": "u1"}'),
    Bad("bad_type", b"u1", event(timestamp="now")),
    Bad("out_of_range", b"u1", event(item_id="{braces}")),
    Bad("unknown_event_type", b"u1", event(event_type="stare")),
    Bad("future_timestamp", b"u1", event(timestamp=int(time.time() * 1000) + 86_400_000)),
    Bad("too_large", b"u1", event(padding="x" * 900_000)),
    Bad("wrong_key", b"somebody else", event()),
    Bad("wrong_partition", b"u1", event(), ELSEWHERE),
    Bad("not_json", b"u1", None),
    Bad("wrong_key", None, event(), 0),
)


def test_every_reason_has_its_case() -> None:
    """The records below have every reason code that there is."""
    assert {bad.reason for bad in BAD} == set(REASONS)


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_bad_records_become_dead_letters(scene: Scene) -> None:
    """Each bad record lands in the dead letters as it came, with reason and origin; good ones around it are folded."""
    scene.create(PARTITIONS)
    worker = scene.worker()
    good = [Sent(b"u%d" % number, event(f"u{number}", f"i{number % 5}")) for number in range(60)]
    mixed = [one for number, bad in enumerate(BAD) for one in (*good[5 * number : 5 * number + 5], Sent(*bad[1:]))]
    scene.send(mixed)

    states = scene.assert_exact()

    sources = {
        (str(record.partition).encode(), str(record.offset).encode()): record
        for record in scene.read(scene.names.events)
    }
    letters = scene.read(scene.names.dead_letters)
    found = []
    for letter in letters:
        headers = dict(letter.headers)
        assert headers["topic"] == scene.names.events.encode()
        assert headers["message"]
        source = sources[headers["partition"], headers["offset"]]
        assert (letter.key, letter.value) == (source.key, source.value)
        assert headers["timestamp_ms"] == str(source.timestamp).encode()
        found.append((headers["reason"].decode(), letter.key, letter.value))
    assert sorted(map(repr, found)) == sorted(repr((bad.reason, bad.key, bad.value)) for bad in BAD)
    assert {user_id for state in states for user_id in state.users} == {f"u{number}" for number in range(60)}
    assert worker.exit_code is None


def test_record_without_key_and_value(scene: Scene) -> None:
    """A record with neither key nor value is a dead letter `not_json`; the worker goes on."""
    scene.create(PARTITIONS)
    producer = Producer({"bootstrap.servers": scene.settings.broker})
    producer.produce(scene.names.events, partition=0)
    assert producer.flush(20) == 0
    scene.n_sent += 1
    worker = scene.worker()
    scene.send(events(1, 100))

    scene.assert_exact()

    assert b"not_json" in [dict(letter.headers)["reason"] for letter in scene.read(scene.names.dead_letters)]
    assert worker.exit_code is None


def test_user_that_expires_at_once(scene: Scene) -> None:
    """A user with a stamp of long ago is dropped again within a few events: the worker takes it and goes on."""
    scene.create(1)
    new = [Sent(b"u%d" % number, event(f"u{number}")) for number in range(4)]
    scene.send([*new, Sent(b"old", event("old", timestamp=200_000_000_000)), *new, *new])
    worker = scene.worker()

    states = scene.assert_exact()

    assert "old" not in states[0].users
    scene.assert_lists(states)
    assert worker.exit_code is None


def test_fewer_users_kept_than_a_chunk_names(scene: Scene) -> None:
    """With a bound of 10 users, hundreds in one chunk are folded and evicted; those kept have their lists."""
    scene.create(1)
    scene.configure(max_users=10)
    scene.send(events(1, 1000))
    worker = scene.worker()

    scene.assert_lists(scene.assert_exact())

    assert worker.exit_code is None


def test_older_list_is_refused(scene: Scene) -> None:
    """A list made at an earlier offset does not replace the worker's, an equal one does."""
    scene.create(1)
    scene.worker()
    scene.send(Sent(b"u1", event(item_id=f"i{number}")) for number in range(5))
    scene.assert_lists(scene.assert_exact())
    key = Keys(scene.names.namespace).user_list("u1")
    with redis.Redis.from_url(scene.settings.redis_url) as client:
        stored = client.get(key)
    assert stored is not None

    assert publish(scene, key, 3) == (0, 1)

    with redis.Redis.from_url(scene.settings.redis_url) as client:
        assert client.get(key) == stored
    assert decode_list(stored).offset == 4
    assert publish(scene, key, 4) == (1, 0)


def publish(scene: Scene, key: str, offset: int) -> tuple[int, int]:
    """Publish an empty list of that offset; returns how many were written and how many refused."""
    payload = encode_list(
        epoch=1,
        offset=offset,
        user_id="u1",
        namespace=scene.names.namespace,
        generated_at_ms=1,
        source=(scene.names.events, 0, offset),
        model="m",
        variant="v",
        items=(),
    )

    async def run() -> tuple[int, int]:
        store = Store(scene.settings.redis_url)
        result = await store.publish_lists([(key, payload)], 60)
        await store.close()
        return result.written, result.refused

    return asyncio.run(run())


def test_view_is_filled(scene: Scene) -> None:
    """Trends, the default list, similarities and features of what was folded can be read within seconds."""
    scene.create(PARTITIONS)
    scene.worker()
    now_ms = int(time.time() * 1000) - 60_000
    for user in range(8):
        scene.send(Sent(b"u%d" % user, event(f"u{user}", f"i{item}", timestamp=now_ms)) for item in (user % 3, 3, 4))
    states = scene.assert_exact()
    scene.assert_lists(states)

    def missing() -> dict[str, str]:
        with Reader(scene.settings.redis_url, scene.names.namespace) as reader:
            found = {
                "default list": reader.recs("nobody"),
                "trending": [item for item, _ in reader.trending("1h")][:2] == ["i3", "i4"],
                "similar": {item for item, _ in reader.similar("i3")} == {"i0", "i1", "i2", "i4"},
                "item": reader.item_features("i3").get("view_all") == "8",
                "user": reader.user_features("u1").get("n_events") == "3",
            }
        return {name: "not there" for name, there in found.items() if not there}

    scene.await_none(missing, 15, "parts of the view")


def test_no_list_goes_out_before_the_catalogue_is_known(scene: Scene) -> None:
    """What was hidden before a worker began is in none of its lists, from the first on; the title of the rest is."""
    scene.create(PARTITIONS)
    entries = [Sent(b"o%d" % number, orjson.dumps({"title": "x" * 300})) for number in range(20_000)]
    entries += [Sent(b"i3", orjson.dumps({"hidden": True})), Sent(b"i4", orjson.dumps({"title": "Four"}))]
    asyncio.run(send_all(scene.settings.kafka, scene.names.catalogue, entries))
    scene.send(Sent(b"u%d" % user, event(f"u{user}", f"i{item}")) for user in range(40) for item in (user % 3, 3, 4))
    scene.send(Sent(b"v%d" % user, event(f"v{user}", "i0")) for user in range(40))
    worker = scene.worker()
    scene.assert_lists(scene.assert_exact())

    with redis.Redis.from_url(scene.settings.redis_url) as client:
        lists = [decode_list(client.get(scene.keys.user_list(f"v{user}"))) for user in range(40)]

        def default() -> set[str]:
            payload = client.get(scene.keys.default_list())
            return {item.item_id for item in decode_list(payload).items} if payload else set()

        # the first may have gone out before anything was folded
        scene.await_none(lambda: {} if default() else {"it": "not there, or empty"}, PATIENCE_S, "default lists")
        lists.append(decode_list(client.get(scene.keys.default_list())))
    for found in lists:
        items = {item.item_id for item in found.items}
        assert "i4" in items and "i3" not in items
    assert worker.exit_code is None
