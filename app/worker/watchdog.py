"""A thread that ends the process when nothing else would: after a fatal error, and when the worker stands still."""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

AFTER_FATAL_S = 5.0
POLL_S = 0.25
EXIT_CODE = 1


@dataclass(slots=True)
class Pulse:
    """What the worker tells the watchdog; written by the event loop, read by the thread.

    Parameters
    ----------
    beat
        When the event loop last ran (`time.monotonic`).
    folded
        Records folded so far.
    lag
        Records known to wait.
    unsaved_since
        Since when a partition is to be saved; None if none is.
    waiting_since
        Since when partitions are assigned but not ready; None otherwise.
    fatal_since
        When a fatal error was met.
    """

    beat: float = field(default_factory=time.monotonic)
    folded: int = 0
    lag: int = 0
    unsaved_since: float | None = None
    waiting_since: float | None = None
    fatal_since: float | None = None


class Watchdog(threading.Thread):
    """Ends the process with code 1, saying why, when the worker cannot.

    Parameters
    ----------
    not_ready_s
        Longest time with partitions but without their state.
    standstill_s
        Longest time without a fold while records wait, and without a turn of the event loop.
    unsaved_s
        Longest time for which something folded is in no checkpoint.
    end
        Ends the process; given by tests.
    """

    def __init__(
        self,
        pulse: Pulse,
        *,
        not_ready_s: float,
        standstill_s: float,
        unsaved_s: float,
        end: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="freshet-watchdog", daemon=True)
        self._pulse = pulse
        self._not_ready_s = not_ready_s
        self._standstill_s = standstill_s
        self._unsaved_s = unsaved_s
        self._end = end or end_process
        self._clock = clock
        self._folded = -1
        self._moved = clock()

    def run(self) -> None:
        """Look four times a second, for ever."""
        while True:
            time.sleep(POLL_S)
            verdict = self.look()
            if verdict is not None:
                self._end(verdict)
                return

    def look(self) -> str | None:
        """Why the process has to end now, or None."""
        pulse, now = self._pulse, self._clock()
        if pulse.folded != self._folded or not pulse.lag or pulse.waiting_since is not None:
            self._folded, self._moved = pulse.folded, now
        if pulse.fatal_since is not None and now - pulse.fatal_since > AFTER_FATAL_S:
            return f"the worker did not end by itself within {AFTER_FATAL_S:g} s of the error above."
        if pulse.waiting_since is not None and now - pulse.waiting_since > self._not_ready_s:
            return f"partitions are assigned for {now - pulse.waiting_since:.0f} s and their state is not loaded."
        if now - self._moved > self._standstill_s:
            return f"{pulse.lag} records wait and none was folded for {now - self._moved:.0f} s."
        if pulse.unsaved_since is not None and now - pulse.unsaved_since > self._unsaved_s:
            return f"what was folded has not been saved for {now - pulse.unsaved_since:.0f} s."
        if now - pulse.beat > self._standstill_s:
            return f"the event loop has been blocked for {now - pulse.beat:.0f} s."
        return None


def end_process(why: str) -> None:
    """Say why on standard error and end at once, without any clean-up that could hang."""
    sys.stderr.write(
        f"freshet: {why} The process ends; nothing is lost, the log will be folded from the last checkpoint.\n"
    )
    sys.stderr.flush()
    os._exit(EXIT_CODE)
