"""Lists of so many records ago."""

import pytest

from app.evaluate.delayed import DelayedLists
from app.evaluate.lists import SERVED
from app.evaluate.result import result_of
from app.evaluate.run import EvaluationSettings
from tests.evaluations import evaluated, log_records
from tests.logs import made_log, record


def test_the_newest_list_that_is_old_enough_is_served() -> None:
    """Else that of the partition, else none."""
    delayed = DelayedLists([2, 5])
    delayed.keep(0, 0, [9])
    delayed.keep("u", 3, [1])
    delayed.keep("u", 6, [2])

    found = [list(map(list, delayed.lists("u", 0, now).values())) for now in (4, 5, 7, 8, 11)]

    assert found == [[[9], []], [[1], [9]], [[1], [9]], [[2], [1]], [[2], [2]]]
    assert list(map(list, delayed.lists("nobody", 1, 11).values())) == [[], []]


def test_memory_holds_the_longest_delay_and_a_list_per_reader() -> None:
    """However long the log, also for users who never come back."""
    delayed = DelayedLists([50])
    for n in range(2000):
        delayed.keep(f"u{n % 7}" if n < 1000 else f"v{n % 3}", n, [n])

    assert sum(map(len, delayed._made.values())) <= 50 + 10 + 1
    assert delayed.lists("u0", 0, 2000) == {"50 records ago": [994]}
    assert delayed.lists("v1", 0, 2000) == {"50 records ago": [1948]}


@pytest.mark.parametrize("partitions", [1, 3])
def test_late_lists_find_less(partitions: int) -> None:
    """A user's two next items are always the two that follow: what is not served at once comes too late."""
    log = [
        record(n, f"u{n // 12 % 40}", f"i{(n // 12 * 7 % 20) * 12 + n % 12}", at_ms=10**12 + n * 1000)
        for n in range(2400)
    ]
    result = result_of(evaluated(log_records(log), EvaluationSettings(partitions, 100, delays=(4, 100))))

    rates = [result["lists"][name]["hr@10"] for name in (SERVED, "4 records ago", "100 records ago")]
    assert result["delays"] == [4, 100]
    assert rates[0] > rates[1] + 0.02 > rates[2] + 0.04


def test_delays_leave_all_else_as_it_is() -> None:
    """The other lists have the numbers that they have without."""
    log = log_records(made_log(4, 800, 30, 100))
    plain, late = (result_of(evaluated(log, EvaluationSettings(2, 100, delays=delays))) for delays in ((), (50,)))

    for name in ("co_occurrence alone", "history alone", "popularity", "last_item"):  # no filler in them
        assert plain["lists"][name] == late["lists"][name]
    assert plain["tests"] == late["tests"]
