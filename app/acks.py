"""Acknowledgements of what was sent: bounded in number, and in how long they are waited for."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from models.errors import ServiceError

GIVE_UP_S: Final = 5.0
"""After an error what still lies in a producer has so long to go out."""
ANSWER_S: Final = 60.0
"""A broker that takes longer to acknowledge a record is gone: an idempotent producer by itself would wait for ever."""


def unanswered(answer_s: float) -> ServiceError:
    """The error of a broker that does not acknowledge."""
    return ServiceError(
        f"Kafka has not acknowledged what was sent {answer_s:g} s ago, and not everything has arrived. See whether the "
        "broker runs (`freshet doctor`), then send it again; events with an event_id are folded once all the same."
    )


class Acks:
    """Acknowledgements still to come; all are there when the block ends.

    Parameters
    ----------
    most
        How many may be waited for at a time.
    answer_s
        How long each.
    on_answer
        Called for each that came.
    """

    def __init__(self, most: int, answer_s: float = ANSWER_S, on_answer: Callable[[], None] = lambda: None) -> None:
        self._most = most
        self._answer_s = answer_s
        self._on_answer = on_answer
        self._pending: deque[tuple[float, asyncio.Future[Any], Callable[[], None]]] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.all_there()
        finally:
            self.let_go()

    async def all_there(self) -> None:
        """Wait for all; raises what `add` does."""
        while self._pending:
            await self._take_first()

    def let_go(self) -> None:
        """Count those that have come, and wait for no other."""
        for _, ack, on_answer in self._pending:
            if not ack.cancel() and not ack.cancelled() and ack.exception() is None:
                on_answer()
        self._pending.clear()

    async def add(self, ack: asyncio.Future[Any], on_answer: Callable[[], None] | None = None) -> None:
        """Take one more; waits if there are too many.

        Parameters
        ----------
        on_answer
            Called when it came, instead of the one for all.

        Raises
        ------
        ServiceError
            If the first of them has been waited for too long.
        KafkaError
            If the broker refused a record.
        """
        now = time.monotonic()
        self._pending.append((now, ack, on_answer or self._on_answer))
        while self._pending:
            sent_at, first, _ = self._pending[0]
            if not first.done() and len(self._pending) <= self._most and now - sent_at < self._answer_s:
                return
            await self._take_first()

    async def _take_first(self) -> None:
        sent_at, ack, on_answer = self._pending[0]
        if not ack.done():
            left_s = sent_at + self._answer_s - time.monotonic()
            await asyncio.wait([ack], timeout=max(0.0, left_s))
            if not ack.done():
                raise unanswered(self._answer_s)
        self._pending.popleft()
        ack.result()
        on_answer()
