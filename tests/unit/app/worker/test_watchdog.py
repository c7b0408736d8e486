"""When the watchdog ends the process, and what it says; its clock is the test's."""

from collections.abc import Callable

import pytest

from app.worker.watchdog import AFTER_FATAL_S, POLL_S, Pulse, Watchdog


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is moved."""
    return Clock()


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    """The pulse of a worker that has just begun."""
    return Pulse(beat=clock.now)


@pytest.fixture
def look(clock: Clock, pulse: Pulse) -> Callable[[float], str | None]:
    """Let time pass, the event loop turning all the while, and look."""
    watchdog = Watchdog(pulse, not_ready_s=30, standstill_s=60, unsaved_s=100, clock=clock)

    def after(seconds: float) -> str | None:
        clock.now += seconds
        pulse.beat = clock.now
        return watchdog.look()

    return after


def test_idle_worker_is_left_alone(look: Callable[[float], str | None]) -> None:
    """Nothing to do for a day is no fault."""
    assert [look(86_400), look(1)] == [None, None]


def test_records_that_wait_without_a_fold(look: Callable[[float], str | None], pulse: Pulse) -> None:
    """Lag and no fold for longer than allowed: the number of records and the time are named."""
    pulse.lag = 700
    assert look(1) is None
    assert look(60) is None

    verdict = look(1)

    assert verdict is not None
    assert "700 records wait and none was folded for 61 s" in verdict


def test_slow_progress_is_progress(look: Callable[[float], str | None], pulse: Pulse) -> None:
    """A record now and then is enough, however long the lag lasts."""
    pulse.lag = 700
    for _ in range(10):
        pulse.folded += 1
        assert look(50) is None


def test_lag_after_idle_hours_starts_the_time_anew(look: Callable[[float], str | None], pulse: Pulse) -> None:
    """A worker idle for hours has the whole time for the first record that comes."""
    look(10_000)
    pulse.lag = 1
    assert look(59) is None
    assert look(2) is not None


def test_load_does_not_count_as_standstill(look: Callable[[float], str | None], pulse: Pulse, clock: Clock) -> None:
    """While partitions are loaded only the time for loading counts."""
    pulse.lag, pulse.waiting_since = 700, clock.now
    assert look(29) is None

    verdict = look(2)

    assert verdict is not None
    assert "assigned for 31 s and their state is not loaded" in verdict


def test_state_that_is_not_saved(look: Callable[[float], str | None], pulse: Pulse, clock: Clock) -> None:
    """Folding on without a checkpoint, for longer than one may take, makes the log behind it ever longer."""
    pulse.unsaved_since = clock.now
    pulse.folded = 5
    assert look(100) is None

    verdict = look(1)

    assert verdict is not None
    assert "not been saved for 101 s" in verdict


def test_fatal_error_gets_a_few_seconds(look: Callable[[float], str | None], pulse: Pulse, clock: Clock) -> None:
    """After a fatal error the worker has 5 s to end by itself."""
    pulse.fatal_since = clock.now
    assert look(AFTER_FATAL_S) is None
    assert look(0.1) is not None


def test_blocked_event_loop(clock: Clock, pulse: Pulse) -> None:
    """An event loop that does not turn is noticed by the thread beside it."""
    watchdog = Watchdog(pulse, not_ready_s=30, standstill_s=60, unsaved_s=100, clock=clock)
    clock.now += 61

    verdict = watchdog.look()

    assert verdict is not None
    assert "blocked for 61 s" in verdict


def test_thread_ends_the_process_once(pulse: Pulse, clock: Clock) -> None:
    """The thread calls `end` with the verdict, once, and is done."""
    said: list[str] = []
    pulse.fatal_since = clock.now - 2 * AFTER_FATAL_S
    watchdog = Watchdog(pulse, not_ready_s=30, standstill_s=60, unsaved_s=100, clock=clock, end=said.append)

    watchdog.start()
    watchdog.join(20 * POLL_S)

    assert not watchdog.is_alive()
    assert len(said) == 1
