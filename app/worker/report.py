"""What the worker tells the world: a JSON line per event on standard output, or log lines for people."""

import logging
import os
import sys
import time
from typing import Any

import orjson

from models.errors import ServiceError

logger = logging.getLogger("freshet")


class Report:
    """Writes what happens: as JSON lines (`--json`), else to the log where it is worth a line."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._closed = False

    def __call__(self, event: str, **fields: Any) -> None:
        """Tell of one event.

        Raises
        ------
        ServiceError
            Once, if nobody reads the JSON lines any more: whoever started this worker is gone.
        """
        if self.as_json:
            if self._closed:
                return
            line = {"event": event, "pid": os.getpid(), "time_ms": int(time.time() * 1000), **fields}
            try:
                sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS) + b"\n")
                sys.stdout.buffer.flush()
            except BrokenPipeError:
                self._closed = True
                raise ServiceError("standard output was closed: whoever started this worker is gone.") from None
        elif event != "progress":
            logger.info("%s %s", event, " ".join(f"{name}={value}" for name, value in fields.items()))
