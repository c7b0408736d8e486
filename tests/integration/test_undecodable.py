"""Batches that cannot be decoded: told apart by partition, and refused where they hold saved state."""

import asyncio

import orjson
import pytest
from aiokafka import TopicPartition

from app.dead_letters.journal import log_reader, sent_since
from app.dead_letters.marks import Origin, sent_headers
from app.decoding import tell_apart
from app.kafka import reader, start_client, writer
from app.local.stack import LocalStack
from app.worker.catalogue import Catalogue
from app.worker.catalogue_topic import run_catalogue
from app.worker.checkpoints import CheckpointWriter
from app.worker.follower import ShareFollower
from app.worker.live_view import LiveView
from app.worker.preflight import checkpoint_limits
from models.errors import StateError
from tables.digest import digests
from tests.command import freshet
from tests.damage import (
    HEADER,
    Change,
    damage,
    damaged_on_disk,
    damaged_records,
    first_of,
    latin_header,
    send_batch,
    unknown_codec,
)
from tests.exits import wait_exit
from tests.flow import events
from tests.integration.test_refusals import limit_values
from tests.scene import Scene, Sent

EXIT_S = 60.0
CASES: tuple[tuple[str | None, Change, int, str], ...] = (
    (None, damaged_on_disk, 60, "CorruptRecordException: Invalid CRC"),
    (None, unknown_codec, 60, "UnsupportedCodecError: Unknown compression codec 0x05"),
    (None, latin_header, 90, "UnicodeDecodeError: "),
    ("gzip", damaged_records, 60, "BadGzipFile: "),
    ("snappy", damaged_records, 60, "DecompressionError: "),
    ("lz4", damaged_records, 60, "DecompressionError: "),
    ("zstd", damaged_records, 60, "DecompressionError: "),
)
"""Codec, what is wrong with the batch of offsets 60 to 119, the first offset that cannot be read, and what is said."""


def batch_of(start: int, n: int = 60) -> list[Sent]:
    """Records with numbers for values; the one with number 90 has a header."""
    value = b"a value, the same as others: %d %s"
    numbers = range(start, start + n)
    return [Sent(b"k%d" % number, value % (number, HEADER.encode() if number == 90 else b"-")) for number in numbers]


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_what_can_be_decoded_is_handed_out(scene: Scene, shared: LocalStack) -> None:
    """A bad batch between good ones in each partition but one: all before it is there, and all of that one."""
    whole = len(CASES)
    scene.create(whole + 1)
    kafka, topic = scene.settings.kafka, scene.names.events
    for number, (codec, change, _, _) in enumerate(CASES):
        for start in (0, 60, 120):
            send_batch(kafka, topic, number, codec, batch_of(start))
        assert damage(shared, topic, number, 60, change).why_unreadable() is not None
    send_batch(kafka, topic, whole, "lz4", batch_of(0, 180))

    async def read(max_records: int) -> tuple[dict[int, list[int]], dict[int, tuple[int, str]]]:
        consumer = reader(kafka)
        await start_client(consumer, kafka)
        try:
            failures = tell_apart(consumer)
            assert tell_apart(consumer) is failures
            tps = [TopicPartition(topic, number) for number in range(whole + 1)]
            consumer.assign(tps)
            found: dict[int, list[int]] = {tp.partition: [] for tp in tps}
            while len(failures) < whole or len(found[whole]) < 180:
                for tp, records in (await consumer.getmany(timeout_ms=200, max_records=max_records)).items():
                    found[tp.partition] += [record.offset for record in records]
                for tp in failures:
                    assert await consumer.position(tp) == failures[tp].offset
                    consumer.pause(tp)
            return found, {tp.partition: (failure.offset, failure.why) for tp, failure in failures.items()}
        finally:
            await consumer.stop()

    for max_records in (7, 60, 10_000):
        found, failures = asyncio.run(read(max_records))
        ends = [offset for _, _, offset, _ in CASES] + [180]
        assert found == {number: list(range(end)) for number, end in enumerate(ends)}
        assert [failures[number][0] for number in range(whole)] == ends[:-1]
        assert [failures[n][1] for n, case in enumerate(CASES) if not failures[n][1].startswith(case[3])] == []


