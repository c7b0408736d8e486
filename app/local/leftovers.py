"""Servers that outlived a killed parent: found by their pid files, and ended."""

import json
import logging
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

from app.local import child
from models.errors import ServiceError

END_TIMEOUT_S = 5.0
POLL_S = 0.02

logger = logging.getLogger(__name__)


class PidRecord(NamedTuple):
    """What `child` wrote about the process that it became."""

    pid: int
    started: str
    command: str

    def is_alive(self) -> bool:
        """Whether that very process runs: a reused pid differs in its start, nearly always in its command too."""
        return child.process_started(self.pid) == self.started and child.process_command(self.pid) == self.command


def read_pid_file(path: Path) -> PidRecord | None:
    """The record of a pid file; None if there is no file, or one that `child` did not write."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return PidRecord(int(record["pid"]), str(record["started"]), str(record["command"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        logger.warning("%s is not a pid file of the local stack and is ignored", path)
        return None


def end_leftover(path: Path, name: str) -> bool:
    """End the process of a pid file if it still runs, remove the file, and return whether it ran.

    Call it while holding the folder's lock only: the server of a living stack looks the same.
    """
    record = read_pid_file(path)
    found = record is not None and record.is_alive()
    if record is not None and found:
        logger.info("ending %s, process %d, which an earlier stack left behind", name, record.pid)
        _kill(record, name)
    path.unlink(missing_ok=True)
    return found


def _kill(record: PidRecord, name: str) -> None:
    deadline = time.monotonic() + END_TIMEOUT_S
    try:
        os.kill(record.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    while record.is_alive():
        if time.monotonic() > deadline:
            raise ServiceError(f"{name}, process {record.pid}, left behind by an earlier stack, cannot be ended.")
        time.sleep(POLL_S)
