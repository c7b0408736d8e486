"""What is wrong now, and what to do: the alarms of deploy/prometheus/rules.yml, for who looks instead of being paged.

They are the same causes with shorter patience: a page that is looked at may say at once what should wake nobody yet.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from app.dashboard.growth import Totals, Window, grown, grown_by
from app.dashboard.log import LogState
from app.dashboard.workers import Worker

Severity = Literal["page", "warn"]

MUCH_LAG: Final = 1000.0
STALE_S: Final = 90.0
RECENT_S: Final = 600.0
PACE_S: Final = 30.0
FELL: Final = 0.7
LEAST_TESTS: Final = 200
NAMES: Final = (
    "FreshetNoWorker", "FreshetWorkerNotReady", "FreshetLagGrowing", "FreshetNoEvents", "FreshetPartitionStopped",
    "FreshetIntakeStopped", "FreshetDeadLetters", "FreshetStaleCheckpoints", "FreshetRedisErrors", "FreshetListsFenced",
    "FreshetHitRateFell",
)  # fmt: skip
"""Those of workers that Prometheus has as well, in its order."""


class Alarm(NamedTuple):
    """Something that is wrong.

    Parameters
    ----------
    severity
        `page`: people get no or old lists; `warn`: look at it today.
    """

    name: str
    severity: Severity
    what: str
    do: str


def alarms_of(workers: Sequence[Worker], log: LogState, redis_error: str | None, window: Window) -> list[Alarm]:
    """Everything that is wrong at a moment, the worst first.

    Parameters
    ----------
    window
        Totals of the last ten minutes.
    """
    found = [
        *_of_services(log, redis_error),
        *_of_workers(workers),
        *_of_partitions(workers, window),
        *_of_growth(window),
    ]
    return sorted(found, key=lambda alarm: alarm.severity != "page")


def _of_services(log: LogState, redis_error: str | None) -> Iterator[Alarm]:
    if log.error is not None:
        yield Alarm("KafkaAway", "page", log.error, "Is the broker up? `freshet doctor` looks at all that is needed.")
    if redis_error is not None:
        yield Alarm(
            "RedisAway", "page", redis_error, "Is Redis up? Workers keep their lists and write them when it is back."
        )


def _of_workers(workers: Sequence[Worker]) -> Iterator[Alarm]:
    answering = [worker for worker in workers if worker.error is None]
    if not answering:
        said = "; ".join(f"{worker.address} {worker.error}" for worker in workers) or "none is named"
        yield Alarm(
            "FreshetNoWorker",
            "page",
            f"No worker answers: {said}.",
            "Is `freshet worker` running, and does it serve metrics (FRESHET_METRICS_LISTEN_PORT) where the dashboard "
            "looks (FRESHET_DASHBOARD_WORKERS)? If it has ended, the last line of its log says why.",
        )
    for worker in workers if answering else ():
        if worker.error is not None:
            yield Alarm(
                "FreshetNoWorker",
                "warn",
                f"Worker {worker.address} {worker.error}.",
                "If it has ended, the last line of its log says why; its partitions go to the others.",
            )
        elif worker.value("freshet_ready") == 0:
            yield Alarm(
                "FreshetWorkerNotReady",
                "warn",
                f"Worker {worker.address} is not ready.",
                f"`curl http://{worker.address}/readyz` says why. Reading saved state, or a backlog, ends by itself.",
            )
        if (n := worker.value("freshet_intake_stopped") or 0) > 0:
            yield Alarm(
                "FreshetIntakeStopped",
                "page",
                f"{n:g} partitions of sources stand on {worker.address}.",
                "The worker's log and `freshet doctor` name the input and the reason.",
            )
        if worker.value("freshet_redis_up") == 0:
            yield Alarm(
                "FreshetRedisErrors",
                "page",
                f"Redis does not answer {worker.address}.",
                "Is it up, is its memory full, may the user write? `freshet doctor` says which. Afterwards nothing has "
                "to be done: what is missing is written anew.",
            )


def _of_partitions(workers: Sequence[Worker], window: Window) -> Iterator[Alarm]:
    lag: Counter[str] = Counter()
    for worker in workers:
        for (number,), waiting in worker.samples.get("freshet_lag_records", {}).items():
            lag[number] += int(waiting)
        for (number,), stopped in worker.samples.get("freshet_partition_stopped", {}).items():
            if stopped:
                yield Alarm(
                    "FreshetPartitionStopped",
                    "page",
                    f"Partition {number} stands at a batch that cannot be decoded; the others go on.",
                    "`freshet stopped list` shows where and why. Mend the log, or step over the batch: "
                    "`freshet stopped skip PARTITION OFFSET` (its bytes are kept).",
                )
        for (number,), age_s in worker.samples.get("freshet_checkpoint_age_seconds", {}).items():
            if age_s > STALE_S:
                yield Alarm(
                    "FreshetStaleCheckpoints",
                    "page",
                    f"What partition {number} has folded is unsaved for {age_s:.0f} s.",
                    "The broker does not take transactions: is it up, has it disk space, do enough replicas keep in "
                    "step?",
                )
    for number, waiting in sorted(lag.items()):
        if waiting > MUCH_LAG:
            yield Alarm(
                "FreshetLagGrowing",
                "warn",
                f"Partition {number} has {waiting:,} records to fold{_pace(window)}.",
                "A backlog after a start ends by itself. If it grows, start more workers, up to the number of "
                "partitions, and see under Stream which stage takes the time.",
            )


def _pace(window: Window) -> str:
    found = window.since(PACE_S)
    if found is None:
        return ""
    seconds, before, now = found
    return f"; {grown('freshet_events_total', before, now) / seconds:,.0f} a second are folded in all"


def _of_growth(window: Window) -> Iterator[Alarm]:
    found = window.since(RECENT_S)
    if found is None:
        return
    seconds, before, now = found
    letters = {reason: n for (reason,), n in grown_by("freshet_dead_letters_total", before, now).items() if n > 0}
    if letters:
        said = ", ".join(f"{reason} {n:,.0f}" for reason, n in sorted(letters.items()))
        yield Alarm(
            "FreshetDeadLetters",
            "warn",
            f"Records became dead letters in the last {_minutes(seconds)}: {said}.",
            "Dead letters shows some of them, and what to set. Mend the producer or the mapping, then re-drive them.",
        )
    if grown("freshet_lists_fenced_total", before, now) > 0:
        yield Alarm(
            "FreshetListsFenced",
            "warn",
            "Redis holds newer lists than the workers make.",
            "After a crash this lasts until the log is folded up to them. If it stays, the lists are of another log: "
            "`freshet reset` begins a new epoch.",
        )
    known = window.since(2 * RECENT_S)
    if known is not None and known[0] > 1.5 * RECENT_S:
        middle = before
        _, first, _ = known
        if grown("freshet_events_total", middle, now) == 0 and grown("freshet_events_total", first, middle) > 0:
            yield Alarm(
                "FreshetNoEvents",
                "page",
                f"No event was folded for {_minutes(seconds)}, and there were some before.",
                "Do producers send, to this topic and namespace? `freshet doctor` compares.",
            )
        yield from _fell(first, middle, now)


def _fell(first: Totals, middle: Totals, now: Totals) -> Iterator[Alarm]:
    rates = []
    for before, after in ((first, middle), (middle, now)):
        n = grown("freshet_live_tests_total", before, after)
        hits = grown_by("freshet_live_hits_total", before, after).get(("10",), 0.0)
        if n < LEAST_TESTS:
            return
        rates.append(hits / n)
    if rates[1] < FELL * rates[0]:
        yield Alarm(
            "FreshetHitRateFell",
            "warn",
            f"The hit rate fell from {rates[0]:.1%} to {rates[1]:.1%}.",
            "Is what comes still what it was: types of events, item ids, the catalogue? Did a campaign bring other "
            "people? It comes back as the lists learn.",
        )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