def save(scene: Scene) -> None:
    """Save what the log of one partition folds to, as its worker would."""
    (state,) = scene.folded_inline()

    async def write() -> None:
        limits = await checkpoint_limits(scene.settings)
        writer = CheckpointWriter(0, scene.names, scene.settings.kafka, limits)
        await writer.start()
        try:
            await writer.write(state.cut(-1))
        finally:
            await writer.stop()

    asyncio.run(write())
    expected = digests([state])  # a broker answers before readers see all of it
    scene.await_none(lambda: {} if digests(scene.stored(1)) == expected else {"state": "other"}, EXIT_S, "states")


def test_saved_state_that_cannot_be_read_is_refused(scene: Scene, shared: LocalStack) -> None:
    """Exit code 1, naming the place and the command; nothing is written, so that mended it is all there."""
    scene.create(1)
    scene.send(events(1, 500))
    save(scene)
    users, items = scene.names.user_checkpoints, scene.names.item_checkpoints
    before = {topic: len(scene.read(topic)) for topic in (users, items)}
    first = {topic: first_of(shared, topic, 0) for topic in (users, items)}

    damage(shared, items, 0, first[items], damaged_on_disk)
    with pytest.raises(StateError, match=rf"topic {items}, partition 0, offset {first[items]} .*`freshet reset`"):
        scene.stored(1)
    damage(shared, items, 0, first[items], damaged_on_disk)  # the same bit once more: mended

    damage(shared, users, 0, first[users], damaged_on_disk)
    refused = scene.worker(ready=False)
    assert wait_exit(refused, EXIT_S) == 1
    said = refused.log_path.read_text().splitlines()[-1]
    assert f"saved state cannot be read: topic {users}, partition 0, offset {first[users]} cannot be decoded" in said
    assert "`freshet reset`" in said
    damage(shared, users, 0, first[users], damaged_on_disk)
    assert {topic: len(scene.read(topic)) for topic in (users, items)} == before
    assert digests(scene.stored(1)) == digests(scene.folded_inline())

    damage(shared, users, 0, first[users], damaged_on_disk)
    reset = freshet("reset", "--yes", settings=scene.settings)
    assert reset.code == 0 and f"{users} was made anew" in reset.err
    assert [(marker.epoch, marker.next_offset) for marker in scene.markers().values()] == [(2, 0)]


def test_what_a_skip_refuses_and_keeps(scene: Scene, shared: LocalStack) -> None:
    """Nothing that can be decoded is stepped over, nothing whose bytes are not kept; what is, is so for good."""
    scene.create(1)
    kafka, topic = scene.settings.kafka, scene.names.events
    for start in (0, 60, 120):
        send_batch(kafka, topic, 0, "zstd", batch_of(start))

    def run(*arguments: str) -> tuple[int, str, str]:
        return freshet(*arguments, settings=scene.settings)

    assert run("stopped", "skip", "0", "60")[0] == 2  # nobody is there to be asked
    for place in (("0", "60"), ("7", "60"), ("0", "5000")):
        code, _, said = run("stopped", "skip", *place, "--yes")
        assert code == 1 and any(each in said for each in ("nothing that cannot be decoded", "partitions", "no batch"))
    assert "It holds offsets 0 to 179." in said
    bad = damage(shared, topic, 0, 60, damaged_records)
    (standing,) = orjson.loads(run("stopped", "list", "--json")[1])["stopped"]
    assert (standing["partition"], standing["offset"], standing["behind"], standing["codec"]) == (0, 60, 120, "zstd")
    assert standing["waiting"] == 120

    limit_values(scene, [scene.names.dead_letters], 1000)
    code, _, said = run("stopped", "skip", "0", "60", "--yes")
    assert code == 1 and "Raise its max.message.bytes" in said
    assert orjson.loads(run("stopped", "list", "--json")[1])["stepped_over"] == []
    limit_values(scene, [scene.names.dead_letters], 2_000_000)

    assert orjson.loads(run("stopped", "skip", "0", "60", "--yes", "--json")[1])["new"]
    assert not orjson.loads(run("stopped", "skip", "0", "99", "--yes", "--json")[1])["new"]
    found = orjson.loads(run("stopped", "list", "--json")[1])
    assert found["stopped"] == [] and [skip["first"] for skip in found["stepped_over"]] == [60]
    (letter,) = scene.read(scene.names.dead_letters)
    assert letter.value == bad.data and dict(letter.headers)["offset"] == b"60"
    assert orjson.loads(run("dead-letters", "count", "--json")[1])["by_reason"] == {"undecodable": 1}
    redrive = orjson.loads(run("dead-letters", "redrive", "--dry-run", "--json")[1])
    assert (redrive["redriven"], redrive["stay_by_reason"]) == (0, {"undecodable": 1})


