"""Python's garbage collector, kept from holding the event loop while events flow.

A full collection looks at every object there is, hundreds of milliseconds for a loaded state. What was loaded stays for
as long as the partitions do: it is looked at once when they have come, and then set aside. What is made later is
collected fully when the worker is idle; without idle moments once some twenty million objects have been added.
"""

import asyncio
import gc
from collections.abc import Callable

THRESHOLDS = (2_000, 10, 1_000)  # new objects, young collections, middle ones (each about a millisecond)
WORTH_A_COLLECTION = 50  # middle collections since the last full one
POLL_S = 1.0


def settle() -> None:
    """Collect everything once, and set aside what is left; partitions have come, or others than before."""
    gc.set_threshold(*THRESHOLDS)
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def collect_when_idle(done: Callable[[], int]) -> None:
    """Collect for ever in seconds in which nothing is done; `done` counts what is."""
    before = -1
    while True:
        await asyncio.sleep(POLL_S)
        now = done()
        if now == before and gc.get_count()[2] >= WORTH_A_COLLECTION:
            gc.collect()
        before = now
