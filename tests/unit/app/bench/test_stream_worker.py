"""The clock of the pipeline, from the worker's lines."""

from typing import Any

from app.bench.stream_worker import Timing


def progress(time_ms: int, durable: int, unpublished: int = 0, stall_ms: float = 1.0) -> dict[str, Any]:
    """A progress line of two partitions."""
    return {
        "event": "progress",
        "time_ms": time_ms,
        "durable": {"0": durable, "1": 0},
        "unpublished": unpublished,
        "published": 7,
        "stall_ms": stall_ms,
    }


def ready(time_ms: int) -> dict[str, Any]:
    """The line that says that fetching begins."""
    return {"event": "ready", "time_ms": time_ms, "generation": 1, "partitions": [0, 1]}


def test_clock_runs_from_ready_to_the_last_list() -> None:
    """Saved but not published is not the end, and published but not saved neither; later lines change nothing."""
    timing = Timing(100)
    for line in (
        {"event": "started", "time_ms": 500},
        ready(1000),
        progress(1100, 60),
        progress(1200, 100, unpublished=1),
        progress(1300, 99),
    ):
        timing.take(line)
        assert timing.seconds is None

    timing.take(progress(3500, 100))
    timing.take(progress(9000, 100, stall_ms=500.0))
    timing.take(ready(9500))

    assert (timing.seconds, timing.n_saved, timing.n_lists, timing.max_stall_ms) == (2.5, 100, 7, 1.0)


def test_stall_before_the_first_fetch_does_not_count() -> None:
    """The first progress line also tells of the start of the process; all others count."""
    timing = Timing(100)

    for line in (ready(1000), progress(1100, 1, stall_ms=900.0), progress(1200, 1, stall_ms=12.5), progress(1300, 100)):
        timing.take(line)

    assert timing.max_stall_ms == 12.5


def test_bytes_of_checkpoints_add_up() -> None:
    """Those of all partitions, until the end."""
    timing = Timing(100)
    lines = [{"event": "checkpoint", "partition": number, "next_offset": 1, "bytes": 10} for number in (0, 1, 0)]

    for line in (ready(1000), *lines, progress(1300, 100), lines[0]):
        timing.take(line)

    assert timing.checkpoint_bytes == 30
