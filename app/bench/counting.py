"""`freshet bench counting`: every event counted exactly once, while workers are killed and one joins."""

import asyncio
import sys
from collections.abc import Mapping
from random import Random
from time import monotonic
from typing import Any

from rich.progress import Progress

from app.bench.faults import Fault, Ordeal, planned
from app.bench.fleet import Fleet
from app.bench.place import Place, own_place
from app.bench.stock_count import count_stock
from app.bench.stored import await_checkpoints, read_log, read_state
from app.bench.verdict import Verdict
from app.bench.workload import Workload
from app.kafka import create_topics
from app.replay.progress import shown
from models.errors import SettingsError

N_PARTITIONS = 4
N_WORKERS = 2
NEIGHBOURS = 2000
SESSION_TIMEOUT_S = 3.0
PATIENCE_S = 60.0
MIN_EVENTS = 1000


def run_counting(
    *,
    events: int,
    kills: int,
    joins: int,
    seed: int,
    stock: bool,
    broker: str | None,
    redis_url: str | None,
    access: Mapping[str, Any] | None = None,
    show_progress: bool,
) -> dict[str, object]:
    """Fold a made log under faults and compare what was checkpointed with the oracle.

    Two workers share four partitions of real Kafka. At random moments between 10 and 90 % of the log one that is at
    work is killed by `kill -9` and replaced, or another one joins. Differing keys go to standard error.

    Parameters
    ----------
    events
        Records sent: events, repeated ones and malformed ones.
    stock
        Whether to put a plain Faust counter through the same faults, too.
    broker, redis_url
        Addresses to use, in a namespace of its own that is removed afterwards; None starts what is missing.
    access
        Settings by which they let one in; by default they ask for nothing.

    Returns
    -------
    dict[str, object]
        `expected`, `counted`: events of all users, by the oracle and in the state. `lost`, `double`, `pairs_wrong`,
        `windows_wrong`: see `Verdict`. `refolded`: records folded again after faults, at least. `seconds`: from the
        first record sent until the checkpoints hold all. `stock`: None, or `expected` and `counted` of the other one.
    """
    for name, value, least in (("events", events, MIN_EVENTS), ("kills", kills, 0), ("joins", joins, 0)):
        if value < least:
            raise SettingsError(f"--{name} has value {value}: use {least} or more.")
    changes = {
        "partitions": N_PARTITIONS,
        "neighbours": NEIGHBOURS,
        "session_timeout_s": SESSION_TIMEOUT_S,
        "rebalance_timeout_s": 2 * SESSION_TIMEOUT_S,
    }
    with own_place("counting", broker, redis_url, access, **changes) as place, shown(enabled=show_progress) as progress:
        return asyncio.run(_Counting(place, events, seed, progress).run(kills, joins, stock=stock))


def is_exact(result: dict[str, object]) -> bool:
    """Whether a result of `run_counting` has no error in it."""
    errors = ("lost", "double", "pairs_wrong", "windows_wrong")
    return result["expected"] == result["counted"] and not any(result[name] for name in errors)


class _Counting:
    """One run."""

    def __init__(self, place: Place, events: int, seed: int, progress: Progress) -> None:
        self._place = place
        self._workload = Workload(events, seed)
        self._seed = seed
        self._progress = progress

    async def run(self, kills: int, joins: int, *, stock: bool) -> dict[str, object]:
        faults = planned(kills, joins, Random(self._seed))
        result = await self._count(faults)
        result["stock"] = await self._count_stock(faults) if stock else None
        return result

    async def _count(self, faults: list[Fault]) -> dict[str, object]:
        settings, names = self._place.settings, self._place.names
        await create_topics(settings.kafka, names.topics(N_PARTITIONS), settings.replication_factor)
        records = list(self._workload.records())
        fleet = Fleet(self._place.environment, self._place.folder / "freshet")
        ordeal = Ordeal(fleet, faults, Random(self._seed), bounded=True, patience_s=PATIENCE_S, gives_up=False)
        showing = asyncio.create_task(self._show(fleet, len(records)))
        try:
            await ordeal.run(settings.kafka, names.events, records, N_WORKERS)
            await await_checkpoints(settings.kafka, names, N_PARTITIONS, PATIENCE_S, fleet.check)
            seconds = monotonic() - ordeal.began
        finally:
            showing.cancel()
            await fleet.stop()
        oracles = await read_log(settings.kafka, names.events, N_PARTITIONS, records)
        states = await read_state(settings.kafka, names, N_PARTITIONS, settings.fold)
        verdict = Verdict()
        for oracle, state in zip(oracles, states, strict=True):
            verdict.judge(oracle, state)
        _tell(verdict, fleet, ordeal)
        return {
            "expected": verdict.expected,
            "counted": verdict.counted,
            "lost": verdict.lost,
            "double": verdict.double,
            "pairs_wrong": verdict.pairs_wrong,
            "windows_wrong": verdict.windows_wrong,
            "refolded": fleet.tracker.refolded,
            "seconds": round(seconds, 2),
        }

    async def _count_stock(self, faults: list[Fault]) -> dict[str, int]:
        task = self._progress.add_task("stock Faust", total=None)
        try:
            return await count_stock(
                self._place.settings.kafka,
                f"{self._place.settings.namespace}.stock",
                self._place.folder / "stock",
                self._place.environment,
                events=self._workload.n_records,
                seed=self._seed,
                faults=faults,
                n_partitions=N_PARTITIONS,
                n_workers=N_WORKERS,
                session_timeout_s=SESSION_TIMEOUT_S,
            )
        finally:
            self._progress.remove_task(task)

    async def _show(self, fleet: Fleet, n_records: int) -> None:
        task = self._progress.add_task("Freshet", total=n_records)
        while True:
            self._progress.update(task, completed=fleet.tracker.n_reached)
            await asyncio.sleep(0.2)


def _tell(verdict: Verdict, fleet: Fleet, ordeal: Ordeal) -> None:
    if not verdict.exact:
        happened = ", ".join(f"{fault.kind} at {fault.at:.1%}" for fault in ordeal.happened)
        lines = [f"Not exact; {happened or 'no faults'}. The first differences:", *verdict.differences]
        sys.stderr.write("\n  ".join(lines) + "\n")
    if fleet.crashes:
        sys.stderr.write(f"{fleet.crashes} workers ended by themselves, the last with {fleet.last_crash}\n")
