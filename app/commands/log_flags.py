"""Which log, and how to read it: flags of every command that reads a recorded one."""

import math
from collections.abc import Callable
from pathlib import Path

import click
from click.core import ParameterSource

from app.commands.flags import Command
from app.commands.output import note
from app.replay import (
    FORMATS,
    ORDERS,
    Choice,
    EventLog,
    OrderedLog,
    open_log,
    open_source_log,
    parse_columns,
    parse_layout,
    parse_types,
)
from app.replay.columns import AMERICAN, LOG_UNITS, NO_TIMES
from app.replay.delimited import Layout
from app.replay.fitting import absent_columns, refuse_what_does_not_fit
from app.replay.ordered import AS_FILED, BY_TIME, LATE_SHARE
from app.replay.progress import Bar, shown
from app.replay.spill import MEMORY_BYTES
from app.settings import Settings

_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.argument("log", required=False, type=click.Path(path_type=Path)),
    click.option(
        "--dataset", help="A known data set instead of a file: ml-100k (fetched once), ml-1m, ml-latest-small."
    ),
    click.option("--format", "log_format", type=click.Choice(FORMATS), default="auto", show_default=True),
    click.option(
        "--delimiter",
        metavar="CHARACTER",
        help="Between the columns of text: comma, tab, semicolon, pipe or another one; seen from the first line.",
    ),
    click.option(
        "--columns",
        "names",
        metavar="NAME,...",
        help="Names of the columns, in order, of text that has no header; - skips one.",
    ),
    click.option("--no-quotes", is_flag=True, help="Quotes in text in columns are text, they hold no cells together."),
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="FIELD=COLUMN",
        help="Where a field stands in the log: a column, or a path (JMESPath), e.g. item_id=items[0].item_id.",
    ),
    click.option(
        "--each",
        metavar="PATH",
        help="An array in each row whose elements are events: items, then --column item_id=each.item_id; cells of "
        "text are cut by \"split(shown, ' ')\".",
    ),
    click.option("--event-type", help="The type of events that carry none."),
    click.option(
        "--types",
        multiple=True,
        metavar="THEIRS=OURS",
        help="Which of our types one of the log is, e.g. 'Product Viewed=view'; nothing behind = skips its rows.",
    ),
    click.option("--ignore", multiple=True, metavar="TYPE", help="Skip rows of this type; *: all that --types lacks."),
    click.option(
        "--where",
        multiple=True,
        metavar="EXPRESSION",
        help="Skip rows for which it is not true: JMESPath over the columns, e.g. \"action == 'clickout item'\".",
    ),
    click.option(
        "--timestamp-unit",
        metavar="UNIT",
        default="ms",
        show_default=True,
        help=f"Of the times: {', '.join(LOG_UNITS)}, or their form: '{AMERICAN}' is 11/15/2019 8:55:22 AM. "
        "none: the log has no times, and its events get some a second apart in the order of the file.",
    ),
    click.option(
        "--order",
        type=click.Choice(ORDERS),
        default=BY_TIME,
        show_default=True,
        help="time: events sorted by their time, equal times as in the file; beyond "
        f"{MEMORY_BYTES // 2**20} MB in a temporary file (TMPDIR). file: as they stand there, told how many come late; "
        f"over {LATE_SHARE:.0%} is a warning.",
    ),
    click.option("--source", metavar="NAME", help="Read the rows by [sources.NAME] of the settings."),
)


