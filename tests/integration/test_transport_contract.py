"""What the transport makes of Faust on a real broker: fetching, positions, commits, revocation, the end."""

import asyncio
import re
import signal
import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from app.kafka import reader
from app.worker.process import WorkerProcess
from tests.flow import events
from tests.scene import PATIENCE_S, Scene, Sent


async def committed(scene: Scene, n_partitions: int) -> dict[int, int]:
    """The group's committed offsets, as any tool sees them."""
    consumer: AIOKafkaConsumer = reader(scene.settings.kafka, group_id=scene.names.group)
    await consumer.start()
    try:
        tps = [TopicPartition(scene.names.events, number) for number in range(n_partitions)]
        return {tp.partition: await consumer.committed(tp) or 0 for tp in tps}
    finally:
        await consumer.stop()


def folded_unsaved(scene: Scene) -> WorkerProcess:
    """A worker that has folded 500 records of one partition, and will not save them before its end."""
    scene.create(1)
    scene.configure(checkpoint_s=60.0)
    scene.send(events(1, 500))
    worker = scene.worker()
    worker.wait_for(lambda one: one.folded == 500, PATIENCE_S, "all records folded")
    return worker


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_committed_is_what_is_durable(scene: Scene) -> None:
    """The group's offsets are those of the last checkpoints, so lag seen from outside is durable lag."""
    scene.create(2)
    scene.send(events(1, 1000))
    scene.worker()
    ends = {state.number: state.next_offset for state in scene.await_durable()}

    def late() -> dict[str, str]:
        found = asyncio.run(committed(scene, 2))
        assert all(found[number] <= end for number, end in ends.items())
        return {} if found == ends else {"committed": str(found)}

    scene.await_none(late, 10, f"offsets, which should be {ends},")


def test_nothing_is_committed_ahead_of_a_checkpoint(scene: Scene) -> None:
    """Folded and not yet saved: nothing is committed."""
    folded_unsaved(scene)
    time.sleep(2.5)  # two of Faust's commit intervals

    assert asyncio.run(committed(scene, 1)) == {0: 0}


def test_position_comes_from_the_checkpoint_not_from_the_group(scene: Scene) -> None:
    """A successor goes on at the marker's offset, whatever the group has committed."""
    assert folded_unsaved(scene).stop() == 0

    async def commit_nonsense() -> None:
        consumer: AIOKafkaConsumer = reader(scene.settings.kafka, group_id=scene.names.group)
        await consumer.start()
        tp = TopicPartition(scene.names.events, 0)
        consumer.assign([tp])
        await consumer.commit({tp: 17})
        await consumer.stop()

    asyncio.run(commit_nonsense())
    scene.configure(checkpoint_s=0.2)
    successor = scene.worker()
    scene.send(events(2, 100))

    scene.assert_exact()
    assert successor.of_kind("loaded")[0]["next_offset"] == 500


def test_given_back_before_taken_over(scene: Scene) -> None:
    """At a join the old owner has saved before the new one is ready; partitions that stay keep their memory."""
    scene.create(2)
    scene.send(events(1, 500))
    first = scene.worker()
    first.wait_for(lambda one: one.folded == 500, PATIENCE_S, "all records folded")
    second = scene.worker()
    first.wait_for(lambda one: len(one.of_kind("ready")) == 2, PATIENCE_S, "its new generation")

    given_back, ready = first.of_kind("revoked")[0], second.of_kind("ready")[0]
    assert sum(given_back["partitions"].values()) == 500
    assert given_back["time_ms"] <= ready["time_ms"]
    assert ready["generation"] == first.of_kind("ready")[1]["generation"]
    moved, stayed = ready["partitions"], first.of_kind("ready")[1]["partitions"]
    assert sorted([*moved, *stayed]) == [0, 1]
    assert [line["partition"] for line in first.of_kind("kept")] == stayed
    assert [line["partition"] for line in second.of_kind("loaded")] == moved


def test_end_saves_once(scene: Scene) -> None:
    """At the end partitions are given back exactly once, with a checkpoint, before the worker reports its end."""
    worker = folded_unsaved(scene)

    assert worker.stop() == 0

    assert [line["event"] for line in worker.lines][-3:] == ["checkpoint", "revoked", "stopped"]
    assert len(worker.of_kind("revoked")) == 1


def test_one_fetch_of_many_records(scene: Scene) -> None:
    """A backlog much larger than chunks in flight is folded to its end, in seconds."""
    scene.create(1)
    scene.configure(chunk_records=10)
    scene.send(events(1, 5000))
    since = time.monotonic()
    worker = scene.worker()
    ready_s = time.monotonic() - since

    worker.wait_for(lambda one: one.folded == 5000, PATIENCE_S, "all records folded")

    assert time.monotonic() - since - ready_s < 20
    scene.assert_exact()


def test_what_a_producer_took_back_has_not_happened(scene: Scene) -> None:
    """Events of an aborted transaction are not folded, nor does a worker wait for them, or for those of an open one."""
    scene.create(1)
    scene.configure(standstill_s=2.0)
    worker = scene.worker()
    kept, aborted, late = events(1, 300), events(2, 300), events(3, 50)

    async def send(producer: AIOKafkaProducer, records: list[Sent]) -> None:
        for record in records:
            await producer.send(scene.names.events, record.value, key=record.key)
        await producer.flush()

    async def transactions() -> None:
        producer = AIOKafkaProducer(**scene.settings.kafka.client(), transactional_id=scene.names.namespace)
        await producer.start()
        try:
            async with producer.transaction():
                await send(producer, kept)
            await producer.begin_transaction()
            await send(producer, aborted)
            await producer.abort_transaction()
            await asyncio.sleep(4.0)  # twice the standstill
            await producer.begin_transaction()
            await send(producer, late)
            await asyncio.sleep(4.0)
            assert worker.folded == len(kept)  # its offset
            await producer.commit_transaction()
        finally:
            await producer.stop()

    asyncio.run(transactions())
    scene.n_sent = len(kept) + len(late)

    scene.assert_exact()
    assert worker.exit_code is None


def test_records_deleted_before_they_were_folded_are_told(scene: Scene) -> None:
    """Retention overtakes a worker that stands still for a moment: it goes on behind, and says what is missing."""
    scene.create(1)
    scene.send(events(1, 100))
    worker = scene.worker()
    worker.wait_for(lambda one: one.folded == 100, PATIENCE_S, "the first events folded")
    worker.signal(signal.SIGSTOP)
    scene.send(events(2, 1))  # answers the fetch that is under way, perhaps
    scene.send(events(3, 199))

    async def delete() -> None:
        admin = AIOKafkaAdminClient(**scene.settings.kafka.client())
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(scene.names.events, 0): RecordsToDelete(before_offset=250)})
        finally:
            await admin.close()

    asyncio.run(delete())
    worker.signal(signal.SIGCONT)
    worker.wait_for(lambda one: one.folded == 300, PATIENCE_S, "the rest folded")

    async def transactions() -> None:
        producer = AIOKafkaProducer(**scene.settings.kafka.client(), transactional_id=scene.names.namespace)
        await producer.start()
        for record in events(4, 5):  # each is followed by a mark, which is passed over in good order
            async with producer.transaction():
                await producer.send_and_wait(scene.names.events, record.value, key=record.key)
        await producer.stop()

    asyncio.run(transactions())

    def untold() -> dict[str, str]:
        told = re.search(r"records 10[01] to 249 of partition 0 were deleted before", worker.log_path.read_text())
        return {} if told else {"log": "says nothing"}

    scene.await_none(untold, 10, "logs")
    assert worker.exit_code is None
