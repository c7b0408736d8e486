"""When a worker says that it serves: what comes in from then on is counted, and its lists go out."""

import logging
from collections.abc import Callable, Collection
from time import monotonic
from typing import Protocol

logger = logging.getLogger("freshet")

PATIENCE_S = 10.0


class Owning(Protocol):
    """What is asked of the partitions of the current generation."""

    generation: int
    n_partitions: int
    ready: bool

    @property
    def owned(self) -> Collection[int]:
        """Partitions whose state is here and whose position is set."""


class Showing(Protocol):
    """What is asked of the view."""

    @property
    def knows_catalogue(self) -> bool:
        """Whether the catalogue was read to the end it had at the start."""

    @property
    def knows_shares(self) -> bool:
        """Whether the others' item shares were read to the ends they had."""

    @property
    def knows_factors(self) -> bool:
        """Whether the learner's rows were read to the end they had at the start."""


class Readiness:
    """Reports `serving` once in each generation, and tells what keeps the worker from it if that takes long.

    Parameters
    ----------
    unanswered
        Partitions of which the broker has not answered a fetch from the position set.
    redis_error
        Why Redis cannot be written; None if it can.
    report
        Told `serving`, with the generation, its partitions, and how many there are in all.
    """

    def __init__(
        self,
        ownership: Owning,
        view: Showing,
        *,
        unanswered: Callable[[], Collection[int]],
        redis_error: Callable[[], str | None],
        report: Callable[..., None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._ownership = ownership
        self._view = view
        self._unanswered = unanswered
        self._redis_error = redis_error
        self._report = report
        self._clock = clock
        self._served = -1
        self._told_at: float | None = None

    def look(self) -> None:
        """Say what there is to say; to be called some times a second."""
        ownership = self._ownership
        if not ownership.ready or self._served == ownership.generation:
            self._told_at = None
            return
        lacking = self.lacking()
        now = self._clock()
        if lacking is None:
            self._served = ownership.generation
            self._report(
                "serving",
                generation=ownership.generation,
                partitions=sorted(ownership.owned),
                n_partitions=ownership.n_partitions,
            )
        elif self._told_at is None:
            self._told_at = now
        elif now - self._told_at >= PATIENCE_S:
            self._told_at = now
            logger.warning("events are not served yet: %s", lacking)

    def lacking(self) -> str | None:
        """What keeps a loaded worker from serving; None: nothing does."""
        if unanswered := sorted(self._unanswered()):
            return f"the broker has not answered the first fetch of partitions {', '.join(map(str, unanswered))}"
        if not self._view.knows_catalogue:
            return "the catalogue has not been read to its end"
        if not self._view.knows_shares:
            return "the item shares of other workers have not been read to their ends"
        if not self._view.knows_factors:
            return "the factors that were learned have not been read to their end"
        if (error := self._redis_error()) is not None:
            return f"no list can be written. {error}"
        return None
