"""The progress bar of a replay: on a terminal, silent when piped."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn


class Bar:
    """One bar; `advance` may be called for every record, it draws a few times a second."""

    EVERY = 500

    def __init__(self, progress: Progress, name: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=total)
        self._n = 0

    def advance(self) -> None:
        """Count one."""
        self._n += 1
        if self._n % self.EVERY == 0:
            self._progress.update(self._task, completed=self._n)

    def show(self, n: int) -> None:
        """Say how many are done."""
        self._n = n
        self._progress.update(self._task, completed=n)


@contextmanager
def shown(*, enabled: bool = True) -> Iterator[Progress]:
    """A progress display on standard error, if that is a terminal."""
    console = Console(file=sys.stderr)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, disable=not (enabled and console.is_terminal), transient=False
    ) as progress:
        yield progress
