"""From the columns of somebody's log to the fields of an event."""

import math
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.replay.choice import Choice
from app.replay.records import LogRecord, event_record, malformed_record
from app.replay.row_fields import RowFields, asked_names, hint_of_path, is_flat, path_of, refuse_unused_each
from app.sources.elements import EACH, element_id
from app.sources.ids import plain_id
from app.sources.times import MAX_DIGITS, NUMBER, ToMs, time_reader
from models.errors import SettingsError

FIELDS = ("user_id", "item_id", "event_type", "timestamp", "event_id", "value")
_FIELD_SET = frozenset(FIELDS)
REQUIRED = ("user_id", "item_id", "event_type", "timestamp")
CONTEXT = "context."
TIMESTAMP_UNITS = ("s", "ms", "us", "ns", "iso")
NO_TIMES = "none"
"""The unit of a log without times."""

LOG_UNITS = (*TIMESTAMP_UNITS, NO_TIMES)

AMERICAN, EUROPEAN = "%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y %H:%M"
"""The forms of 11/15/2019 8:55:22 PM and 15.11.2019 20:55, for messages."""

NAME_COLUMNS = (
    "name the columns with --column FIELD=COLUMN, a constant type with --event-type, or those of a file without a "
    f"header with --columns a,b,c; a log without times needs --timestamp-unit {NO_TIMES}"
)
"""What to do when a column is missing."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How the columns of a log become fields of events.

    Parameters
    ----------
    columns
        Field -> column or path, where the names differ; other fields keep their own name. See `RowFields`.
    event_type
        Event type of rows that have none.
    timestamp_unit
        One of `LOG_UNITS`, or a form, as `time` of a source; `iso` is ISO 8601, UTC where no offset is given, `none`
        says that there are no times.
    choice
        Which rows are events, and what their types are called.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    event_type: str | None = None
    timestamp_unit: str = "ms"
    choice: Choice = field(default_factory=Choice)

    _to_ms: ToMs = field(init=False, repr=False, compare=False)
    _named: RowFields = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            reader = time_reader("ms" if self.timestamp_unit == NO_TIMES else self.timestamp_unit)
        except ValueError:
            allowed = ", ".join(LOG_UNITS)
            raise SettingsError(
                f"--timestamp-unit has value {self.timestamp_unit!r}: use one of {allowed}, or a strptime form with %, "
                f"e.g. {AMERICAN!r}."
            ) from None
        if self.timestamp_unit == NO_TIMES and "timestamp" in self.columns:
            column = self.columns["timestamp"]
            raise SettingsError(
                f"--timestamp-unit {NO_TIMES} says that the log has no times, --column timestamp={column} where they "
                f"stand. Leave one out; the unit of a column is one of {', '.join(TIMESTAMP_UNITS)}."
            )
        refuse_unused_each(self.choice.each, self.columns)
        object.__setattr__(self, "_to_ms", reader)
        object.__setattr__(self, "_named", RowFields(self.columns))

    @property
    def is_identity(self) -> bool:
        """Whether the log is said to be in the project's own form already."""
        return not (self.rewrites or self.choice.leaves_out)

    @property
    def rewrites(self) -> bool:
        """Whether an event may differ from its row."""
        is_said = bool(self.columns) or self.event_type is not None or self.timestamp_unit != "ms"
        return is_said or self.choice.renames

    def takes_rating(self, names: Container[str]) -> bool:
        """Whether a column `rating` is the value, in a log of ratings where nothing else is."""
        is_free = self.event_type == "rating" and "value" not in self.columns
        return is_free and "value" not in names and "rating" in names

    def record(self, row: Mapping[str, object]) -> LogRecord:
        """Record of one row: fields in the order of the contract, missing ones left out, bad values as they came.

        Parameters
        ----------
        row
            Field -> text of a cell, or value of a JSON field. `context.x` becomes `x` within `context`.
        """
        event: dict[str, object] = {}
        for name in FIELDS:
            raw = row.get(name)
            if raw is None or raw == "":
                if name != "event_type" or self.event_type is None:
                    continue
                raw = self.event_type
            if name == "timestamp":
                if self.timestamp_unit == NO_TIMES:
                    continue
                ms = self._to_ms(raw)
                event[name] = raw if ms is None else ms
            elif name == "value":
                event[name] = to_number(raw) if isinstance(raw, str) else raw
            else:
                is_plain = type(raw) is str and (raw[-1] != "0" or "." not in raw)
                event[name] = raw if is_plain else plain_id(raw)
        if not row.keys() <= _FIELD_SET and (context := _context(row)):
            event["context"] = context
        return event_record(event)

    def chosen(self, fields: Mapping[str, object], row: Mapping[str, object]) -> LogRecord | None:
        """`record` of the fields of a row, its type by our name; None where the row is left out.

        Parameters
        ----------
        row
            All of the row, by its own names.
        """
        return self._by_type(fields) if self.choice.takes(row) else None

    def events(self, row: Mapping[str, object]) -> list[LogRecord]:
        """The records of a row that is an object: one, or one of each element of its array, in order.

        A row without the array that is asked for is one record without what stands in elements.
        """
        if self.choice.each is None:
            record = self._by_type(self._fields(row)) if self.choice.takes(row) else None
            return [] if record is None else [record]
        if not self.choice.takes(row):
            return []
        elements = self.choice.elements(row)
        records, document = [], dict(row)
        for index, element in enumerate([None] if elements is None else elements):
            document[EACH] = element
            if elements is None or self.choice.takes_element(document):
                fields = self._fields(document)
                if isinstance(event_id := plain_id(fields.get("event_id")), str) and event_id:
                    fields["event_id"] = element_id(event_id, index)
                if record := self._by_type(fields):
                    records.append(record)
        return records

    def _fields(self, row: Mapping[str, object]) -> dict[str, object]:
        fields: dict[str, object] = {name: row[name] for name in FIELDS if name in row}
        if "context" in row and (is_flat(row["context"]) or not (self._named.has_paths or self.choice.each)):
            fields["context"] = row["context"]  # else a field of theirs that has the same name
        self._named.into(fields, row)
        if self.takes_rating(row):
            fields["value"] = row["rating"]
        return fields

    def _by_type(self, fields: Mapping[str, object]) -> LogRecord | None:
        theirs = fields.get("event_type") if self.choice.knows_types else None
        if theirs is None or theirs == "":
            return self.record(fields)
        ours = self.choice.type_of(theirs)
        return None if ours is None else self.record({**fields, "event_type": ours})


