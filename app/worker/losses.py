"""Which partitions' lists have gone with Redis: it was found empty, perhaps before the partitions came."""

from app.worker.owned import OwnedPartition


class Losses:
    """Counts how often Redis was found empty, and tells each partition once.

    Losses are numbered, for wall clocks can be set back. Only a partition just loaded is judged by the time: its lists
    were in Redis when its last marker was written, and whoever found Redis empty last has left the time there.
    """

    def __init__(self) -> None:
        self._n_at_first: int | None = None  # by the first look
        self._n = 0
        self._lost_ms = 0

    def looked(self, *, emptied: bool, lost_ms: int) -> None:
        """Redis was asked whether it has lost its data since it was asked last, and when anybody last found so."""
        self._n += emptied
        self._lost_ms = lost_ms
        if self._n_at_first is None:
            self._n_at_first = self._n

    def has_lost(self, partition: OwnedPartition) -> bool:
        """Whether its lists have to be made anew; True once for each loss.

        What the first look finds empty holds nothing yet of a partition that was never saved.
        """
        seen, partition.losses_seen = partition.losses_seen, self._n
        if seen is not None:
            return seen < self._n
        if partition.state.loaded is None:
            return (self._n_at_first or 0) < self._n
        return partition.listed_ms < self._lost_ms
