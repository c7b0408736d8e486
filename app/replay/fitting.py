"""A look at the beginning of a log before anything is done with it: whether there is any event in it."""

import time
from itertools import islice

from app.replay.parquet import ParquetLog
from app.replay.records import EventLog
from app.replay.text import CsvLog, JsonlLog
from app.settings import Settings
from models.errors import InvalidEvent, LogError
from models.events import decode

LOOKED_AT = 1000


def refuse_what_does_not_fit(log: EventLog, settings: Settings) -> None:
    """Refuse a log of lines or rows of whose first thousand none is an event.

    Raises
    ------
    LogError
        With the first record's flaw, and what to do about it.
    """
    if not isinstance(log, JsonlLog | CsvLog | ParquetLog):
        return
    rules, now_ms = settings.fold.rules, int(time.time() * 1000)
    n, first = 0, None
    for record in islice(log, LOOKED_AT):
        n += 1
        try:
            decode(record.key, record.value, now_ms, rules)
        except InvalidEvent as invalid:
            first = first or invalid
        else:
            return
    if n == 0 and log.n_skipped:
        raise LogError(
            f"{log.path}: all of its {log.n_skipped:,} rows are skipped. Check the names in --where, --types, --ignore."
        )
    if first is not None:
        raise LogError(
            f"{log.path}: none of its first {n:,} records is an event, the first: {first.reason}: {first.message} "
            f"`freshet sniff {log.path.name}` looks for a format or a mapping that fits."
        )
