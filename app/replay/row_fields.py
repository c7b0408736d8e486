"""Fields of an event out of a row that is an object: by the name of a column, or at a path."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.sources.elements import EACH
from app.sources.paths import Path, compile_path, root_names
from models.errors import InvalidEvent, SettingsError


class RowFields:
    """Where fields stand in a row.

    Parameters
    ----------
    columns
        Field -> what the row calls it: the name of a column, whatever is in it; where the row has no such column,
        JMESPath.

    Attributes
    ----------
    has_paths
        Whether a field may stand deeper than in a column.
    """

    def __init__(self, columns: Mapping[str, str]) -> None:
        paths = {field: (column, path) for field, column in columns.items() if (path := path_of(column))}
        self._names = [(field, column) for field, column in columns.items() if field not in paths]
        self._paths = [(field, column, path) for field, (column, path) in paths.items()]
        self.has_paths = bool(paths)

    def into(self, fields: dict[str, object], row: Mapping[str, Any]) -> None:
        """Put in the fields that stand in a row, others as None; what a path's functions cannot take is none."""
        for field, column in self._names:
            fields[field] = row.get(column)
        for field, column, path in self._paths:
            try:
                fields[field] = row[column] if column in row else path(row)
            except InvalidEvent:
                fields[field] = None


def is_flat(context: object) -> bool:
    """Whether an object has neither objects nor arrays in it, as an event's context."""
    return isinstance(context, dict) and not any(isinstance(value, dict | list) for value in context.values())


def path_of(column: str) -> Path | None:
    """What reads more than a column by this name; None where it is no path, or no more than a name."""
    if column.isidentifier():
        return None
    try:
        return compile_path(column)
    except ValueError:
        return None


def asked_names(column: str, header: frozenset[str] | set[str], *, has_each: bool) -> set[str]:
    """The columns that are looked at for one that is named, or stands in a path."""
    given = {"@", EACH} if has_each else {"@"}
    return {column} - given if column in header or path_of(column) is None else root_names(column) - given


def hint_of_path(columns: Iterable[str]) -> str:
    """What to say of names that are not there and would be paths, were their parts in quotes; empty without any."""
    for column in columns:
        if "." in column and path_of(column) is None and not column.startswith("."):
            quoted = ".".join(name if name.isidentifier() else f'"{name}"' for name in column.split("."))
            if path_of(quoted):
                return f" As a path it is written {quoted}."
    return ""


def refuse_unused_each(each: str | None, columns: Mapping[str, str]) -> None:
    """Refuse `--each` beside columns none of which asks for its elements: all would be the same event."""
    asking = [field for field, column in columns.items() if path_of(column) and EACH in root_names(column)]
    is_asked = bool({*asking, *(field for field, column in columns.items() if column == EACH)} - {"event_id", "value"})
    if each is not None and not is_asked:
        raise SettingsError(
            f"--each has value {each!r}, and no --column asks for its elements: say where in one a field stands, "
            "e.g. --column item_id=each.item_id, or --column item_id=each if elements are ids."
        )
