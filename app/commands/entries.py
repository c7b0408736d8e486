"""`freshet items` and `freshet users`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from app.commands.flags import Command, json_flag, with_settings
from app.commands.output import note, print_json, say
from app.replay import TIMESTAMP_UNITS, parse_columns

if TYPE_CHECKING:
    from app.entry_files import EntryFile
    from app.replay.rows import Header
    from app.sending import Made, Tally
    from app.sources import SourceSettings

FORMATS = ("auto", "jsonl", "csv", "parquet", "arrow")
UNITS = click.Choice(TIMESTAMP_UNITS)

_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.argument("what", nargs=-1, metavar="[FILE | ID...]"),
    click.option("--delete", is_flag=True, help="The arguments are ids: delete them."),
    click.option("--delete-from", type=click.Path(path_type=Path), metavar="FILE", help="Delete the ids of its lines."),
    click.option("--source", metavar="NAME", help="Map by [sources.NAME] of the settings."),
    click.option("--format", "log_format", type=click.Choice(FORMATS), default="auto", show_default=True),
    click.option("--column", "columns", multiple=True, metavar="FIELD=COLUMN", help="Where a field stands."),
    click.option(
        "--timestamp-unit", type=UNITS, help="Of times that are numbers; ms unless said. ISO 8601 needs none."
    ),
    click.option("--list-separator", metavar="TEXT", help="Between the texts of a list in one cell; | unless said."),
    json_flag,
    with_settings("broker", "namespace"),
)


def _with_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@_with_options
def items(settings: Any, **given: Any) -> None:
    """Bring the catalogue in: JSONL, CSV, plain, gzip or zstd, Parquet or Arrow, from FILE or standard input.

    An entry has item_id, and of title, description, categories, tags, attributes, hidden, available_from and
    available_until what there is; it replaces the one before. Rows whose field `deleted` is true delete. In a table
    attributes.NAME is a column of its own, a list is texts with | between. Every row is checked as a worker would;
    bad ones are reported with their number and left out. Exit code 1 if there was any.

    \b
    Examples:
      freshet items catalogue.jsonl.gz
      freshet items shop.csv --column item_id=sku --column title=name --column attributes.brand=brand
      freshet items products.parquet --source shop
      freshet items --delete sku-1 sku-2
      freshet items --delete-from gone.txt
    """
    _run("items", settings, **given)


@click.command()
@_with_options
def users(settings: Any, **given: Any) -> None:
    """Bring profiles of users in: JSONL, CSV, plain, gzip or zstd, Parquet or Arrow, from FILE or standard input.

    A profile has user_id, and of age, gender, location, preferences and attributes what there is; it replaces the one
    before. Rows whose field `deleted` is true delete the profile; what a user's events have taught stays. In a table
    preferences.NAME and attributes.NAME are columns of their own. Every row is checked; bad ones are reported with
    their number and left out. Exit code 1 if there was any.

    \b
    Examples:
      freshet users people.jsonl
      freshet users crm.csv --column user_id=customer --column preferences.genre=favourite
      freshet users --delete u1 u2
    """
    _run("users", settings, **given)


def _run(
    kind: str, settings: Any, what: tuple[str, ...], delete: bool, delete_from: Path | None, as_json: bool, **form: Any
) -> None:
    from app.commands.kafka_call import run_on_kafka
    from app.entry_files import deletion_maker, entry_maker, in_turn
    from app.replay.progress import Bar, shown
    from app.sending import Tally, send_rows
    from app.sources.entries import KINDS

    _refuse_flags(what, delete, delete_from, form)
    topic = settings.names.catalogue if kind == "items" else settings.names.profiles
    stdin = click.get_binary_stream("stdin")
    file = None if delete else _opened(str(delete_from or (*what, "-")[0]), stdin)
    rows: Iterator[tuple[int, Any]]
    make: Callable[[Any], Made]
    if file is None or delete_from is not None:
        rows, make = iter(enumerate(what, 1)) if file is None else file.ids(), deletion_maker(KINDS[kind].id_name)
    else:
        source, header = _source(kind, settings, form)
        rows, make = file.rows(form["log_format"], header), entry_maker(settings, source)
    tally = Tally()

    def report(number: int, reason: str, message: str) -> None:
        note(f"row {number}: {reason}: {message}")

    try:
        with shown() as display:
            is_stream = file is not None and file.is_stream
            bar = Bar(display, "sent", len(what) if delete else None, None if is_stream else file)
            numbered = in_turn(rows, may_wait=is_stream)
            work = send_rows(numbered, make, topic, settings, tally, report, on_row=bar.advance)
            run_on_kafka(work, settings.broker)
    finally:
        if as_json:
            print_json({"sent": tally.n_sent, "deleted": tally.n_deleted, "bad": tally.n_bad})
        else:
            say(_summary(kind, tally))
    if tally.n_bad:
        sys.exit(1)


def _refuse_flags(what: tuple[str, ...], delete: bool, delete_from: Path | None, form: dict[str, Any]) -> None:
    """Flags that do not go together, or would be ignored."""
    mapping = [name for name in ("columns", "timestamp_unit", "list_separator") if form[name]]
    flags = [f"--{name.removesuffix('s').replace('_', '-')}" for name in mapping]
    if form["source"] and flags:
        raise click.UsageError(f"{flags[0]} goes without --source, which says it itself: leave one of them out.")
    if delete or delete_from is not None:
        if delete and delete_from is not None:
            raise click.UsageError("--delete takes ids, --delete-from a file of them: choose one.")
        if delete and not what:
            raise click.UsageError("--delete has no ids: name them, e.g. --delete sku-1 sku-2.")
        if delete_from is not None and what:
            raise click.UsageError(f"--delete-from reads {delete_from}: leave out {' '.join(what)}.")
        if form["source"] or flags or form["log_format"] != "auto":
            raise click.UsageError("ids are deleted as they are: leave out --source, --format and what maps columns.")
    elif len(what) > 1:
        raise click.UsageError("more than one file: name one at a time. (Ids go with --delete.)")


def _opened(name: str, stdin: BinaryIO) -> "EntryFile":
    from app.entry_files import EntryFile

    return EntryFile(None if name == "-" else Path(name), stdin)


def _source(kind: str, settings: Any, form: dict[str, Any]) -> "tuple[SourceSettings, Header]":
    """What maps the rows, and what looks at the header of a table."""
    from app.entry_files import column_fields, flag_settings, needed_columns
    from app.replay.rows import any_header

    if form["source"]:
        return settings.source(form["source"], kind), any_header
    fields, objects = column_fields(kind)
    columns = parse_columns(form["columns"], fields, tuple(f"{name}." for name in objects))
    unit, separator = form["timestamp_unit"] or "ms", form["list_separator"] or "|"
    return flag_settings(kind, columns, unit, separator), needed_columns(kind, columns)


def _summary(kind: str, tally: "Tally") -> str:
    name = kind if tally.n_sent != 1 else kind.removesuffix("s")
    deleted = f", {tally.n_deleted} deleted" if tally.n_deleted else ""
    bad = f", {tally.n_bad} bad rows left out" if tally.n_bad else ""
    return f"{tally.n_sent} {name} sent{deleted}{bad}"