class TableColumns:
    """A mapping tied to the header of one table.

    Parameters
    ----------
    header
        Names of the columns.
    mapping
        Which column is which field.

    Raises
    ------
    ValueError
        When a column that is needed is missing or there twice.
    SettingsError
        When one that a filter asks for is missing.

    Attributes
    ----------
    places
        Field, and place of its column in the header; of fields that stand in one.
    asked
        The columns that are looked at.
    is_plain
        Whether each row is one record, made of its cells alone by `record`.
    by_row
        The mapping of whole rows, where a field stands at a path or a row holds several events; else None.
    """

    def __init__(self, header: Sequence[str], mapping: ColumnMapping) -> None:
        own = (*FIELDS, *(name for name in header if name.startswith(CONTEXT)))
        wanted = {name: name for name in own} | dict(mapping.columns)
        if mapping.takes_rating(header):
            wanted["value"] = "rating"
        needed = set(REQUIRED) | set(mapping.columns)
        if mapping.timestamp_unit == NO_TIMES:
            needed.discard("timestamp")
            del wanted["timestamp"]
        if mapping.event_type is not None and "event_type" not in mapping.columns:
            needed.discard("event_type")
        names, has_each = set(header), mapping.choice.each is not None
        asked = {field: asked_names(column, names, has_each=has_each) for field, column in wanted.items()}
        if missing := sorted(set().union(*(asked[field] for field in needed)) - names):
            hint = hint_of_path(missing).rstrip(".")
            raise ValueError(f"no column {', '.join(map(repr, missing))}; the header has {', '.join(header)!r}{hint}")
        counts = Counter(header)
        self.asked = {name for columns in asked.values() for name in columns} & names | mapping.choice.columns
        if twice := sorted({column for column in self.asked if counts[column] > 1}):
            raise ValueError(f"the header has the column {', '.join(map(repr, twice))} more than once")
        mapping.choice.refuse_missing(header)
        has_columns = not has_each and all(column in names or not path_of(column) for column in wanted.values())
        self.by_row = None if has_columns else replace(mapping, columns=wanted)
        self._mapping = mapping
        self._header = tuple(header)
        self.is_plain = has_columns and not (mapping.choice.leaves_out or mapping.choice.renames)
        self._n_columns = len(header)
        self.places = [(name, header.index(column)) for name, column in wanted.items() if column in header]

    def record(self, cells: list[str]) -> LogRecord:
        """Record of one row of cells."""
        if len(cells) != self._n_columns:
            return malformed_record(cells)
        return self._mapping.record({name: cells[place] for name, place in self.places})

    def chosen(self, cells: list[str]) -> list[LogRecord]:
        """The records of one row, their types by our names; none where it is left out."""
        if len(cells) != self._n_columns:
            return [malformed_record(cells)]
        if self.is_plain:
            return [self.record(cells)]
        row = {name: cell for name, cell in zip(self._header, cells, strict=True) if cell != ""}
        if self.by_row is not None:
            return self.by_row.events(row)
        record = self._mapping.chosen({name: cells[place] for name, place in self.places}, row)
        return [] if record is None else [record]


def parse_columns(
    flags: Iterable[str], fields: Sequence[str] = FIELDS, prefixes: Sequence[str] = (CONTEXT,)
) -> dict[str, str]:
    """Field -> column, from flags `field=column`; a field is one of `fields`, or a name behind one of `prefixes`.

    >>> parse_columns(["user_id=visitorid", "context.device=dev"])
    {'user_id': 'visitorid', 'context.device': 'dev'}
    """
    columns: dict[str, str] = {}
    for flag in flags:
        name, equals, column = flag.partition("=")
        if not equals or not column:
            raise SettingsError(f"--column has value {flag!r}: write FIELD=COLUMN, e.g. user_id=visitorid.")
        if name not in fields and not any(name.startswith(prefix) and name != prefix for prefix in prefixes):
            known = ", ".join((*fields, *(f"{prefix}NAME" for prefix in prefixes)))
            raise SettingsError(f"--column has value {flag!r}: the field is one of {known}.")
        if name in columns:
            raise SettingsError(f"--column names the field {name!r} twice: {columns[name]!r} and {column!r}. Keep one.")
        columns[name] = column
    return columns


def to_number(text: str) -> int | float | str:
    """Number that a cell spells; the text itself where it spells none, or none that JSON can say."""
    match = NUMBER.fullmatch(text)
    if match is None:
        return text
    if match[2] is None and match[3] is None and len(match[1]) <= MAX_DIGITS:
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else text


def _context(row: Mapping[str, object]) -> object:
    """Context cells over the context that came whole; one that is no object is left as it came."""
    whole = row.get("context")
    if whole is not None and not isinstance(whole, dict):
        return whole
    cells = {name.removeprefix(CONTEXT): value for name, value in row.items() if name.startswith(CONTEXT)}
    return (whole or {}) | {name: value for name, value in cells.items() if value is not None and value != ""}
