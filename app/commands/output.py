"""What commands print: tables on a terminal, tab-separated lines in a pipe, JSON for programs; never raw ids."""

import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import click
import orjson

# what turns the direction of the text around it, so that a title could rewrite its line
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSAFE: Final = frozenset(("Cc", "Cs", "Zl", "Zp"))
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"))

Progress = Callable[[int, int], None]


def escaped(text: str) -> str:
    r"""The text on one line, harmless to a terminal: control, direction and unpaired characters as escapes.

    Examples
    --------
    >>> print(escaped("a\x1b[31m\nb"))
    a\x1b[31m\nb
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    if character in _BIDI or unicodedata.category(character) in _UNSAFE:
        return character.encode("ascii", "backslashreplace").decode() if character > "\xff" else repr(character)[1:-1]
    return character


def escaped_bytes(data: bytes | None, max_chars: int) -> str:
    """Bytes as text, whatever they are, cut to `max_chars`; `null` for None."""
    if data is None:
        return "null"
    text = escaped(data[: 4 * max_chars].decode("utf-8", "backslashreplace"))
    return text if len(text) <= max_chars and len(data) <= 4 * max_chars else f"{text[: max_chars - 3]}..."


def age(seconds: float) -> str:
    """A time span in its largest unit.

    Examples
    --------
    >>> age(0.4), age(90), age(200_000)
    ('0.4 s', '1 min', '2 d')
    """
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(0.0, seconds):.3g} s"


def say(text: str) -> None:
    """One line of text on standard output, escaped."""
    click.echo(escaped(text))


def note(text: str) -> None:
    """One line of text on standard error, escaped: for people, not for what reads the output."""
    click.echo(escaped(text), err=True)


def fail(text: str) -> NoReturn:
    """Say why a command failed, and end it with exit code 1."""
    note(f"freshet: {text}")
    sys.exit(1)


def print_json(value: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode() + "\n")
    sys.stdout.flush()


def on_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
    """A table on a terminal; in a pipe a heading and rows, separated by tabs.

    Parameters
    ----------
    right
        Columns aligned to the right.
    """
    cells = [[escaped(str(cell)) for cell in row] for row in rows]
    if not on_terminal():
        for line in ([*columns], *cells):
            click.echo("\t".join(line))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    Console(file=sys.stdout).print(table)


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Give a function that shows (done, total) on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
