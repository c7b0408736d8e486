"""`freshet bench freshness`: how soon a click shows in the list that a reader gets, beside a plain consumer."""

import asyncio
import gc
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import orjson
from rich.progress import Progress

from app.bench.backlog import preload
from app.bench.child import Child
from app.bench.freshness_intake import create_foreign, foreign_form, foreign_source, foreign_topic, offsets_told
from app.bench.freshness_load import N_ITEMS, N_USERS, OpenLoop, Traffic
from app.bench.place import Place, own_place
from app.bench.workload import Sent
from app.client import AsyncReader
from app.replay.progress import Bar, shown
from app.worker.preflight import prepare_topics
from app.worker.process import WorkerProcess
from models.errors import ServiceError, SettingsError

PRELOADED = 10_000
FIRST = 110_000  # where a size is asked for: people's histories are full, whatever the catalogue
WARM_UP_S = 5.0
READY_S = 60.0
BACKLOG_PER_S = 500.0  # far fewer than a slow machine folds
STARTED_S = 20.0
ENDED_S = 20.0
POLL_S = 0.05
P50_ABOVE_RAW_MS = 15.0
P99_MS = 60.0
P99_TIMES_RAW = 2.0
HOLD_MS = 20.0
LAST_S = 2.0
MEASURED = ("n", "probed", "unread", "p50_ms", "p95_ms", "p99_ms", "max_stall_ms")


def run_freshness(
    *,
    rate: float,
    seconds: float,
    broker: str | None,
    redis_url: str | None,
    access: Mapping[str, Any] | None = None,
    show_progress: bool,
    warm_up_s: float = WARM_UP_S,
    intake: bool = False,
    items: int | None = None,
) -> dict[str, object]:
    """Send events at a fixed rate, whatever becomes of them, and read the lists of some of their users all the time.

    Parameters
    ----------
    rate
        Events a second.
    seconds
        How long to measure, after a warm-up.
    broker, redis_url
        Addresses to use, in a namespace of its own that is removed afterwards; None starts what is missing.
    access
        Settings by which they let one in; by default they ask for nothing.
    intake
        Whether to measure once more with events that come through the intake.
    items
        Size of the catalogue, each item of which is touched before anything is measured, by `FIRST` events or more;
        None: 2,000, of which the first 10,000 events touch most.

    Returns
    -------
    dict[str, object]
        `rate`, `users`, `items`; `touched`: those with an event before anything is measured. `n`: events sent in the
        measured time; `probed`: those among them that were waited for; `unread`: those whose list did not react within
        10 s. `p50_ms`, `p95_ms`, `p99_ms`: from when a probe was due to be sent until a GET shows a list that is as new
        and no longer offers its item. `raw_p50_ms`, `raw_p99_ms`: from the same time until a plain consumer has parsed
        the same event. `max_stall_ms`: the longest time that the worker's event loop stood still meanwhile;
        `max_checkpoint_stall_ms`: the longest that a checkpoint held it.
        With `intake` the same once more, names behind `intake_`; `added_p50_ms`, `added_p99_ms`: the difference.

    Raises
    ------
    ServiceError
        If something does not run, or the references saw other events.
    """
    if rate < 1 or seconds < 1:
        raise SettingsError(f"--rate {rate:g} --seconds {seconds:g} measures next to nothing: use 1 or more for both.")
    with (
        own_place("freshness", broker, redis_url, access, partitions=4) as place,
        shown(enabled=show_progress) as progress,
    ):
        return asyncio.run(_Freshness(place, rate, progress, items).run(seconds, warm_up_s, intake=intake))


