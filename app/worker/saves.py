"""What checkpoints have cost since the worker started."""

from dataclasses import dataclass


@dataclass(slots=True)
class Saves:
    """Checkpoints written, their bytes and the time from cut to commit; and those that were not.

    `lessons_at` is when the last one with lessons in it was committed, monotonic s; 0 if none was.
    """

    n: int = 0
    n_failed: int = 0
    n_bytes: int = 0
    seconds: float = 0.0
    lessons_at: float = 0.0

    def add(self, n_bytes: int, seconds: float) -> None:
        """Count one that is written."""
        self.n += 1
        self.n_bytes += n_bytes
        self.seconds += seconds
