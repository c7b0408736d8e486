"""The benchmarks of speed, tiny, on real Kafka and Redis: that they measure what they say and leave nothing behind."""

from pathlib import Path
from typing import Any

import pytest

from app.bench import freshness, memory_fold
from app.bench.freshness import run_freshness
from app.bench.meaning import FRESHNESS, MEMORY, STREAM
from app.bench.memory import COMPARED, HERE, folded, run_memory
from app.bench.memory_log import MemoryLog
from app.bench.stream import run_stream
from app.local.stack import LocalStack
from app.replay.inline import replay_inline
from app.replay.records import LogRecord, event_record
from app.settings import Settings
from models.errors import ServiceError
from models.evaluation import merged_json
from tests.stack import left_behind

N_USERS, N_ITEMS, N_STOCK = 20, 30, 100


def small_log() -> list[LogRecord]:
    """Every user rates every item, in an order of the user's own, a third of them low."""
    return [
        event_record(
            {
                "user_id": str(user),
                "item_id": f"i{(step * (1, 7, 11)[user % 3] + user) % N_ITEMS}",
                "event_type": "rating",
                "timestamp": 1_700_000_000_000 + 1000 * (N_USERS * step + user),
                "value": 5.0 - 3.0 * (step % 3 == 0),
            }
        )
        for step in range(N_ITEMS)
        for user in range(N_USERS)
    ]


@pytest.mark.timeout(300)  # two workers start, on whatever computer this is
def test_stream_folds_evaluates_and_publishes_all(shared: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is evaluated is what the fold in process evaluates; both references ran, and nothing stays behind."""
    monkeypatch.setattr("app.bench.stream_reference.STOCK_EVENTS", N_STOCK)
    monkeypatch.setattr("app.bench.stream.STOCK_EVENTS", N_STOCK)

    result: dict[str, Any] = run_stream(
        copies=1,
        partitions=2,
        stock=True,
        broker=shared.broker,
        redis_url=shared.redis_url,
        show_progress=False,
        log=small_log(),
    )

    inline = replay_inline(small_log(), Settings.model_construct(evaluate_fraction=1.0).fold, partitions=2)
    expected = merged_json([state.evaluator.prequential for state in inline.states])
    assert list(result) == list(STREAM)
    assert (result["evaluated_n"], result["hr@10"]) == (expected["n"], expected["hr@10"])
    assert 0 < expected["n"] < N_USERS * N_ITEMS
    assert result["lists_published"] >= N_USERS
    assert result["checkpoint_bytes"] > 10_000
    assert result["ratio_to_stock"] > 0 and result["ratio_to_raw"] > 0
    assert min(result[f"{name}_events_per_s"] for name in ("pipeline", "stock", "raw_read")) > 0
    assert left_behind(shared, "stream") == []


@pytest.mark.timeout(300)  # a worker and two readers start
def test_freshness_sees_every_probe(shared: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """All events go out, nearly all are probed at this rate, and every probe is seen by both."""
    monkeypatch.setattr(freshness, "PRELOADED", 5000)

    result: dict[str, Any] = run_freshness(
        rate=50,
        seconds=3,
        broker=shared.broker,
        redis_url=shared.redis_url,
        show_progress=False,
        warm_up_s=1.0,
    )

    assert list(result) == list(FRESHNESS)
    assert (result["rate"], result["users"], result["n"], result["unread"]) == (50, 5000, 150, 0)
    assert 100 <= result["probed"] <= 150
    assert 0 < result["raw_p50_ms"] <= result["raw_p99_ms"]
    assert 0 < result["p50_ms"] <= result["p95_ms"] <= result["p99_ms"]
    assert result["max_stall_ms"] >= 0 and result["max_checkpoint_stall_ms"] > 0
    assert left_behind(shared, "freshness") == []


@pytest.mark.timeout(300)  # a worker and two readers start
def test_freshness_touches_the_catalogue_that_is_asked_for(shared: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every item of a larger catalogue has an event before anything is measured, and no probe is lost by that."""
    monkeypatch.setattr(freshness, "PRELOADED", 5000)
    monkeypatch.setattr(freshness, "FIRST", 12_000)

    result: dict[str, Any] = run_freshness(
        rate=50,
        seconds=1,
        broker=shared.broker,
        redis_url=shared.redis_url,
        show_progress=False,
        warm_up_s=1.0,
        items=5000,
    )

    assert (result["items"], result["touched"], result["unread"]) == (5000, 5000, 0)
    assert left_behind(shared, "freshness") == []


@pytest.mark.timeout(300)  # two processes fold
def test_memory_counts_the_same_in_the_same_checkout(shared: LocalStack) -> None:
    """Beside itself a checkout takes as much; every user has a list in Redis, and none stays there."""
    result = run_memory(items=400, beside=HERE, redis_url=shared.redis_url, show_progress=False)

    counted = [name for name in COMPARED if name != "resident_bytes_per_item"]
    assert [name for name in result if name in MEMORY] == list(MEMORY)
    assert (result["items"], result["events"], result["lists"]) == (400, 20_400, result["users"])
    assert [result["ratio"][name] for name in counted] == [1.0] * len(counted)
    assert sum(result["parts"].values()) == pytest.approx(result["bytes_per_item"], rel=0.02)
    assert result["redis_bytes_per_list"] > 30 * result["redis_bytes_per_listed_item"] * 0.99
    assert result["redis_bytes_per_listed_item"] > 40
    assert left_behind(shared, "memory") == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("raise RuntimeError('too old')", r"ended with code 1\.(?s:.*)too old"),
        (None, "is no whole checkout: the fold used"),
    ],
)
def test_a_checkout_that_does_not_fold_says_why(tmp_path: Path, settings: str | None, said: str) -> None:
    """What failed there stands in the error; what another checkout had to help out with is no comparison."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "__init__.py").touch()
    if settings is not None:
        (tmp_path / "tables" / "fold_settings.py").write_text(settings)
    (tmp_path / "log").write_bytes(b"\n".join(MemoryLog(100)))

    with pytest.raises(ServiceError, match=said):
        folded(tmp_path, ["-P", memory_fold.__file__, str(tmp_path / "log")], {}, lambda n: None)