def log_flags(command: Command) -> Command:
    """Give a command the argument LOG and the flags that say how to read it; `opened_log` takes them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def opened_log(
    settings: Settings,
    *,
    log: Path | None,
    dataset: str | None,
    log_format: str,
    delimiter: str | None,
    names: str | None,
    no_quotes: bool,
    columns: tuple[str, ...],
    each: str | None,
    event_type: str | None,
    types: tuple[str, ...],
    ignore: tuple[str, ...],
    where: tuple[str, ...],
    timestamp_unit: str,
    source: str | None,
    order: str,
) -> OrderedLog:
    """The log that the flags of the running command name, not sorted yet; refused if it holds no events."""
    layout = parse_layout(delimiter, names, has_quotes=not no_quotes)
    if source is not None:
        return _in_order(_by_source(log, source, settings, log_format, layout), order, settings)
    opened = open_log(
        log,
        dataset=dataset,
        columns=parse_columns(columns),
        event_type=event_type,
        timestamp_unit=timestamp_unit,
        log_format=log_format,
        layout=layout,
        choice=Choice(parse_types(types, settings.rules.types), ignore, where, each),
    )
    refuse_what_does_not_fit(opened, settings)
    if absent := absent_columns(opened):
        note(f"freshet: {opened.path}: {absent}")
    if timestamp_unit == NO_TIMES:
        note(
            f"freshet: {opened.path}: its events get times, in the order of the file: the first 2000-01-01T00:00:00Z, "
            "each one second later than the one before it."
        )
    return _in_order(opened, order, settings)


def sorted_log(log: OrderedLog) -> OrderedLog:
    """The log, read and sorted; with a warning if its order is kept and many events come late."""
    with shown() as display:
        verb = "read" if log.order == AS_FILED else "sorted"
        log.prepare(Bar(display, verb, log.reader.n_records(), log.reader).advance)
    if log.order == AS_FILED and log.n_late:
        late = f"{log.n_late:,} of {log.n_events:,} events ({log.n_late / log.n_events:.1%})"
        said = f"{log.path}: in the order of the file {late} come late, more than {log.late_grace_s} s behind others"
        if log.is_out_of_order:
            note(
                f"freshet: WARNING: {said}. They count in totals and pairs, but in no window and no trend, and users "
                "are tested on what came later: the numbers are of a log that nobody lived through. Leave out "
                f"--order {AS_FILED}: events are then sorted by time."
            )
        else:
            note(f"freshet: {said}.")
    _warn_of_scale(log)
    return log


def _warn_of_scale(log: OrderedLog) -> None:
    """Tell of ratings that lie outside of the scale: they are dead letters."""
    (lowest, highest), found = log.rules.rating_scale, log.ratings
    if found is None or lowest <= found.lowest <= found.highest <= highest:
        return
    meant = [min(1, math.floor(found.lowest)), math.ceil(found.highest)]
    note(
        f"freshet: WARNING: {log.path}: its {found.n:,} ratings run from {found.lowest:g} to {found.highest:g}; those "
        f"outside of {lowest:g} to {highest:g} are dead letters. Say what their scale is, e.g. "
        f"FRESHET_RATING_SCALE='{meant}': what speaks for an item and what against follows it."
    )


def told_order(log: OrderedLog) -> dict[str, object]:
    """What a result says of its log's order: nothing where it is that of time."""
    return {"order": log.order, "late_in_file": log.n_late} if log.order == AS_FILED else {}


def _in_order(opened: EventLog, order: str, settings: Settings) -> OrderedLog:
    return OrderedLog(opened, order, rules=settings.rules, late_grace_ms=settings.late_grace_s * 1000)


def _by_source(log: Path | None, name: str, settings: Settings, log_format: str, layout: Layout) -> EventLog:
    """The log, read by a source; flags that say the same in another way are refused."""
    from app.sources import file_source

    context = click.get_current_context()
    for flag in ("dataset", "columns", "each", "event_type", "timestamp_unit", "types", "ignore", "where"):
        if context.get_parameter_source(flag) is ParameterSource.COMMANDLINE:
            named = "column" if flag == "columns" else flag.replace("_", "-")
            raise click.UsageError(f"--source says how the rows are read: leave out --{named}.")
    source = file_source(settings.source(name), settings.rules)
    opened = open_source_log(log, source=source, log_format=log_format, layout=layout)
    refuse_what_does_not_fit(opened, settings)
    return opened
