"""What is read of one input partition at a time."""

import asyncio
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from app.broker import Broker
from app.intake import fetch
from app.intake.fetch import AT_HAND, Fetcher

TP = TopicPartition("visits", 0)


class Client:
    """Asks ahead as aiokafka's consumer does: once what it had was taken, unless paused, and for what is there then.

    An answer holds at most so many records; `arrive` puts more into the log.
    """

    def __init__(self) -> None:
        self.log: list[ConsumerRecord] = []
        self.most = 10**6
        self._answer: list[ConsumerRecord] = []
        self._taken = self._stable = 0
        self._is_paused = self._asks_ahead = False

    def arrive(self, n: int) -> None:
        """So many more records; one that waits for an answer gets the first of them."""
        for _ in range(n):
            self.log.append(ConsumerRecord(*TP, len(self.log), 0, 0, None, b"", None, 0, 0, ()))
            if self._asks_ahead:
                self._ask()

    def _ask(self) -> None:
        self._answer = self.log[self._taken : self._taken + self.most]
        self._stable = len(self.log)
        self._asks_ahead = not self._answer

    async def getmany(self, tp: TopicPartition, *, timeout_ms: int, max_records: int) -> dict[Any, Any]:
        """What an answer holds; the next is asked for in another turn of the event loop."""
        if not self._answer:
            self._ask()
        taken, self._answer = self._answer[:max_records], self._answer[max_records:]
        self._taken += len(taken)
        asyncio.get_running_loop().call_soon(self._ask_ahead)
        return {tp: taken} if taken else {}

    def _ask_ahead(self) -> None:
        if not self._answer and not self._is_paused:
            self._ask()

    async def position(self, tp: TopicPartition) -> int:
        """Behind what was taken."""
        return self._taken

    def last_stable_offset(self, tp: TopicPartition) -> int:
        """The end as the last answer said it."""
        return self._stable

    def pause(self, tp: TopicPartition) -> None:
        """Ask for nothing."""
        self._is_paused = True

    def resume(self, tp: TopicPartition) -> None:
        """Ask again."""
        self._is_paused = False


async def nobody(tp: TopicPartition, batch: Any) -> bool:
    """Nothing is stepped over."""
    return False


def batches(monkeypatch: pytest.MonkeyPatch, arriving: list[int], most: int = 10**6) -> list[int]:
    """Sizes of the batches that are read, where so many records have arrived when each is asked for, one by one."""
    client = Client()
    client.most = most
    monkeypatch.setattr(fetch, "AIOKafkaConsumer", lambda **_: client)

    async def main() -> list[int]:
        fetcher = Fetcher(TP, Broker("b:1"), nobody)
        sizes = []
        for n in arriving:
            client.arrive(n)
            sizes.append(len(await fetcher.next()))
            await asyncio.sleep(0)  # it is written: the client has its turn
        return sizes

    return asyncio.run(main())


def test_a_batch_holds_all_that_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many records came while the former batch was written, the next one has them all, not only the first."""
    assert batches(monkeypatch, [1, 3, 1, 20]) == [1, 3, 1, 20]


def test_the_first_after_a_pause_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that waits has the first record as soon as it comes; those behind it are the next batch."""
    assert batches(monkeypatch, [1, 0, 4, 2]) == [1, 0, 1, 5]


def test_what_is_known_to_be_there_is_fetched_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog comes in full answers, and at most so many records at a time."""
    assert batches(monkeypatch, [25, 0, 0, 0], most=10) == [10, 10, 5, 0]
    assert batches(monkeypatch, [AT_HAND + 5, 0]) == [AT_HAND, 5]
