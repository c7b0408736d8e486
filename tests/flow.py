"""Events for tests on real Kafka: made from a seed, sent at once or, from a thread, at a rate."""

import asyncio
import itertools
import threading
import time
from types import TracebackType
from typing import Self

from app.kafka import writer
from tests.logs import made_log
from tests.scene import PATIENCE_S, Scene, Sent

PART_S = 0.05


def events(seed: int, n: int, n_users: int = 200, n_items: int = 300) -> list[Sent]:
    """Records as they come in the field: repeated, late, and one in twelve malformed."""
    return [Sent(record.key, record.value) for record in made_log(seed, n, n_users, n_items)]


class Flow:
    """Sends events at a rate until the block ends, whatever happens to the broker in between; counts them."""

    def __init__(self, scene: Scene, per_s: int, seed: int = 1) -> None:
        self._scene = scene
        self._per_part = max(1, int(per_s * PART_S))
        self._seed = seed
        self._ending = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.n_sent = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join(90)
        self._scene.n_sent += self.n_sent
        if self._error is not None and error is None:
            raise self._error

    def wait(self, n: int, timeout_s: float = PATIENCE_S) -> None:
        """Return when `n` more events are sent."""
        until, deadline = self.n_sent + n, time.monotonic() + timeout_s
        while self.n_sent < until:
            assert time.monotonic() < deadline, f"{self.n_sent} of {until} events sent in {timeout_s:g} s"
            time.sleep(PART_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._send())
        except Exception as error:  # noqa: BLE001 raised where the block ends
            self._error = error

    async def _send(self) -> None:
        settings, names = self._scene.settings, self._scene.names
        producer = writer(settings.kafka, request_timeout_ms=60_000)
        await producer.start()
        try:
            log = events(self._seed, 60_000)
            for start in itertools.cycle(range(0, len(log), self._per_part)):  # a busy machine may take all and more
                if self._ending.is_set():
                    return
                part = log[start : start + self._per_part]
                acks = [await producer.send(names.events, one.value, key=one.key) for one in part]
                await asyncio.gather(asyncio.sleep(PART_S), *acks)
                self.n_sent += len(part)
        finally:
            await producer.stop()
