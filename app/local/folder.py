"""One folder, one living stack: the lock file."""

import fcntl
import os
from pathlib import Path

from models.errors import ServiceError


class FolderLock:
    """An advisory lock on a folder, held until `release` or the end of the process, however it ends.

    Parameters
    ----------
    path
        The lock file. It stays behind after the release; only the lock on it counts, not that it exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise `ServiceError` at once if another stack has it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise ServiceError(
                f"The folder {self.path.parent} is in use by a local stack that runs in process {holder}. "
                f"Stop that one, or choose another folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
