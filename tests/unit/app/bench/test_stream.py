"""The result of `freshet bench stream`, and the check of the lists."""

import pytest

from app.bench import stream_lists
from app.bench.backlog import Last
from app.bench.meaning import STREAM
from app.bench.stream import check_folded, summary
from app.bench.stream_worker import Timing
from app.settings import Settings
from models.errors import StateError
from tables.list_encoding import encode_list
from tables.partition import PartitionState


def timing(n: int, seconds: float) -> Timing:
    """A run of so many records in so many seconds."""
    done = Timing(n)
    done.take({"event": "ready", "time_ms": 1000})
    end_ms = 1000 + int(1000 * seconds)
    fields = {"durable": {"0": n}, "unpublished": 0, "published": 40, "stall_ms": 3.0}
    done.take({"event": "progress", "time_ms": end_ms, **fields})
    return done


def test_ratios_are_ours_through_theirs() -> None:
    """12,000 a second beside 1,500 and 240,000 is eight times the one and a twentieth of the other."""
    result = summary(timing(24_000, 2.0), 0.1, 1500.0, {"n": 12, "hr@10": 0.25, "series": []})

    assert list(result) == list(STREAM)
    assert list(result) == [
        "pipeline_events_per_s",
        "stock_events_per_s",
        "raw_read_events_per_s",
        "ratio_to_stock",
        "ratio_to_raw",
        "lists_published",
        "evaluated_n",
        "hr@10",
        "checkpoint_bytes",
        "max_stall_ms",
    ]
    assert list(result.values())[:7] == [12_000, 1500, 240_000, 8.0, 0.05, 40, 12]
    assert result["hr@10"] == 0.25


def test_without_stock_its_fields_are_null() -> None:
    """The others stand."""
    result = summary(timing(1000, 1.0), 0.5, None, {"n": 0, "hr@10": None})

    assert (result["stock_events_per_s"], result["ratio_to_stock"], result["ratio_to_raw"]) == (None, None, 0.5)


def test_hole_in_the_log_is_found() -> None:
    """Every record is an event, a duplicate or a dead letter; if one is none of them, the numbers are told."""
    states = [PartitionState(number, 2, Settings.model_construct().fold) for number in range(2)]
    states[0].metrics.add("events", 6)
    states[0].metrics.add("late", 2)
    states[1].metrics.add("events", 1)
    states[1].metrics.add("duplicates", 2)
    states[1].metrics.add("dead_letters.not_json", 1)

    check_folded(states, 10)
    with pytest.raises(StateError, match="10 of 11 records were folded: 6 in partition 0, 1 in partition 1"):
        check_folded(states, 11)


class Stored:
    """A Redis that holds some lists."""

    def __init__(self, lists: dict[str, bytes]) -> None:
        self._lists = lists

    def run(self, commands: list[tuple[str, str]]) -> list[bytes | None]:
        return [self._lists.get(key) for _, key in commands]

    def close(self) -> None:
        pass


def listed(user_id: str, partition: int, offset: int) -> bytes:
    """A stored list."""
    return encode_list(
        epoch=1,
        offset=offset,
        user_id=user_id,
        namespace="n",
        generated_at_ms=1,
        source=("n.user_events", partition, offset),
        model="m",
        variant="default",
        items=[],
    )


def test_lists_must_be_those_of_the_last_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """An older list, one of another partition and a missing one are each named, with what was expected; others not."""
    stored = {
        "n:recs:user:1": listed("1", 0, 10),
        "n:recs:user:2": listed("2", 1, 10),
        "n:recs:user:3": listed("3", 1, 30),
    }
    monkeypatch.setattr(stream_lists, "for_threads", lambda url, timeout_s: Stored(stored))
    right = {"1": Last(0, 10)}
    stream_lists.check_lists("redis://", "n", right)

    with pytest.raises(StateError) as raised:
        stream_lists.check_lists("redis://", "n", {**right, "2": Last(1, 12), "3": Last(0, 30), "4": Last(0, 1)})

    message = str(raised.value)
    assert message.startswith("3 of 4 lists") and "user 1:" not in message
    assert "user 2: last event of offset 12 in partition 1, list of offset 10 in partition 1" in message
    assert "user 3: last event of offset 30 in partition 0, list of offset 30 in partition 1" in message
    assert "user 4: last event of offset 1 in partition 0, list missing" in message
