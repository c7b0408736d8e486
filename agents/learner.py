"""The learner agent: what all partitions hand over, learned in the order of its topic."""

from collections.abc import AsyncIterable, Awaitable, Sequence
from typing import Protocol


class Batch(Protocol):
    """Consecutive records of `<app>.interactions`."""

    @property
    def values(self) -> Sequence[bytes | None]:
        """What they hold, in the order of the topic."""

    @property
    def position(self) -> int:
        """The offset behind them."""


class Learner(Protocol):
    """What is learned, and where it is kept."""

    def learn(self, values: Sequence[bytes | None], position: int) -> Awaitable[None]:
        """Learn from records; the next one is at `position`."""

    def save_if_due(self) -> Awaitable[None]:
        """Write what changed, and the position, in one transaction, unless that was done a moment ago."""


async def learn_lessons(batches: AsyncIterable[Batch], *, learner: Learner) -> None:
    """Learn what each batch teaches, and save it within seconds, however much is still to be learned.

    Reads `<app>.interactions`; writes rows of factors and the learner's marker to `<app>.factors`; key: an item's hash.
    What cannot be read ends the worker. Anything else ends this learner alone, and the next one goes on behind the last
    transaction: what was learned since is learned again.
    """
    async for batch in batches:
        await learner.learn(batch.values, batch.position)
        await learner.save_if_due()
