"""The progress bar of a replay: on a terminal, silent when piped."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class Reading(Protocol):
    """What is read meanwhile, and how far."""

    @property
    def size_bytes(self) -> int:
        """All of it, as it is stored."""

    @property
    def bytes_read(self) -> int:
        """How much of it has been read."""


class Bar:
    """One bar; `advance` may be called for every record, it draws a few times a second.

    Parameters
    ----------
    total
        Records in all; None if nobody knows.
    reading
        What is read meanwhile: if its records are not counted, its bytes are the way to go.
    """

    EVERY = 500

    def __init__(self, progress: Progress, name: str, total: int | None, reading: Reading | None = None) -> None:
        self._progress = progress
        self._total = total
        self._reading = reading if total is None else None
        way = total if self._reading is None else self._reading.size_bytes
        self._task = progress.add_task(name, total=way, count="")
        self._n = 0

    def advance(self) -> None:
        """Count one."""
        self._n += 1
        if self._n % self.EVERY == 0:
            self.show(self._n)

    def show(self, n: int) -> None:
        """Say how many are done."""
        self._n = n
        done = n if self._reading is None else self._reading.bytes_read
        count = f"{n:,}" if self._total is None else f"{n:,}/{self._total:,}"
        self._progress.update(self._task, completed=done, count=count)


class _CountColumn(ProgressColumn):
    """How many are done, as a `Bar` says it; of others' tasks as they count."""

    def render(self, task: Task) -> Text:
        """The text of one task."""
        return Text(task.fields.get("count", f"{task.completed:,.0f}"))


def columns() -> tuple[ProgressColumn, ...]:
    """What stands in each line of the display."""
    return SpinnerColumn(), TextColumn("{task.description:<10}"), BarColumn(), _CountColumn(), TimeRemainingColumn()


@contextmanager
def shown(*, enabled: bool = True) -> Iterator[Progress]:
    """A progress display on standard error, if that is a terminal."""
    console = Console(file=sys.stderr)
    with Progress(
        *columns(), console=console, disable=not (enabled and console.is_terminal), transient=False
    ) as progress:
        yield progress
