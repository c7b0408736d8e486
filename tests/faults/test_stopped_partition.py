"""One batch that cannot be decoded: its partition stands, told, and goes on when it is stepped over."""

import time

import orjson
import pytest

from app.local.stack import LocalStack
from models.partitioner import partition_of
from tests.command import freshet
from tests.damage import damage, send_batch, unknown_codec
from tests.flow import events
from tests.scene import PATIENCE_S, Scene, Sent, Stop

PARTITIONS, BAD = 6, 3
STANDSTILL_S = 3.0


def events_of(partition: int, n: int) -> list[Sent]:
    """Valid events whose users all belong to one partition."""
    users = [f"b{number}" for number in range(200) if partition_of(b"b%d" % number, PARTITIONS) == partition]
    value = b'{"user_id": "%s", "item_id": "i%d", "event_type": "view", "timestamp": 1700000000000}'
    return [
        Sent(user.encode(), value % (user.encode(), number), partition)
        for number, user in enumerate(users[number % len(users)] for number in range(n))
    ]


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_it_stands_alone_and_goes_on_when_stepped_over(scene: Scene, shared: LocalStack) -> None:
    """Five of six partitions stay exact, over two kills; the sixth is told, and exact again once it is stepped over."""
    scene.create(PARTITIONS)
    scene.configure(standstill_s=STANDSTILL_S)
    scene.send(events(1, 1200))
    lost = events_of(BAD, 40)
    offset = send_batch(scene.settings.kafka, scene.names.events, BAD, "zstd", lost)
    scene.n_sent += len(lost)
    bad = damage(shared, scene.names.events, BAD, offset, unknown_codec)
    scene.send(events(2, 1200))
    scene.stops[BAD] = Stop(offset)

    for seed in (3, 4):
        worker = scene.worker()
        worker.wait_for(lambda one: bool(one.of_kind("partition_stopped")), PATIENCE_S, "the stop")
        scene.send(events(seed, 600))
        scene.assert_lists(scene.assert_exact())
        worker.kill()

    worker = scene.worker()
    worker.wait_for(lambda one: bool(one.progress.get("stopped")), PATIENCE_S, "the stop")
    time.sleep(STANDSTILL_S + 1.0)
    assert worker.exit_code is None  # no standstill, although records wait
    (told,) = worker.of_kind("partition_stopped")
    assert (told["topic"], told["partition"], told["offset"]) == (scene.names.events, BAD, offset)
    assert (told["first"], told["behind"], told["codec"]) == (offset, offset + 40, "unknown (5)")
    assert "Unknown compression codec 0x05" in told["why"]
    assert worker.progress["stopped"][str(BAD)]["offset"] == offset and worker.progress["lag"] >= 40
    logged = f"partition {BAD} of {scene.names.events} stands at offset {offset}"
    assert worker.log_path.read_text().count(logged) == 1

    found = orjson.loads(freshet("doctor", "--json", settings=scene.settings).out)["findings"]
    (finding,) = [each for each in found if each["check"] == "stopped partitions"]
    assert finding["status"] == "wrong"
    assert f"partition {BAD} of {scene.names.events} stands at offset {offset}" in finding["found"]
    assert f"freshet stopped skip {BAD} {offset}" in finding["advice"]

    skipped = freshet("stopped", "skip", str(BAD), str(offset + 7), "--yes", settings=scene.settings)
    assert skipped.code == 0, skipped.err
    worker.wait_for(lambda one: bool(one.of_kind("partition_goes_on")), PATIENCE_S, "the end of the stop")
    scene.stops[BAD] = Stop(offset, offset + 40)
    scene.send(events(5, 600))
    states = scene.assert_exact()
    scene.assert_lists(states)
    counts = states[BAD].metrics.counts
    assert (counts["undecodable.batches"], counts["undecodable.offsets"]) == (1, 40)
    (letter,) = [one for one in scene.read(scene.names.dead_letters) if dict(one.headers)["reason"] == b"undecodable"]
    assert letter.value == bad.data
    assert worker.stop() == 0

    assert freshet("reset", "--yes", settings=scene.settings).code == 0
    again = scene.worker()
    again.wait_for(lambda one: bool(one.of_kind("partition_goes_on")), PATIENCE_S, "the stop's end, by itself")
    scene.assert_exact()  # of the higher epoch, digests and all
    assert not again.of_kind("partition_stopped")
