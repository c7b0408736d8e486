"""`freshet bench stream`: how fast the whole pipeline gets through a backlog, beside plain Faust and a plain read."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.progress import Progress

from app.bench.backlog import Backlog, Last, preload
from app.bench.place import Place, own_place
from app.bench.stream_lists import check_lists
from app.bench.stream_reference import STOCK_EVENTS, read_raw, run_stock
from app.bench.stream_worker import Timing, fold_backlog
from app.replay.ordered import OrderedLog
from app.replay.progress import shown
from app.replay.readers import open_log
from app.replay.records import LogRecord
from app.worker.checkpoints import load_checkpoint
from app.worker.preflight import prepare_topics
from models.errors import StateError
from models.evaluation import merged_json
from tables.partition import PartitionState

DATASET = "ml-100k"


def run_stream(
    *,
    copies: int,
    partitions: int,
    stock: bool,
    broker: str | None,
    redis_url: str | None,
    access: Mapping[str, Any] | None = None,
    show_progress: bool,
    log: Iterable[LogRecord] | None = None,
) -> dict[str, object]:
    """Measure a worker with the default settings, every user evaluated, over a backlog that lies in Kafka already.

    Parameters
    ----------
    copies
        How often the log is taken, each time with other user ids.
    stock
        Whether to measure a plain Faust agent, too.
    broker, redis_url
        Addresses to use, in a namespace of its own that is removed afterwards; None starts what is missing.
    access
        Settings by which they let one in; by default they ask for nothing.
    log
        What the backlog is made of; MovieLens 100k by default.

    Returns
    -------
    dict[str, object]
        `pipeline_events_per_s`: from the first fetch until the checkpoints hold all, factors included, and every list
        is in Redis; what has one writer and goes out at a share of the time (similarities, trends, features) is not
        waited for.
        `stock_events_per_s`: None without it. `raw_read_events_per_s`. `ratio_to_stock`, `ratio_to_raw`: ours through
        theirs. `lists_published`, `evaluated_n`, `hr@10`, `checkpoint_bytes`; `max_stall_ms`: the longest time that
        the worker's event loop stood still.

    Raises
    ------
    StateError
        If not every record has been folded, or a user's list in Redis afterwards is not that of the user's last event.
    """
    if log is None:
        log = OrderedLog(open_log(None, dataset=DATASET, columns={}, event_type=None))
    backlog = Backlog(list(log), copies)
    changes = {"partitions": partitions, "evaluate_fraction": 1.0}
    with own_place("stream", broker, redis_url, access, **changes) as place, shown(enabled=show_progress) as progress:
        return asyncio.run(_Stream(place, backlog, progress).run(stock=stock))


class _Stream:
    """One run."""

    def __init__(self, place: Place, backlog: Backlog, progress: Progress) -> None:
        self._place = place
        self._backlog = backlog
        self._progress = progress

    async def run(self, *, stock: bool) -> dict[str, object]:
        settings, names, n = self._place.settings, self._place.names, len(self._backlog)
        await prepare_topics(settings)
        last = await self._load()
        raw_s = await read_raw(settings.kafka, names.events, settings.partitions, n)
        timing = await fold_backlog(self._place, n, self._bar("Freshet", n))
        states = await self._states()
        check_folded(states, n)
        await asyncio.to_thread(check_lists, settings.redis, settings.namespace, last)
        evaluation = merged_json([state.evaluator.prequential for state in states])
        stock_per_s = None
        if stock:
            stock_per_s = await run_stock(self._place, self._backlog, self._bar("plain Faust", min(n, STOCK_EVENTS)))
        return summary(timing, raw_s, stock_per_s, evaluation)

    async def _load(self) -> dict[str, Last]:
        settings, names = self._place.settings, self._place.names
        task = self._progress.add_task("preload", total=len(self._backlog))

        def advance(n: int) -> None:
            self._progress.advance(task, n)

        last = await preload(settings.kafka, names.events, settings.partitions, self._backlog, advance)
        self._progress.update(task, completed=len(self._backlog))
        return last

    async def _states(self) -> list[PartitionState]:
        """The partitions as they were saved."""
        settings = self._place.settings
        states = [PartitionState(number, settings.partitions, settings.fold) for number in range(settings.partitions)]
        for state in states:
            await load_checkpoint(state, self._place.names, settings.kafka)
        return states

    def _bar(self, name: str, total: int) -> Callable[[int], None]:
        task = self._progress.add_task(name, total=total)
        return lambda n: self._progress.update(task, completed=n)


def check_folded(states: Sequence[PartitionState], n_records: int) -> None:
    """Compare what the partitions have counted with the length of the log: offsets alone do not show a hole in it.

    Raises
    ------
    StateError
        With both numbers.
    """
    metrics = [state.metrics for state in states]
    names = ("events", "duplicates", "dead_letters.")
    n_folded = sum(one.total(name) for one in metrics for name in names)
    if n_folded != n_records:
        folded = ", ".join(f"{one.total('events')} in partition {state.number}" for state, one in zip(states, metrics))
        raise StateError(f"{n_folded} of {n_records} records were folded: {folded}. The worker has passed over others.")


def summary(
    timing: Timing, raw_s: float, stock_per_s: float | None, evaluation: dict[str, object]
) -> dict[str, object]:
    """The result of `run_stream`."""
    assert timing.seconds is not None
    per_s, raw_per_s = timing.n_records / timing.seconds, timing.n_records / raw_s
    return {
        "pipeline_events_per_s": round(per_s),
        "stock_events_per_s": None if stock_per_s is None else round(stock_per_s),
        "raw_read_events_per_s": round(raw_per_s),
        "ratio_to_stock": None if stock_per_s is None else round(per_s / stock_per_s, 2),
        "ratio_to_raw": round(per_s / raw_per_s, 4),
        "lists_published": timing.n_lists,
        "evaluated_n": evaluation["n"],
        "hr@10": evaluation["hr@10"],
        "checkpoint_bytes": timing.checkpoint_bytes,
        "max_stall_ms": timing.max_stall_ms,
    }
