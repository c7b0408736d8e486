"""How many requests one caller may send: a bucket of tokens for each."""

import math
from collections import OrderedDict


class Buckets:
    """Token buckets, one a caller; the one unused for longest goes when there are too many.

    Parameters
    ----------
    rate_per_s
        Tokens that come back a second; 0: no limit.
    burst
        Tokens of a full bucket.
    max_buckets
        Callers remembered. A forgotten one begins with a full bucket.
    """

    def __init__(self, rate_per_s: float, burst: int, max_buckets: int = 10_000) -> None:
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._max_buckets = max_buckets
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, caller: str, now_s: float) -> int:
        """Take a token; 0 if there was one, else the whole seconds until there is.

        Parameters
        ----------
        now_s
            A clock that never goes back.
        """
        if not self._rate_per_s:
            return 0
        tokens, at_s = self._buckets.get(caller, (self._burst, now_s))
        tokens = min(self._burst, tokens + (now_s - at_s) * self._rate_per_s)
        short = tokens < 1.0
        self._buckets[caller] = (tokens if short else tokens - 1.0, now_s)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)
        return max(1, math.ceil((1.0 - tokens) / self._rate_per_s)) if short else 0
