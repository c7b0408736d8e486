"""Which log, and how to read it: flags of every command that reads a recorded one."""

from collections.abc import Callable
from pathlib import Path

import click
from click.core import ParameterSource

from app.commands.flags import Command
from app.commands.output import note
from app.replay import (
    FORMATS,
    TIMESTAMP_UNITS,
    Choice,
    EventLog,
    open_log,
    open_source_log,
    parse_columns,
    parse_layout,
    parse_types,
)
from app.replay.columns import AMERICAN
from app.replay.delimited import Layout
from app.replay.fitting import absent_columns, refuse_what_does_not_fit
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
        help=f"Of the times: {', '.join(TIMESTAMP_UNITS)}, or their form: '{AMERICAN}' is 11/15/2019 8:55:22 AM.",
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
) -> EventLog:
    """The log that the flags of the running command name; refused if it holds no events."""
    layout = parse_layout(delimiter, names, has_quotes=not no_quotes)
    if source is not None:
        return _by_source(log, source, settings, log_format, layout)
    opened = open_log(
        log,
        dataset=dataset,
        columns=parse_columns(columns),
        event_type=event_type,
        timestamp_unit=timestamp_unit,
        log_format=log_format,
        layout=layout,
        choice=Choice(parse_types(types, settings.fold.rules.types), ignore, where, each),
    )
    refuse_what_does_not_fit(opened, settings)
    if absent := absent_columns(opened):
        note(f"freshet: {opened.path}: {absent}")
    return opened


def _by_source(log: Path | None, name: str, settings: Settings, log_format: str, layout: Layout) -> EventLog:
    """The log, read by a source; flags that say the same in another way are refused."""
    from app.sources import file_source

    context = click.get_current_context()
    for flag in ("dataset", "columns", "each", "event_type", "timestamp_unit", "types", "ignore", "where"):
        if context.get_parameter_source(flag) is ParameterSource.COMMANDLINE:
            named = "column" if flag == "columns" else flag.replace("_", "-")
            raise click.UsageError(f"--source says how the rows are read: leave out --{named}.")
    source = file_source(settings.source(name), settings.fold.rules)
    opened = open_source_log(log, source=source, log_format=log_format, layout=layout)
    refuse_what_does_not_fit(opened, settings)
    return opened
