"""The categories of items: of the data set that a log belongs to, or of a file as `freshet items` reads it."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from app.entry_files import EntryFile, entry_maker, flag_settings, needed_columns
from app.replay.records import EventLog
from app.settings import Settings
from models.errors import InvalidEvent, LogError
from tables.catalogue import parse_entry

FLAG = "--catalogue"
Categories = dict[str, tuple[str, ...]]


def categories_of_log(log: EventLog) -> Categories:
    """What a data set says of its items; nothing for a bare log, or for a data set that has come without its items."""
    try:
        return _categories((entry.item_id, entry.value) for entry in log.catalogue())
    except LogError:
        return {}


def categories_of_file(path: Path, settings: Settings) -> Categories:
    """What a catalogue says of its items.

    Raises
    ------
    LogError
        If it cannot be read, has a bad row, or no category at all.
    """
    file = EntryFile(path, BytesIO())
    make = entry_maker(settings, flag_settings("items", {}, "ms", "|"))
    found: Categories = {}
    for number, row in file.rows("auto", needed_columns("items", {})):
        try:
            made = [(key.decode(), value) for key, value in make(row) if key is not None and value is not None]
            found |= _categories(made)
        except InvalidEvent as error:
            raise LogError(f"{FLAG} {path}, row {number}: {error.reason}: {error}") from error
    if not any(found.values()):
        raise LogError(
            f"{FLAG} {path}: no item has categories. Name a file whose rows have item_id and categories, or leave "
            f"{FLAG} out: items are then compared by who took to them."
        )
    return found


def _categories(entries: Iterable[tuple[str, bytes]]) -> Categories:
    return {item_id: parse_entry(value).categories for item_id, value in entries}
