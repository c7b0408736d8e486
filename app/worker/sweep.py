"""Coming back to everything there is, a little at a time."""

from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic, time

SWEEP_S = 86_400.0


class Sweep:
    """Names each of many once in a period, spread evenly over it; what comes meanwhile has its turn in the next one.

    The first round begins where the time of day says, so that those who start it anew again and again, before it is
    through, come to all of them as well.

    Parameters
    ----------
    everything
        Asked once in a period.
    clock, wall_clock
        s.
    """

    def __init__(
        self,
        everything: Callable[[], Iterable[str]],
        period_s: float = SWEEP_S,
        clock: Callable[[], float] = monotonic,
        wall_clock: Callable[[], float] = time,
    ) -> None:
        self._everything = everything
        self._period_s = period_s
        self._clock = clock
        self._begins_at = wall_clock() % period_s / period_s  # of all
        self._left: deque[str] = deque()
        self._n = 0
        self._ends = clock()

    def due(self) -> list[str]:
        """Those whose turn has come since the last call."""
        now = self._clock()
        n_later = max(0, int(self._n * (self._ends - now) / self._period_s))
        ids = [self._left.popleft() for _ in range(len(self._left) - n_later)]
        if now >= self._ends:
            self._left = deque(self._everything())
            self._n = len(self._left)
            self._left.rotate(-int(self._n * self._begins_at))
            self._ends = now + self._period_s
        return ids
