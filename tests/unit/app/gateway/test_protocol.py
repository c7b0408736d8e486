"""Connections whose request does not come."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from unittest.mock import Mock

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from app.gateway.protocol import HEAD_S, Protocol

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Timers:
    """An event loop that keeps what is to be called later, and starts nothing."""

    def __init__(self) -> None:
        self.waiting: dict[int, tuple[float, Callable[[], None]]] = {}
        self.n_requests = 0

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Any:
        number = len(self.waiting) + 100 * self.n_requests
        self.waiting[number] = (delay_s, call)

        class Handle:
            def cancel(handle) -> None:  # noqa: N805
                self.waiting.pop(number, None)

        return Handle()

    def create_task(self, work: Coroutine[Any, Any, None], **named: Any) -> Any:
        self.n_requests += 1
        work.close()
        return Mock()  # of no further use to the protocol


class Wire(asyncio.Transport):
    """A transport that is open until it is closed."""

    closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("parts", "n_requests"), [([], 0), ([REQUEST[:5]], 0), ([REQUEST[:5], REQUEST[5:9]], 0), ([REQUEST], 1)]
)
def test_a_head_that_does_not_come_closes_the_connection(parts: list[bytes], n_requests: int) -> None:
    """Nothing, a beginning, or one that drips in: closed when the time is over; a whole one ends the wait."""
    timers, wire = Timers(), Wire()
    protocol = Protocol(Config(lambda: None, log_config=None, ws="none"), ServerState(), {}, _loop=timers)

    protocol.connection_made(wire)
    for part in parts:
        protocol.data_received(part)

    assert timers.n_requests == n_requests
    assert [delay_s for delay_s, _ in timers.waiting.values()] == [HEAD_S] * (1 - n_requests)
    for _, call in list(timers.waiting.values()):
        call()
    assert wire.closed == (n_requests == 0)
