"""What two looks say together: rates, lag, freshness, hit rate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.metrics.read import quantile
from app.top.look import Look
from app.top.scrape import Scraped

STAGE: Final = "total"
DEPTH: Final = "10"


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition; `lag` as its worker says, or None where no worker was asked about it; `worker` likewise."""

    number: int
    end: int
    unsaved: int
    in_per_s: float
    lag: int | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is shown. None: no worker told of it, or nothing has happened that it could be told of.

    Parameters
    ----------
    p50_ms, p99_ms
        From event to list, of the lists between the two looks.
    hit_rate
        Of the lists that were published since the workers started, in their first ten.
    """

    n_workers: int
    state: str
    in_per_s: float
    folded_per_s: float | None
    lists_per_s: float | None
    lag: int | None
    unsaved: int
    p50_ms: float | None
    p99_ms: float | None
    hit_rate: float | None
    partitions: tuple[Partition, ...]
    errors: tuple[str, ...]


def compare(before: Look, now: Look) -> Numbers:
    """Rates between two looks, all else as of the second."""
    seconds = max(now.at_s - before.at_s, 1e-3)
    earlier = {each.place: each for each in before.workers if not each.error}
    told = [each for each in now.workers if not each.error]
    pairs = [(earlier[each.place], each) for each in told if each.place in earlier]

    def rate(name: str) -> float | None:
        return sum(max(0.0, total(b, name) - total(a, name)) for a, b in pairs) / seconds if pairs else None

    lags = {number: (int(value), each.place) for each in told for number, value in by_partition(each).items()}
    partitions = tuple(
        Partition(
            number,
            end,
            max(0, end - now.saved[number]),
            max(0, end - before.ends.get(number, end)) / seconds,
            *lags.get(number, (None, None)),
        )
        for number, end in sorted(now.ends.items())
    )
    buckets = _since(pairs)
    tests = sum(total(each, "freshet_live_tests_total") for each in told)
    hits = sum(each.samples.get("freshet_live_hits_total", {}).get((DEPTH,), 0.0) for each in told)
    return Numbers(
        n_workers=len(now.group.members),
        state=now.group.state,
        in_per_s=sum(each.in_per_s for each in partitions),
        folded_per_s=rate("freshet_events_total"),
        lists_per_s=rate("freshet_lists_published_total"),
        lag=sum(lag for lag, _ in lags.values()) if told else None,
        unsaved=sum(each.unsaved for each in partitions),
        p50_ms=quantile_ms(buckets, 0.5),
        p99_ms=quantile_ms(buckets, 0.99),
        hit_rate=hits / tests if tests else None,
        partitions=partitions,
        errors=tuple(f"{each.place}: {each.error}" for each in now.workers if each.error),
    )


def total(scraped: Scraped, name: str) -> float:
    """The sum of a metric over its labels."""
    return sum(scraped.samples.get(name, {}).values())


def by_partition(scraped: Scraped) -> dict[int, float]:
    """Records that wait, of each partition that this worker owns."""
    return {int(number): value for (number,), value in scraped.samples.get("freshet_lag_records", {}).items()}


def _since(pairs: Iterable[tuple[Scraped, Scraped]]) -> dict[float, float]:
    """Lists between two looks, counted up to each bound in seconds."""
    found: dict[float, float] = {}
    for before, now in pairs:
        earlier = before.samples.get("freshet_stage_seconds_bucket", {})
        for (stage, text), count in now.samples.get("freshet_stage_seconds_bucket", {}).items():
            if stage == STAGE:
                bound = float(text)
                found[bound] = found.get(bound, 0.0) + max(0.0, count - earlier.get((stage, text), 0.0))
    return found


def quantile_ms(cumulative: Mapping[float, float], share: float) -> float | None:
    """The time within which a share of all lies, as Prometheus guesses it: evenly spread between two bounds.

    Parameters
    ----------
    cumulative
        Bound in seconds -> how many lie below it; the last bound is infinite.

    Examples
    --------
    >>> quantile_ms({0.01: 0.0, 0.02: 10.0, float("inf"): 10.0}, 0.5), quantile_ms({float("inf"): 0.0}, 0.5)
    (15.0, None)
    """
    seconds = quantile(sorted(cumulative.items()), share)
    return None if seconds is None else round(1000 * seconds, 3)
