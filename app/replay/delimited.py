"""Text in columns: comma, tab, semicolon or pipe between the cells, with a header or names given instead."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.replay.files import LogFile
from app.sources.times import NUMBER, iso_ms
from models.errors import SettingsError

DELIMITERS: Final = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|"}
"""What is looked for in a header, and what `--delimiter` calls it."""

SKIPPED: Final = ""
"""Name of a column that is not read."""

_OTHERS: Final = {"^": "^", "~": "~", "space": " ", "::": "::", "\\x01": "\x01"}
_TYPED = re.compile(r"(.+):(?:token|float)(?:_seq)?", re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written as text.

    Parameters
    ----------
    delimiter
        One character between the cells; None: the one of `DELIMITERS` that the first line has most often.
    names
        Names of the columns of a file that has no header, `SKIPPED` for one that is not read; empty: the first row is
        the header.
    has_quotes
        Cells may stand in double quotes; else a quote is a character like others.
    """

    delimiter: str | None = None
    names: tuple[str, ...] = ()
    has_quotes: bool = True

    @property
    def is_said(self) -> bool:
        """Whether anything is known before the file is looked at."""
        return self.delimiter is not None or bool(self.names) or not self.has_quotes


SEEN: Final = Layout()
"""All that there is to know is seen in the file."""


def parse_layout(delimiter: str | None, names: str | None, *, has_quotes: bool = True) -> Layout:
    r"""What the flags `--delimiter`, `--columns` and `--no-quotes` say.

    >>> parse_layout("tab", "user_id,-,item_id")
    Layout(delimiter='\t', names=('user_id', '', 'item_id'), has_quotes=True)

    Raises
    ------
    SettingsError
        When they cannot be used.
    """
    character = None if delimiter is None else DELIMITERS.get(delimiter, "\t" if delimiter == "\\t" else delimiter)
    if character is not None and (len(character) != 1 or character in '"\r\n\0'):
        raise SettingsError(
            f"--delimiter has value {delimiter!r}: use {', '.join(DELIMITERS)} or one character other than a quote."
        )
    if names is None:
        return Layout(character, (), has_quotes)
    given = tuple(SKIPPED if name.strip() == "-" else name.strip() for name in names.split(","))
    if not any(given):
        raise SettingsError(f"--columns has value {names!r}: name the columns in order, e.g. user_id,-,item_id.")
    if twice := next((name for name in given if name != SKIPPED and given.count(name) > 1), None):
        raise SettingsError(f"--columns names {twice!r} twice. Name one of them otherwise, or - to skip it.")
    return Layout(character, given, has_quotes)


def csv_rows(file: LogFile, layout: Layout = SEEN) -> Iterator[list[str]]:
    """Rows of a table, the names of its columns first, without blank ones; a row with a stray quote is one raw cell.

    Names that all say their type as RecBole writes it (`user_id:token`) are without it.

    Raises
    ------
    LogError
        When a quote is never closed, which would swallow the rows behind it; when the first row has another number of
        cells than names are given, or is a header although they are.
    """
    lines = _Lines(file)
    delimiter = layout.delimiter or delimiter_of(lines.first(), len(layout.names), has_quotes=layout.has_quotes)
    reader = (
        csv.reader(lines, delimiter=delimiter, strict=True)
        if layout.has_quotes
        else csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    )
    is_first = True
    while True:
        first_line = lines.number + 1
        lines.pending.clear()
        try:
            row = next(reader, None)
        except csv.Error as error:
            if lines.exhausted or len(lines.pending) > 1:
                problem = f"a quote in the row that begins here never closes ({error}): say --no-quotes if it is text"
                raise file.error(first_line, problem) from error
            row = ["".join(lines.pending).rstrip("\r\n")]
        if row is None:
            return
        if row and is_first:
            is_first = False
            if layout.names:
                _refuse_first(file, lines.number, row, layout.names, delimiter)
                yield list(layout.names)
            else:
                row = _without_types(row)
        if row:
            yield row


def delimiter_of(line: str, n_columns: int = 0, *, has_quotes: bool = True) -> str:
    """The delimiter of a table by its first line: what makes so many columns of it, else what it has most often.

    What stands between quotes does not count; a comma goes before others that are there as often.
    """
    bare = _QUOTED.sub("", line) if has_quotes else line
    fitting = [each for each in DELIMITERS.values() if n_columns > 1 and bare.count(each) == n_columns - 1]
    return max(fitting or DELIMITERS.values(), key=bare.count)


def other_delimiter(header: list[str]) -> str:
    """What to say of a header that is one cell because something else stands between its columns; else empty."""
    if len(header) != 1:
        return ""
    counts = {name: header[0].count(text) for name, text in (DELIMITERS | _OTHERS).items()}
    name = max(counts, key=counts.__getitem__)
    if not counts[name]:
        return ""
    if len((DELIMITERS | _OTHERS)[name]) > 1:
        return f"the header is one cell with {name!r} in it, which is no single character: replace it by a tab"
    said = {"space": "' '", "\\x01": r"$'\x01'", "^": "'^'", "~": "'~'"}.get(name, name)
    return f"the header is one cell with {name} in it: say --delimiter {said}"


def absent_header(header: list[str]) -> str:
    """What to say of a header that is none, as a number or a time among its names shows; else empty."""
    if not any(NUMBER.fullmatch(cell) or iso_ms(cell) is not None for cell in header):
        return ""
    example = ",".join(("user_id", "item_id", "event_type", "timestamp")[: len(header)] + ("-",) * (len(header) - 4))
    return (
        "the first line looks like a row, not like a header: say what stands in its columns by --columns with "
        f"{len(header)} names in order, - for one that is not read, e.g. --columns {example}"
    )


def _without_types(header: list[str]) -> list[str]:
    typed = [_TYPED.fullmatch(name) for name in header]
    return [match[1] for match in typed if match] if all(typed) else header


def _refuse_first(file: LogFile, number: int, row: list[str], names: tuple[str, ...], delimiter: str) -> None:
    if len(row) != len(names):
        between = next((name for name, text in DELIMITERS.items() if text == delimiter), repr(delimiter))
        raise file.error(
            number,
            f"the row has {len(row)} cells with {between} between them, --columns {len(names)} names: name each, - "
            "for one that is to be skipped, or say another --delimiter",
        )
    if all(name in (SKIPPED, cell) for name, cell in zip(names, _without_types(row), strict=True)):
        raise file.error(number, "this is a header, and has the names of --columns: leave out --columns")


class _Lines:
    """Text lines of a file that remember those taken since the last row was complete."""

    def __init__(self, file: LogFile) -> None:
        self._numbered = file.text_lines()
        self._ahead: list[tuple[int, str]] = []
        self.number = 0
        self.pending: list[str] = []
        self.exhausted = False

    def first(self) -> str:
        """The first line that is not blank, which stays to be read; empty without one."""
        for number, line in self._numbered:
            self._ahead.append((number, line))
            if not line.isspace():
                return line
        return ""

    def __iter__(self) -> Iterator[str]:
        for part in (self._ahead, self._numbered):
            for number, line in part:
                self.number = number
                self.pending.append(line)
                yield line
        self.exhausted = True
