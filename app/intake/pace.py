"""How soon after a transaction the next one of the same input may begin."""

from time import monotonic

PAUSE_S = 0.002  # the broker is done with the last one by then; asked before, the client waits for 20 ms
RECENT_S = 0.1


class Pace:
    """Keeps the number of a worker's transactions within bounds, however many inputs have something all the time.

    The first record after a pause is written at once. The more inputs are busy, the longer each one collects.
    """

    def __init__(self) -> None:
        self._last_s: dict[object, float] = {}

    def pause_s(self, who: object, now: float | None = None) -> float:
        """How long one that has just written is to wait.

        >>> pace = Pace()
        >>> [pace.pause_s(who, now=1.0) for who in ("a", "b", "a")]
        [0.002, 0.004, 0.004]
        """
        now = monotonic() if now is None else now
        self._last_s[who] = now
        n_busy = sum(now - last_s < RECENT_S for last_s in self._last_s.values())
        return n_busy * PAUSE_S
