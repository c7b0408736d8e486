"""Sending a log to a broker that answers late, never, or with an error; the producer's joints are played."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from app.acks import Acks
from app.broker import Broker
from app.replay import send
from app.replay.pacing import Pacer
from app.replay.records import LogRecord
from models.errors import ServiceError

RECORDS = [LogRecord(b"u", b"{}", None)] * 10


class FakeBroker:
    """Stands in for the producer; acknowledges a record when `answer` says so."""

    def __init__(self, answer: Callable[[int, asyncio.Future[None]], None]) -> None:
        self.answer = answer
        self.acks: list[asyncio.Future[None]] = []
        self.most_pending = 0
        self.client = SimpleNamespace(close=self.close)
        self._sender = SimpleNamespace(sender_task=SimpleNamespace(cancel=lambda: None))
        self.closed = False

    async def start(self) -> None:
        """Nothing to do."""

    async def send(self, topic: str, **record: Any) -> asyncio.Future[None]:
        """Take a record."""
        ack = asyncio.get_running_loop().create_future()
        self.acks.append(ack)
        self.most_pending = max(self.most_pending, sum(not each.done() for each in self.acks))
        self.answer(len(self.acks), ack)
        return ack

    async def stop(self) -> None:
        """Wait for every acknowledgement, for ever, like the real one."""
        if not all(ack.done() and not ack.cancelled() for ack in self.acks):
            await asyncio.Event().wait()

    async def close(self) -> None:
        """Hang up."""
        self.closed = True


def later(number: int, ack: asyncio.Future[None]) -> None:
    """Acknowledge a little later."""
    asyncio.get_running_loop().call_later(0.01, ack.set_result, None)


def never_after_3(number: int, ack: asyncio.Future[None]) -> None:
    """The broker dies behind the third record."""
    if number <= 3:
        later(number, ack)


def refused(number: int, ack: asyncio.Future[None]) -> None:
    """The broker takes nothing."""
    ack.set_exception(KafkaTimeoutError("no"))


def run(broker: FakeBroker, patch: pytest.MonkeyPatch, *, most: int = 4, answer_s: float = 0.2) -> int:
    """Send ten records."""
    patch.setattr(send, "writer", lambda *args, **options: broker)
    patch.setattr(send, "Acks", lambda _: Acks(most, answer_s))
    patch.setattr(send, "ANSWER_S", answer_s)
    patch.setattr(send, "GIVE_UP_S", answer_s)

    async def sending() -> int:
        async with send.log_producer(Broker("far:9092"), "murmur2") as producer:
            n, _ = await send.send_events(producer, "events", RECORDS, Pacer(None), lambda: None)
            return n

    return asyncio.run(asyncio.wait_for(sending(), 10))


def test_all_are_acknowledged_and_few_are_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the bound wait at a time, and none when it returns."""
    broker = FakeBroker(later)

    assert run(broker, monkeypatch) == 10
    assert all(ack.done() for ack in broker.acks)
    assert broker.most_pending == 5
    assert not broker.closed


@pytest.mark.parametrize("most", [4, 100])
def test_broker_that_died_ends_the_sending(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """What is not acknowledged in time is an error that says so; the producer, which would wait for ever, is let go."""
    broker = FakeBroker(never_after_3)

    with pytest.raises(ServiceError, match=r"has not acknowledged what was sent 0\.2 s ago"):
        run(broker, monkeypatch, most=most)
    assert broker.closed


def test_refusal_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's error comes through, at the first record."""
    broker = FakeBroker(refused)

    with pytest.raises(KafkaTimeoutError):
        run(broker, monkeypatch)
    assert len(broker.acks) == 1


def test_old_acknowledgement_is_missed_at_the_next_record() -> None:
    """A slow pace does not hide that the broker has long been gone."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with Acks(100, 0.05) as acks:
            await acks.add(loop.create_future())
            await asyncio.sleep(0.06)
            await acks.add(loop.create_future())
            pytest.fail("not missed")

    with pytest.raises(ServiceError, match="has not acknowledged"):
        asyncio.run(run())
