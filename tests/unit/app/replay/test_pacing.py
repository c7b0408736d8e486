import asyncio

import pytest

from app.replay.pacing import MAX_JUMP_MS, Pacer, parse_speed
from models.errors import SettingsError


class Clock:
    """A clock that only sleeping and the test move."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        assert delay_s > 0
        self.now_s += delay_s


def sent_at(speed: float | None, times_ms: list[int | None], busy_s: float = 0.0) -> list[float]:
    """Seconds after the start at which each record may go, if handling one takes `busy_s`."""
    clock = Clock()
    pacer = Pacer(speed, clock, clock.sleep)
    moments = []

    async def run() -> None:
        for ms in times_ms:
            await pacer.wait(ms)
            moments.append(round(clock.now_s - 1000.0, 6))
            clock.now_s += busy_s

    asyncio.run(run())
    return moments


@pytest.mark.parametrize(("text", "speed"), [("max", None), ("1x", 1.0), ("10x", 10.0), ("0.5x", 0.5)])
def test_a_speed_is_read(text: str, speed: float | None) -> None:
    """A factor of event time, or as fast as it goes."""
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "10", "x", "0x", "0.0x", "-1x", "nanx", "1e5x", "10X", "٣x", f"{'9' * 400}x"])
def test_another_speed_is_refused(text: str) -> None:
    """The message shows the value and the legal forms."""
    with pytest.raises(SettingsError, match=r"--speed has value .*: use max, or a factor above 0"):
        parse_speed(text)


def test_records_go_at_their_event_time() -> None:
    """At 1x they keep their distances, at 10x a tenth, at half speed twice."""
    times: list[int | None] = [5_000, 6_000, 6_000, 16_000]
    assert sent_at(1.0, times) == [0, 1, 1, 11]
    assert sent_at(10.0, times) == [0, 0.1, 0.1, 1.1]
    assert sent_at(0.5, times) == [0, 2, 2, 22]


def test_max_never_waits() -> None:
    """Without a speed the clock does not matter."""
    assert sent_at(None, [1, 10**12, 5]) == [0, 0, 0]


def test_late_and_timeless_records_go_at_once() -> None:
    """Out-of-order records and those without a time wait for nothing and move nothing."""
    assert sent_at(1.0, [10_000, None, 8_000, 11_000]) == [0, 0, 0, 1]


def test_a_slow_sender_catches_up() -> None:
    """Delays do not add up: the time due is counted from the start."""
    assert sent_at(1.0, [1_000, 2_000, 3_000, 4_000], busy_s=0.4) == [0, 1, 2, 3]
    assert sent_at(1.0, [1_000, 1_100, 1_200, 4_000], busy_s=0.4) == [0, 0.4, 0.8, 3]


@pytest.mark.parametrize("wrong_ms", [10_000 + 2 * MAX_JUMP_MS, 253_402_300_799_000, 1])
def test_one_wrong_stamp_changes_nothing(wrong_ms: int) -> None:
    """A record from the far future or past goes at once, and its neighbours keep their distances."""
    start = 10 * MAX_JUMP_MS
    assert sent_at(1.0, [start, wrong_ms, start + 1_000, wrong_ms, start + 2_000]) == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("jump_ms", [3 * MAX_JUMP_MS, -3 * MAX_JUMP_MS])
def test_a_long_gap_is_skipped(jump_ms: int) -> None:
    """When the log goes on more than a day later or earlier, pacing goes on from there."""
    start = 10 * MAX_JUMP_MS
    there = start + jump_ms
    assert sent_at(1.0, [start, start + 1_000, there, there + 2_000, there + 3_000]) == [0, 1, 1, 3, 4]


def test_a_gap_of_less_than_a_day_is_waited_for() -> None:
    """A night is part of the log."""
    assert sent_at(1000.0, [1, 1 + MAX_JUMP_MS]) == [0, 86.4]
