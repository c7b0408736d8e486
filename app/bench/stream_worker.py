"""The pipeline of `freshet bench stream`: a worker over a backlog, timed by its own lines."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from app.bench.place import Place

READY_S = 60.0
STANDSTILL_S = 120.0
POLL_S = 0.05


class Timing:
    """What a worker's lines say about a backlog, from `ready`, just before its first fetch, to its last list.

    Parameters
    ----------
    n_records
        How long the backlog is.
    """

    def __init__(self, n_records: int) -> None:
        self.n_records = n_records
        self.n_saved = 0
        self.checkpoint_bytes = 0
        self.max_stall_ms = 0.0
        self.n_lists = 0
        self._began_ms = 0
        self._ended_ms = 0
        self._n_progress = 0

    @property
    def seconds(self) -> float | None:
        """From the first fetch to when all is saved and learned, and every list is in Redis; None until then."""
        return (self._ended_ms - self._began_ms) / 1000 if self._ended_ms else None

    def take(self, line: dict[str, Any]) -> None:
        """Take one line; those after the end change nothing."""
        if self._ended_ms:
            return
        kind = line["event"]
        if kind == "ready":
            self._began_ms = self._began_ms or line["time_ms"]
        elif kind == "checkpoint":
            self.checkpoint_bytes += line["bytes"]
        elif kind == "progress" and self._began_ms:
            self._progress(line)

    def _progress(self, line: dict[str, Any]) -> None:
        if self._n_progress:  # the first one also tells of what was before
            self.max_stall_ms = max(self.max_stall_ms, line["stall_ms"])
        self._n_progress += 1
        self.n_saved, self.n_lists = sum(line["durable"].values()), line["published"]
        learns = line.get("learner", {}).get("waiting", False)
        if self.n_saved >= self.n_records and not line["unpublished"] and not learns:
            self._ended_ms = line["time_ms"]


async def fold_backlog(place: Place, n_records: int, show: Callable[[int], None]) -> Timing:
    """Let a worker fold, save and publish all of a backlog, and end it.

    Raises
    ------
    ServiceError
        If it ends before, or stands still.
    """
    timing = Timing(n_records)
    worker = place.start_worker(timing.take)
    try:
        await asyncio.to_thread(worker.wait_ready, READY_S)
        moved, saved = time.monotonic(), -1
        while timing.seconds is None:
            await asyncio.sleep(POLL_S)
            show(timing.n_saved)
            if timing.n_saved != saved:
                moved, saved = time.monotonic(), timing.n_saved
            if worker.exit_code is not None or time.monotonic() - moved > STANDSTILL_S:
                raise worker.failure(f"is at {timing.n_saved} of {n_records} records, and does not go on")
    finally:
        await asyncio.to_thread(worker.stop)
    return timing
