"""Pacing a replay by event time."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

from models.errors import SettingsError

MAX_JUMP_MS = 24 * 60 * 60 * 1000
"""Event time that may pass between two records and still be waited for."""

_MIN_SLEEP_S = 0.001
_SPEED = re.compile(r"(\d+(?:\.\d+)?)x", re.ASCII)


def parse_speed(text: str) -> float | None:
    """Times event time, None for as fast as it goes.

    >>> parse_speed("10x"), parse_speed("0.5x"), parse_speed("max")
    (10.0, 0.5, None)
    """
    if text == "max":
        return None
    match = _SPEED.fullmatch(text)
    speed = float(match[1]) if match else 0.0
    if not 0.0 < speed < float("inf"):
        raise SettingsError(f"--speed has value {text!r}: use max, or a factor above 0 such as 1x, 10x or 0.5x.")
    return speed


class Pacer:
    """Holds each record back until its event time is due.

    The time due is counted from an anchor, so that short delays do not add up: a sender that fell behind catches up.
    Records out of order are sent at once. A record more than a day of event time away from the one before is sent at
    once too: if the next one agrees with it, the anchor moves there (the gap is skipped), otherwise it was one wrong
    stamp and changes nothing.

    Parameters
    ----------
    speed
        Times event time; None does not wait.
    clock
        Seconds that never go back.
    sleep
        Waits for so many seconds.
    """

    def __init__(
        self,
        speed: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._ms_per_s = None if speed is None else speed * 1000.0
        self._clock = clock
        self._sleep = sleep
        self._anchor: tuple[int, float] | None = None
        self._last_ms = 0
        self._jumped_to_ms: int | None = None

    async def wait(self, event_ms: int | None) -> None:
        """Return when a record of this event time is due; at once if it has none."""
        if self._ms_per_s is None or event_ms is None:
            return
        if self._anchor is None:
            self._anchor = (event_ms, self._clock())
        elif abs(event_ms - self._last_ms) > MAX_JUMP_MS:
            jumped_to_ms, self._jumped_to_ms = self._jumped_to_ms, event_ms
            if jumped_to_ms is None or abs(event_ms - jumped_to_ms) > MAX_JUMP_MS:
                return
            self._anchor = (jumped_to_ms, self._clock())
        self._last_ms, self._jumped_to_ms = event_ms, None
        anchor_ms, anchor_s = self._anchor
        delay_s = anchor_s + (event_ms - anchor_ms) / self._ms_per_s - self._clock()
        if delay_s >= _MIN_SLEEP_S:
            await self._sleep(delay_s)