def test_followers_refuse_shares_and_leave_catalogue_entries_out(
    scene: Scene, shared: LocalStack, caplog: pytest.LogCaptureFixture
) -> None:
    """Another partition's share that cannot be read ends the worker; entries that cannot be are left out, told."""
    scene.create(1)
    scene.send(events(1, 500))
    save(scene)
    kafka, fold, names = scene.settings.kafka, scene.settings.fold, scene.names
    damage(shared, names.item_checkpoints, 0, first_of(shared, names.item_checkpoints, 0), damaged_on_disk)
    entries = [Sent(b"i%d" % number, b'{"title": "t"}') for number in range(9)]
    for start in (0, 3, 6):
        send_batch(kafka, names.catalogue, 0, None, entries[start : start + 3])
    damage(shared, names.catalogue, 0, 3, damaged_on_disk)

    async def follow_shares() -> None:
        follower = ShareFollower(kafka, names.item_checkpoints, LiveView(fold), fold)
        follower.follow({0})
        async with asyncio.timeout(EXIT_S):
            await follower.run()

    async def follow_catalogue() -> set[str]:
        catalogue, view = Catalogue(names.catalogue), LiveView(fold)
        following = asyncio.create_task(run_catalogue(kafka, names.catalogue, 1, catalogue=catalogue, view=view))
        async with asyncio.timeout(EXIT_S):
            while not view.knows_catalogue:  # noqa: ASYNC110 polled
                await asyncio.sleep(0.05)
        following.cancel()
        return set(catalogue.ids)

    with pytest.raises(StateError, match=rf"saved state cannot be read: topic {names.item_checkpoints}, partition 0"):
        asyncio.run(follow_shares())
    assert asyncio.run(follow_catalogue()) == {f"i{number}" for number in (0, 1, 2, 6, 7, 8)}
    assert [line for line in caplog.messages if f"offsets 3 to 5 of partition 0 of {names.catalogue}" in line]


def test_a_redrive_looks_behind_what_cannot_be_decoded(scene: Scene, shared: LocalStack) -> None:
    """What one that died had sent is found, before and behind a bad batch of the log."""
    scene.create(1)
    kafka, topic = scene.settings.kafka, scene.names.events

    async def send() -> None:
        producer = writer(kafka)
        await start_client(producer, kafka)
        for number in range(3):
            headers = sent_headers(Origin(topic, 0, number))
            await producer.send_and_wait(topic, b"value", key=b"u", partition=0, headers=headers)
        await producer.stop()

    async def look() -> list[tuple[Origin, int, int]]:
        consumer = await log_reader(kafka, [TopicPartition(topic, 0)])
        try:
            return await sent_since(consumer, topic, {})
        finally:
            await consumer.stop()

    asyncio.run(send())
    damage(shared, topic, 0, 1, damaged_on_disk)

    assert asyncio.run(look()) == [(Origin(topic, 0, 0), 0, 0), (Origin(topic, 0, 2), 0, 2)]
