"""Bad events larger than any topic takes unpacked: the broker has them compressed, and their letters are cut."""

import asyncio
import time

import orjson
from aiokafka import AIOKafkaProducer, ConsumerRecord

from app.kafka import writer
from app.worker.dead_letters import LEAST_LIMIT_BYTES, OVERHEAD_BYTES, DeadLetterSender
from models.errors import InvalidEvent
from models.events import EventRules, decode
from tests.command import freshet
from tests.integration.test_refusals import limit_values
from tests.scene import Scene, Sent

N_PARTITIONS = 2
HUGE = 3_000_000


def event(user_id: str, **more: object) -> bytes:
    """The bytes of an event."""
    fields = {"user_id": user_id, "item_id": "i1", "event_type": "view", "timestamp": 1_700_000_000_000}
    return orjson.dumps({**fields, **more})


def send_compressed(scene: Scene, records: list[Sent]) -> None:
    """Send records as a producer does that compresses: the broker sees some KB."""

    async def send() -> None:
        producer: AIOKafkaProducer = writer(
            scene.settings.kafka, compression_type="gzip", max_request_size=8 * HUGE, max_batch_size=8 * HUGE
        )
        await producer.start()
        for one in records:
            await producer.send_and_wait(scene.names.events, one.value, key=one.key)
        await producer.stop()

    asyncio.run(send())
    scene.n_sent += len(records)


def test_a_bad_event_larger_than_any_letter_stops_nobody(scene: Scene) -> None:
    """Good events around it are folded and saved exactly; its letter is there, cut, and names the whole one."""
    scene.create(N_PARTITIONS)
    worker = scene.worker()
    good = [Sent(b"u%d" % number, event(f"u{number}")) for number in range(40)]
    scene.send(good[:20])
    send_compressed(scene, [Sent(b"u1", event("u1", note="x" * HUGE)), Sent(b"u" * HUGE, event("u2"))])
    scene.send(good[20:])

    states = scene.assert_exact()

    assert sum(state.metrics.counts.get("events", 0) for state in states) == 40
    found = {}
    for letter in scene.read(scene.names.dead_letters):
        headers = {name: text.decode() for name, text in letter.headers}
        found[headers["reason"]] = letter.key, letter.value, headers
    sources = {(str(one.partition), str(one.offset)): one for one in scene.read(scene.names.events)}
    for reason, name in (("too_large", "value"), ("wrong_key", "key")):
        key, value, headers = found[reason]
        source = sources[headers["partition"], headers["offset"]]
        assert int(headers[f"{name}_bytes"]) == len(getattr(source, name)) >= HUGE
        assert (key, value) == (source.key[:65_536], source.value[:65_536])
    assert worker.stop() == 0


def test_list_shows_that_a_letter_is_cut_and_redrive_leaves_it(scene: Scene) -> None:
    """Even one whose beginning would be an event; one that is cut in its key alone is sent under the right one."""
    scene.create(N_PARTITIONS)
    rules = EventRules(max_bytes=2 * HUGE)
    padded = event("u1") + b" " * HUGE
    assert decode(b"u1", padded[:65_536], int(time.time() * 1000), rules).user_id == "u1"

    async def write() -> None:
        sender = DeadLetterSender(scene.settings.kafka, scene.names.dead_letters)
        await sender.start()
        for offset, (key, value) in enumerate([(b"u1", padded), (b"u" * HUGE, event("u2"))]):
            record = ConsumerRecord(scene.names.events, 0, offset, 5, 0, key, value, None, 1, 1, ())
            await sender.send(record, InvalidEvent("wrong_key", "no."))
        await sender.stop()

    asyncio.run(write())

    listed = freshet("dead-letters", "list", settings=scene.settings).out.splitlines()
    lines = freshet("dead-letters", "list", "--json", settings=scene.settings).out.splitlines()
    plan = freshet("dead-letters", "redrive", "--dry-run", settings=scene.settings).out.splitlines()
    redriven = freshet("dead-letters", "redrive", "--yes", "--json", settings=scene.settings)

    assert f"no. Here are the first 65536 of the {len(padded)} bytes of its value." in listed[1]
    assert [(one["key_bytes"], one["value_bytes"]) for one in map(orjson.loads, lines)] == [
        (None, len(padded)),
        (HUGE, None),
    ]
    assert plan[1:] == ["cut\t0\t1", "wrong_key\t1\t0", "total\t1\t1"]
    assert orjson.loads(redriven.out)["stay_by_reason"] == {"cut": 1}
    assert [(one.key, one.value) for one in scene.read(scene.names.events)] == [(b"u2", event("u2"))]


def test_the_broker_takes_every_letter_there_can_be(scene: Scene) -> None:
    """With the lowest limit that is allowed, under the longest message, around the size where cutting begins."""
    scene.create(N_PARTITIONS)
    limit_values(scene, [scene.names.dead_letters], LEAST_LIMIT_BYTES)
    room = LEAST_LIMIT_BYTES - OVERHEAD_BYTES
    sizes = [0, 100, 8_000, 16_000, room - 1, room, room + 1, HUGE]

    async def write() -> None:
        sender = DeadLetterSender(scene.settings.kafka, scene.names.dead_letters)
        await sender.start()
        acks = [
            sender.send(
                ConsumerRecord("t" * 249, 0, offset, 5, 0, b"", b"x" * size, None, 1, 1, ()),
                InvalidEvent("not_json", "\u20ac" * 10_000),
            )
            for offset, size in enumerate(4 * sizes)
        ]
        await asyncio.gather(*acks)
        await sender.stop()

    asyncio.run(write())

    letters = scene.read(scene.names.dead_letters)
    whole = [len(letter.value) for letter in letters if "value_bytes" not in dict(letter.headers)]
    assert sorted(whole) == sorted(4 * sizes[:-2])
    assert len(letters) == 4 * len(sizes)
