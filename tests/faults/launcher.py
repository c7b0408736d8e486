"""Runs `freshet` with one fault put in: `launcher.py FAULT worker --json`; the product has no hooks for it."""

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn
from unittest.mock import patch

import faust
from aiokafka import ConsumerRecord
from aiokafka.cluster import ClusterMetadata

from app.cli import main
from app.worker.checkpoints import CheckpointWriter, load_checkpoint
from app.worker.dead_letters import DeadLetterSender
from app.worker.lists import ListPublisher
from app.worker.ownership import Ownership
from app.worker.transport import BatchConsumer
from models.errors import InvalidEvent
from tables.cutting import Cut

GATE = Path(os.environ.get("FAULT_GATE", "gate"))
SLOW_LOAD_S, SLOW_WRITE_S = 5.0, 6.0  # above 4 s, the request timeout; above 3 s, what a revocation waits
HELD = b"hold me"
UNKNOWN_TOPIC = 3  # Kafka's code


def is_open() -> bool:
    """Whether the test has made the gate file."""
    return GATE.exists()


def slow_load() -> None:
    """Loading a partition takes seconds."""

    async def load(*args: Any, **options: Any) -> tuple[int, int]:
        await asyncio.sleep(SLOW_LOAD_S)
        return await load_checkpoint(*args, **options)

    patch("app.worker.loading.load_checkpoint", load).start()


def failing_revocation() -> None:
    """While partitions are given back, no checkpoint can be written."""
    revoke, write = Ownership.revoke, CheckpointWriter.write
    revoking = False

    async def fail(self: CheckpointWriter, cut: Cut) -> None:
        if revoking:
            raise RuntimeError("injected: no checkpoint at revocation")
        await write(self, cut)

    async def revoke_and_fail(self: Ownership, within_s: float) -> None:
        nonlocal revoking
        revoking = bool(self.owned)
        try:
            await revoke(self, within_s)
        finally:
            revoking = False

    CheckpointWriter.write = fail  # type: ignore[method-assign]
    Ownership.revoke = revoke_and_fail  # type: ignore[method-assign]


def slow_write() -> None:
    """Once the gate is open, checkpoints take longer than a revocation waits."""
    write = CheckpointWriter.write

    async def slowly(self: CheckpointWriter, cut: Cut) -> None:
        if is_open():
            await asyncio.sleep(SLOW_WRITE_S)
        await write(self, cut)

    CheckpointWriter.write = slowly  # type: ignore[method-assign]


def held_dead_letter() -> None:
    """The dead letter of the marked record is not acknowledged before the gate is open."""
    send = DeadLetterSender._send

    async def hold(self: DeadLetterSender, record: ConsumerRecord, invalid: InvalidEvent) -> object:
        while record.value == HELD and not is_open():  # noqa: ASYNC110 another process opens it
            await asyncio.sleep(0.02)
        return await send(self, record, invalid)

    DeadLetterSender._send = hold  # type: ignore[method-assign]


def no_lists() -> None:
    """Once the gate is open, no list goes out any more."""
    send = ListPublisher._send

    async def hold(self: ListPublisher, made: Any) -> bool:
        while is_open():  # noqa: ASYNC110 another process opens it
            await asyncio.sleep(0.05)
        return await send(self, made)

    ListPublisher._send = hold  # type: ignore[method-assign]


def no_bound() -> None:
    """The check at start believes that values are small."""
    patch("app.worker.preflight.largest_value", lambda settings: 100).start()


def silent_fetch() -> None:
    """Once the gate is open, nothing that comes is handed out any more, and nothing says so."""
    getmany = BatchConsumer._getmany

    async def hold(self: BatchConsumer, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109 Faust's
        if is_open():
            await asyncio.sleep(3600.0)
        return await getmany(self, active_partitions, timeout)

    BatchConsumer._getmany = hold  # type: ignore[method-assign]


def quick_metadata() -> None:
    """The client looks at the topics every second, not every few minutes."""

    def create(*args: Any, **options: Any) -> faust.App:
        return faust.App(*args, **{**options, "consumer_metadata_max_age_ms": 1000})

    patch("app.worker.worker.faust", SimpleNamespace(App=create)).start()


def unknown_topic() -> None:
    """Before the gate is open, a broker that lags behind says that there is no topic of events."""
    update = ClusterMetadata.update_metadata

    def lag(self: ClusterMetadata, metadata: Any) -> None:
        if not is_open():
            metadata.topics = [
                (UNKNOWN_TOPIC, topic[1], topic[2], []) if topic[1].endswith(".user_events") else topic
                for topic in metadata.topics
            ]
        update(self, metadata)

    ClusterMetadata.update_metadata = lag


def refused_by_the_group() -> None:
    """The broker does not let the worker join its group."""

    def create(*args: Any, **options: Any) -> faust.App:
        longer = {"broker_session_timeout": 3600.0, "broker_request_timeout": 3601.0}
        return faust.App(*args, **{**options, **longer})

    patch("app.worker.worker.faust", SimpleNamespace(App=create)).start()


def run() -> NoReturn:
    """Put the fault in and run the command line."""
    fault = sys.argv.pop(1)
    {function.__name__: function for function in FAULTS}[fault]()
    main()
    sys.exit(0)


FAULTS = (
    slow_load,
    failing_revocation,
    slow_write,
    held_dead_letter,
    no_lists,
    no_bound,
    silent_fetch,
    quick_metadata,
    unknown_topic,
    refused_by_the_group,
)

if __name__ == "__main__":
    run()