class _Freshness:
    """One run."""

    def __init__(self, place: Place, rate: float, progress: Progress, items: int | None) -> None:
        self._place = place
        self._rate = rate
        self._progress = progress
        self._n_items = N_ITEMS if items is None else items
        self._traffic = Traffic(0, self._n_items)
        if items is None:
            self._first = self._traffic.preloaded(PRELOADED)
        else:
            self._first = [*self._traffic.touching_all(), *self._traffic.preloaded(max(PRELOADED, FIRST - items))]
        self._n_touched = n_touched(self._first)
        self._lines: list[tuple[float, dict[str, Any]]] = []  # when each came

    async def run(self, seconds: float, warm_up_s: float, *, intake: bool) -> dict[str, object]:
        settings, names = self._place.settings, self._place.names
        await prepare_topics(settings)
        if intake:
            await create_foreign(settings)
            self._place.settings.sources["visits"] = foreign_source(settings.namespace)
        n_first = len(self._first)
        await preload(settings.kafka, names.events, settings.partitions, self._first, lambda n: None)
        worker = self._place.start_worker(self._take)
        try:
            await asyncio.to_thread(worker.wait_ready, READY_S)
            bar = Bar(self._progress, "first events", n_first)

            def caught_up(worker: WorkerProcess) -> bool:
                bar.show(worker.folded)
                return _caught_up(worker, n_first)

            patience_s = READY_S + n_first / BACKLOG_PER_S
            await asyncio.to_thread(worker.wait_for, caught_up, patience_s, "having published all lists")
            result = await self._measure(worker, seconds, warm_up_s)
            if intake:
                await asyncio.to_thread(worker.wait_for, _is_reading, READY_S, "reading what is foreign")
                through = await self._measure(worker, seconds, warm_up_s, through_intake=True)
                result |= {f"intake_{name}": through[name] for name in MEASURED}
                for name in ("p50_ms", "p99_ms"):
                    result[f"added_{name}"] = round(through[name] - result[name], 2)
            return result
        finally:
            await asyncio.to_thread(worker.stop)

    async def _measure(
        self, worker: WorkerProcess, seconds: float, warm_up_s: float, *, through_intake: bool = False
    ) -> dict[str, Any]:
        settings, topic, folder = self._place.settings, self._place.names.events, self._place.folder
        form, written_to = (foreign_form, foreign_topic(settings.namespace)) if through_intake else (None, topic)
        folder = folder / written_to
        variables = self._place.environment
        raw_arguments = (topic, str(settings.partitions))
        reader = AsyncReader(settings.redis, settings.namespace, timeout_s=5.0)
        async with (
            Child(folder, "app.bench.freshness_probe", variables=variables) as prober,
            Child(folder, "app.bench.freshness_raw", *raw_arguments, variables=variables) as raw,
        ):
            await prober.line(STARTED_S)
            await raw.line(STARTED_S)
            n_warm_up, n = int(warm_up_s * self._rate), int(seconds * self._rate)
            load = OpenLoop(self._traffic, reader, prober, self._rate, n_warm_up, form)
            lies = offsets_told(settings.kafka, topic, settings.partitions, prober, load.probes)
            showing = asyncio.create_task(self._show(load, n_warm_up + n))
            gc.collect()
            gc.freeze()  # or collecting all that was imported would delay events
            started = time.monotonic()
            async with lies if through_intake else nullcontext():
                try:
                    await load.run(settings.kafka, settings.partitioner, written_to, n_warm_up + n)
                finally:
                    ended = time.monotonic()
                    gc.unfreeze()
                    showing.cancel()
                    await reader.close()
                if through_intake:
                    await asyncio.sleep(LAST_S)  # the last ones are on their way
            prober.tell_end()
            seen = await prober.line(ENDED_S)
            raw.tell_end()
            parsed = await raw.line(ENDED_S)
        if worker.exit_code is not None:
            raise worker.failure(f"ended with code {worker.exit_code} while it was measured")
        ours, theirs = sorted(seen["latencies_ms"]), sorted(parsed["latencies_ms"])
        if not len(ours) == len(theirs) == load.n_probed > 0:
            raise ServiceError(f"{load.n_probed} probes were sent, {len(ours)} waited for, {len(theirs)} parsed.")
        lines = [line for at, line in self._lines if started + warm_up_s < at <= ended]
        return {
            "rate": self._rate,
            "users": N_USERS,
            "items": self._n_items,
            "touched": self._n_touched,
            "n": n,
            "probed": load.n_probed,
            "unread": seen["unread"],
            "p50_ms": percentile(ours, 50),
            "p95_ms": percentile(ours, 95),
            "p99_ms": percentile(ours, 99),
            "raw_p50_ms": percentile(theirs, 50),
            "raw_p99_ms": percentile(theirs, 99),
            "max_stall_ms": max((line["stall_ms"] for line in lines), default=None),
            "max_checkpoint_stall_ms": max((line["checkpoint_stall_ms"] for line in lines), default=None),
        }

    def _take(self, line: dict[str, Any]) -> None:
        if line["event"] == "progress":
            self._lines.append((time.monotonic(), line))

    async def _show(self, load: OpenLoop, total: int) -> None:
        bar = Bar(self._progress, "sent", total)
        while True:
            bar.show(load.n_sent)
            await asyncio.sleep(POLL_S * 10)


def _caught_up(worker: WorkerProcess, n: int) -> bool:
    progress = worker.progress
    return worker.folded >= n and not progress["unpublished"] and not progress["lag"]


def _is_reading(worker: WorkerProcess) -> bool:
    return bool(worker.progress.get("intake", {}).get("inputs")) and not worker.progress["intake"]["history"]


def n_touched(records: Sequence[Sent]) -> int:
    """How many different items the events are of."""
    return len({orjson.loads(record.value)["item_id"] for record in records})


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The least of the ordered values that so many percent of them do not exceed.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 50), percentile([1.0, 2.0, 3.0, 4.0], 99)
    (2.0, 4.0)
    """
    return round(ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)], 2)


def bounds(result: dict[str, Any]) -> list[tuple[str, bool]]:
    """What is to hold, in words with the numbers, and whether it does; for p99 the wider of its two bounds."""
    p50, p99, raw_p50, raw_p99 = (result[name] for name in ("p50_ms", "p99_ms", "raw_p50_ms", "raw_p99_ms"))
    if p99 <= P99_MS or P99_TIMES_RAW * raw_p99 < P99_MS:
        tail = f"p99 {p99} ms <= {P99_MS:g} ms", p99 <= P99_MS
    else:
        tail = f"p99 {p99} ms <= {P99_TIMES_RAW:g} x the raw {raw_p99} ms", p99 <= P99_TIMES_RAW * raw_p99
    middle = f"p50 {p50} ms <= the raw {raw_p50} ms + {P50_ABOVE_RAW_MS:g} ms", p50 <= raw_p50 + P50_ABOVE_RAW_MS
    hold = result["max_checkpoint_stall_ms"]
    saving = f"a checkpoint held the event loop for {hold} ms <= {HOLD_MS:g} ms", hold <= HOLD_MS
    return [(f"unread {result['unread']} = 0", result["unread"] == 0), middle, tail, saving]
