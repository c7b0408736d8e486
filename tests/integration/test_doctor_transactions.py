"""What the doctor says of a log in which others have transactions."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest
from aiokafka import AIOKafkaProducer

from app.doctor.group import check_group, without_records
from app.doctor.held import check_held
from app.kafka_admin import committed_offsets
from tests.scene import Scene, Sent
from tests.transactions import taken_back


def event(user_id: str) -> bytes:
    """The bytes of an event."""
    return b'{"user_id": "%s", "item_id": "i", "event_type": "view", "timestamp": 1700000000000}' % user_id.encode()


def committed(scene: Scene) -> dict[int, int]:
    """The group's offsets of the one partition."""
    return asyncio.run(committed_offsets(scene.settings.kafka, scene.names.group, scene.names.events, 1))


def transaction(scene: Scene, partition: int, n: int) -> AbstractAsyncContextManager[AIOKafkaProducer]:
    """One of somebody else, with `n` events; taken back at the end."""
    return taken_back(scene, [Sent(b"u1", event("u1"), partition)] * n)


async def leave_remains(scene: Scene, partition: int, n: int) -> None:
    """Leave what is left of a transaction that was aborted."""
    async with transaction(scene, partition, n):
        pass


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_what_was_taken_back_is_no_lag(scene: Scene) -> None:
    """A log that ends with an aborted transaction: workers have nothing to fold there, so none stands still."""
    scene.create(1)
    scene.worker()
    scene.send([Sent(b"u%d" % number, event(f"u{number}")) for number in range(10)])
    scene.await_durable()
    scene.await_none(lambda: {} if committed(scene) == {0: 10} else {"not": "10"}, 10, "offsets")
    asyncio.run(leave_remains(scene, 0, 5))

    workers, *lag = asyncio.run(check_group(scene.settings))

    assert workers.status == "ok"
    assert [(finding.status, finding.found) for finding in lag] == [
        ("ok", "records in no checkpoint, by partition: 0: 0")
    ]


def test_what_is_to_be_folded_is_told_from_what_is_not(scene: Scene) -> None:
    """One record behind the remains is enough; a partition at its end has none."""
    scene.create(3)
    asyncio.run(leave_remains(scene, 0, 5))
    asyncio.run(leave_remains(scene, 1, 5))
    scene.send([Sent(b"u1", event("u1"), 1)])

    done = asyncio.run(without_records(scene.settings.kafka, scene.names.events, {0: 0, 1: 0, 2: 0}))

    assert done == {0, 2}


def test_an_open_transaction_is_noted(scene: Scene) -> None:
    """Workers see nothing behind it, so it is no lag: the doctor says what is there, and nothing once it has ended."""
    scene.create(2)

    async def main() -> None:
        async with transaction(scene, 1, 3):
            (note,) = await check_held(scene.settings)
            assert (note.status, note.found) == ("note", "records behind an open transaction, by partition: 1: 3")
            assert f"find-hanging --topic {scene.names.events}" in note.advice
        assert await check_held(scene.settings) == []

    asyncio.run(main())
