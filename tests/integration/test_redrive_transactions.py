"""Re-driving into a log in which others have transactions, open or taken back."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from app.dead_letters.journal import Journal, log_ends, log_reader, sent_since
from models.errors import ServiceError
from tests.integration.test_redrive import N_PARTITIONS, event, in_the_log, put, result, run
from tests.scene import Scene, Sent
from tests.transactions import taken_back

LETTERS: list[tuple[str, bytes | None]] = [("wrong_partition", event(f"u{number}")) for number in range(12)]


def transaction(scene: Scene) -> AbstractAsyncContextManager[AIOKafkaProducer]:
    """One of somebody else, with an event in each partition; taken back at the end."""
    return taken_back(scene, [Sent(b"never", event("never"), number) for number in range(N_PARTITIONS)])


def test_what_lies_behind_an_open_transaction_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody folds it yet, but it has been sent: the redrive after one that died does not send it again."""
    scene.create(N_PARTITIONS)
    put(scene, LETTERS)

    async def dies(*_: object) -> None:
        raise ServiceError("killed")

    async def main() -> None:
        async with transaction(scene):
            with monkeypatch.context() as patch:
                patch.setattr(Journal, "mark", dies)
                outcome = await asyncio.to_thread(run, scene, "--yes")
            assert (outcome.code, "killed" in outcome.err) == (1, True)
            assert await asyncio.to_thread(in_the_log, scene) == []
            after = await asyncio.to_thread(result, scene)
            assert (after["found"], after["redriven"]) == (len(LETTERS), 0)

    asyncio.run(main())

    assert sorted(in_the_log(scene)) == sorted(value for _, value in LETTERS if value is not None)


def test_the_remains_of_a_transaction_do_not_hold_the_search_up(scene: Scene) -> None:
    """A log that ends with what was taken back, and its mark, is read to its end."""
    scene.create(N_PARTITIONS)

    async def main() -> None:
        async with transaction(scene):
            pass
        log = [TopicPartition(scene.names.events, number) for number in range(N_PARTITIONS)]
        consumer = await log_reader(scene.settings.kafka, log)
        try:
            async with asyncio.timeout(20):
                while await log_ends(consumer, scene.names.events) != dict.fromkeys(range(N_PARTITIONS), 2):  # noqa: ASYNC110 marks follow
                    await asyncio.sleep(0.05)
                assert await sent_since(consumer, scene.names.events, {}) == []
        finally:
            await consumer.stop()

    asyncio.run(main())
