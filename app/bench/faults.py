"""What happens to workers while they work, and when: kills and joins at drawn moments of the log."""

import asyncio
from collections.abc import Sequence
from random import Random
from time import monotonic
from typing import NamedTuple

from app.bench.feed import feed
from app.bench.fleet import Fleet
from app.bench.workload import Sent
from app.broker import Broker
from models.errors import ServiceError

FIRST, LAST = 0.10, 0.86  # what is folded until a fault has happened comes on top, SLACK at most
SLACK = 0.04
LEAD = 0.1
POLL_S = 0.05
AT_WORK_WITHIN_S = 2.0
OWNED_WITHIN_S = 90.0
KILL, JOIN = "kill", "join"


class Fault(NamedTuple):
    """One fault: when this share of the log has been folded, `kill` (and replace) a worker, or let one `join`."""

    at: float
    kind: str


def planned(kills: int, joins: int, random: Random) -> list[Fault]:
    """Faults at random moments, in their order."""
    kinds = [KILL] * kills + [JOIN] * joins
    random.shuffle(kinds)
    return [Fault(at, kind) for at, kind in zip(sorted(random.uniform(FIRST, LAST) for _ in kinds), kinds)]


class Ordeal:
    """A fleet that folds a log while faults happen.

    Parameters
    ----------
    bounded
        Whether the log is sent only a tenth ahead of what is folded, and not past the next fault: so each fault
        happens in its place however fast the workers are.
    patience_s
        Longest time without any progress.
    gives_up
        Whether the next fault then comes all the same; else that is an error.
    """

    def __init__(
        self, fleet: Fleet, faults: Sequence[Fault], random: Random, *, bounded: bool, patience_s: float, gives_up: bool
    ) -> None:
        self.fleet = fleet
        self.happened: list[Fault] = []
        self.began = 0.0
        self._faults = list(faults)
        self._random = random
        self._bounded = bounded
        self._patience_s = patience_s
        self._gives_up = gives_up

    async def run(self, broker: Broker, topic: str, records: Sequence[Sent], n_workers: int) -> None:
        """Start the workers, send the log, and return when all faults have happened and all is sent.

        Raises
        ------
        ServiceError
            If the workers do not get on.
        """
        for _ in range(n_workers):
            self.fleet.add()
        await self._until_owned()
        self.began = monotonic()
        feeding = asyncio.create_task(feed(broker, topic, records, lambda: self._allowed(len(records))))
        try:
            for fault in self._faults:
                await self._reach(fault.at * len(records), feeding)
                await self._happen(fault.kind)
                self.happened.append(Fault(self.fleet.tracker.n_reached / len(records), fault.kind))
            while not feeding.done():
                await self.fleet.wait(POLL_S)
            await feeding
        finally:
            feeding.cancel()

    def _allowed(self, n_records: int) -> int:
        if not self._bounded:
            return n_records
        ahead = self.fleet.tracker.n_reached + max(500, int(LEAD * n_records))
        waiting = self._faults[len(self.happened) :]
        return min(ahead, int((waiting[0].at + SLACK) * n_records) if waiting else n_records)

    async def _reach(self, n_records: float, feeding: asyncio.Task[None]) -> None:
        tracker = self.fleet.tracker
        reached, since = tracker.n_reached, monotonic()
        while tracker.n_reached < n_records:
            await self.fleet.wait(POLL_S)
            if feeding.done():
                await feeding
            if tracker.n_reached > reached:
                reached, since = tracker.n_reached, monotonic()
            elif monotonic() - since > self._patience_s:
                if self._gives_up:
                    return
                raise ServiceError(
                    f"the workers stand still: {reached} records folded, none for {self._patience_s:g} s. "
                    f"Partitions and their workers: {tracker.owners}. {self.fleet.last_crash}"
                )

    async def _happen(self, kind: str) -> None:
        if kind == KILL:
            await self.fleet.kill(await self._victim())
        self.fleet.add()

    async def _victim(self) -> int:
        """A worker at work; one that merely holds partitions if none is for a while."""
        tracker, since = self.fleet.tracker, monotonic()
        await self._until_owned()
        while not tracker.moving and monotonic() - since < AT_WORK_WITHIN_S:
            await self.fleet.wait(POLL_S)
            await self._until_owned()
        return self._random.choice(tracker.owning())

    async def _until_owned(self) -> None:
        """Return when a worker holds a partition."""
        since = monotonic()
        while not self.fleet.tracker.owners:
            if monotonic() - since > OWNED_WITHIN_S:
                raise ServiceError(f"no worker holds a partition for {OWNED_WITHIN_S:g} s. {self.fleet.last_crash}")
            await self.fleet.wait(POLL_S)
