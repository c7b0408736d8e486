"""Every event counts exactly once while workers at work are killed and one joins, by an oracle of its own."""

import pytest

from app.bench.counting import is_exact, run_counting
from app.local.stack import LocalStack

EVENTS = 30_000


@pytest.mark.timeout(400)  # three sessions run out, and up to six workers start, on whatever computer this is
def test_nothing_is_lost_double_or_wrong_under_kills_and_a_join(shared: LocalStack) -> None:
    """No user's count, no pair and no window differs, and events were indeed folded again."""
    result = run_counting(
        events=EVENTS,
        kills=3,
        joins=1,
        seed=11,
        stock=False,
        broker=shared.broker,
        redis_url=shared.redis_url,
        show_progress=False,
    )

    assert {name: result[name] for name in ("lost", "double", "pairs_wrong", "windows_wrong")} == {
        "lost": 0,
        "double": 0,
        "pairs_wrong": 0,
        "windows_wrong": 0,
    }
    assert result["expected"] == result["counted"]
    assert is_exact(result)
    refolded, expected = result["refolded"], result["expected"]
    assert isinstance(refolded, int) and refolded > 0
    assert isinstance(expected, int) and EVENTS * 0.95 < expected < EVENTS
    assert result["stock"] is None
