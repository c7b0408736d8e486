"""What the worker tells the world: a JSON line per event on standard output, or log lines for people."""

import logging
import os
import sys
import time
from typing import Any

import orjson

logger = logging.getLogger("freshet")


class Report:
    """Writes what happens: as JSON lines (`--json`), else to the log where it is worth a line."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def __call__(self, event: str, **fields: Any) -> None:
        """Tell of one event."""
        if self.as_json:
            line = {"event": event, "pid": os.getpid(), "time_ms": int(time.time() * 1000), **fields}
            sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS) + b"\n")
            sys.stdout.buffer.flush()
        elif event != "progress":
            logger.info("%s %s", event, " ".join(f"{name}={value}" for name, value in fields.items()))
