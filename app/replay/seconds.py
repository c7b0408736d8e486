"""A warning before a log is replayed whose times look like seconds: all of it would be of January 1970."""

from itertools import islice
from typing import Final

import click

from app.replay.fitting import LOOKED_AT
from app.replay.mapped import SourceLog
from app.replay.parquet import ParquetLog
from app.replay.records import EventLog
from app.replay.text import CsvLog, JsonlLog

SECONDS: Final = range(10**8, 10**11)  # from 1973 to 5138; as milliseconds from 1970-01-02 to 1973


def warn_of_seconds(log: EventLog) -> None:
    """Say so if most of the first thousand events of a log of lines or rows have such times."""
    if not isinstance(log, JsonlLog | CsvLog | ParquetLog | SourceLog):
        return
    times = [record.timestamp_ms for record in islice(log, LOOKED_AT) if record.timestamp_ms is not None]
    wrong = [time_ms for time_ms in times if time_ms in SECONDS]
    if 2 * len(wrong) > len(times):
        advice = 'say time = "s" in the source' if isinstance(log, SourceLog) else "say --timestamp-unit s"
        click.echo(
            f"freshet: {len(wrong):,} of the first {len(times):,} timestamps of {log.name} look like seconds, e.g. "
            f"{wrong[0]}, and are taken for milliseconds, which is long ago: no windows, no trends. If they are "
            f"seconds, {advice}.",
            err=True,
        )
