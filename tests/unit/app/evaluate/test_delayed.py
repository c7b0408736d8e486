"""Lists of so many records ago."""

import re

import pytest

from app.evaluate.delayed import DelayedLists
from app.evaluate.delays import parse_delays
from app.evaluate.lists import SERVED
from app.evaluate.result import result_of
from app.evaluate.run import EvaluationSettings
from models.errors import SettingsError
from tests.evaluations import evaluated, log_records
from tests.logs import made_log, record


def kept(delays: str, made: list[tuple[str | int, int, int]]) -> DelayedLists:
    """Lists of one item, the number of the list, by (reader, records, time); the clock is the time."""
    delayed = DelayedLists(parse_delays(delays))
    for number, (reader, n_records, time_ms) in enumerate(made):
        delayed.keep(reader, [number], n_records, time_ms, time_ms)
    return delayed


def found(delayed: DelayedLists, user: str, n_records: int = 0, time_ms: int = 0) -> list[list[int]]:
    """What a user of partition 0 is served, by each delay."""
    return [list(items) for items in delayed.lists(user, 0, n_records, time_ms).values()]


def test_the_newest_list_that_is_old_enough_is_served() -> None:
    """Else that of the partition, else none."""
    delayed = kept("2,5", [(0, 0, 0), ("u", 3, 0), ("u", 6, 0)])

    assert [found(delayed, "u", now) for now in (4, 5, 7, 8, 11)] == [
        [[0], []],
        [[1], [0]],
        [[1], [0]],
        [[2], [1]],
        [[2], [2]],
    ]
    assert [list(items) for items in delayed.lists("nobody", 1, 11, 0).values()] == [[], []]


def test_by_time_a_list_is_served_from_its_event_and_the_delay_on() -> None:
    """To the millisecond, beside delays in records, the times first; the partition's list stands in."""
    delayed = kept("3,1s,20ms", [(0, 0, 1_000), ("u", 1, 5_000), ("u", 2, 5_020)])

    served = [found(delayed, "u", 2, time_ms) for time_ms in (5_019, 5_020, 5_040, 5_999, 6_000, 6_020)]
    assert [each[:2] for each in served] == [[[0], [0]], [[1], [0]], [[2], [0]], [[2], [0]], [[2], [1]], [[2], [2]]]
    assert list(delayed.lists("u", 0, 5, 5_020)) == ["20ms ago", "1s ago", "3 records ago"]
    assert [each[2] for each in served] == [[]] * 6
    assert found(delayed, "u", 5, 0)[2] == [2]


def test_an_older_time_does_not_bring_an_older_list_back() -> None:
    """A late event's list is the user's newest all the same, and stands where the one before stood."""
    delayed = kept("1s", [("u", 1, 9_000), ("u", 2, 4_000)])

    assert [found(delayed, "u", 0, time_ms) for time_ms in (5_000, 9_999, 10_000)] == [[[]], [[]], [[1]]]


@pytest.mark.parametrize("by_time", [False, True])
def test_memory_holds_the_longest_delay_and_a_list_per_reader(by_time: bool) -> None:
    """However long the log, also for users who never come back, and with one wrong time far in the future."""
    delayed = DelayedLists(parse_delays("50ms" if by_time else "50"))
    delayed.keep("wrong", [0], 0, 10**12, 0)
    for n in range(2000):
        delayed.keep(f"u{n % 7}" if n < 1000 else f"v{n % 3}", [n], n, n, n)

    held = delayed._of[not by_time]
    assert sum(map(len, held._made.values())) <= 50 + 11 + 1
    assert len(held._order) <= 50 + 2
    assert delayed._of[by_time]._made == {}
    assert [found(delayed, user, 2000, 2000) for user in ("u0", "v1")] == [[[994]], [[1948]]]


def test_who_lags_behind_the_clock_costs_one_list() -> None:
    """A log that is grouped by user, each of whom begins long before the clock: the newest list of each is held."""
    delayed = DelayedLists(parse_delays("1h"))
    for n in range(1000):
        delayed.keep(f"u{n // 100}", [n], n, 1000 * (n % 100), 10**9)

    held = delayed._of[False]
    assert (sum(map(len, held._made.values())), len(held._order)) == (10, 0)


@pytest.mark.parametrize("partitions", [1, 3])
def test_late_lists_find_less(partitions: int) -> None:
    """A user's two next items are always the two that follow: what is not served at once comes too late."""
    log = [
        record(n, f"u{n // 12 % 40}", f"i{(n // 12 * 7 % 20) * 12 + n % 12}", at_ms=10**12 + n * 1000)
        for n in range(2400)
    ]
    delays = parse_delays("4,100,4s,100s")
    result = result_of(evaluated(log_records(log), EvaluationSettings(partitions, 100, delays=delays)))

    for late in ("4 records ago", "100 records ago"), ("4s ago", "100s ago"):
        rates = [result["lists"][name]["hr@10"] for name in (SERVED, *late)]
        assert rates[0] > rates[1] + 0.02 > rates[2] + 0.04
    at_once, *by_delay = result["delays"]
    assert at_once == {
        "delay": "0",
        "seconds": 0.0,
        "records": 0,
        **{metric: result["lists"][SERVED][metric] for metric in ("hr@10", "hr@20", "ndcg@10")},
    }
    assert [(each["delay"], each.get("seconds"), each.get("records")) for each in by_delay] == [
        ("4s", 4.0, None),
        ("100s", 100.0, None),
        ("4", None, 4),
        ("100", None, 100),
    ]
    for each in by_delay:
        assert each["lost"]["hr@10"]["mean"] == pytest.approx(at_once["hr@10"] - each["hr@10"], abs=2e-5)


def test_delays_leave_all_else_as_it_is() -> None:
    """The other lists have the numbers that they have without."""
    log = log_records(made_log(4, 800, 30, 100))
    plain, late = (
        result_of(evaluated(log, EvaluationSettings(2, 100, delays=delays))) for delays in ((), parse_delays("50,1s"))
    )

    for name in ("co_occurrence alone", "history alone", "popularity", "last_item"):  # no filler in them
        assert plain["lists"][name] == late["lists"][name]
    assert plain["tests"] == late["tests"]


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("0,1s,10s,1m,1h,1d", "1s 10s 1m 1h 1d"),
        ("1000, 60s, 1m, 0s", "1m 1000"),
        ("36h,1500ms,10", "1500ms 36h 10"),
        ("0", ""),
    ],
)
def test_delays_are_read_in_any_order_and_once(text: str, parsed: str) -> None:
    """Times first, the short before the long, in the widest unit that fits; 0 is the list itself."""
    assert " ".join(delay.text for delay in parse_delays(text)) == parsed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1x", "'1x' in '1x' is no delay: use numbers of records"),
        ("1s,", "'' in '1s,' is no delay"),
        ("-1", "'-1'"),
        ("1.5s", "'1.5s'"),
        ("10000001", "at most 10,000,000 records"),
        ("3651d", "or 3650d"),
    ],
)
def test_what_is_no_delay_is_refused_with_what_is(text: str, said: str) -> None:
    """The part, the whole, and examples."""
    with pytest.raises(SettingsError, match=re.escape(said)):
        parse_delays(text)
