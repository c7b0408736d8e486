"""The bar of a replay: by records where they are counted, else by the bytes of the log."""

import io
from collections.abc import Callable

from rich.console import Console
from rich.progress import Progress

from app.replay import EventLog
from app.replay.progress import Bar, columns

LINE = b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1}\n'


def test_log_of_lines_has_a_way_to_go(open_made: Callable[..., EventLog]) -> None:
    """Nobody knows how many events a JSONL holds; the bar goes by its bytes and counts events beside it."""
    log = open_made("log.jsonl", LINE * 5000)
    progress = Progress(disable=True)
    bar = Bar(progress, "sent", log.n_records(), log)
    (task,) = progress.tasks

    for number, _ in enumerate(log, 1):
        bar.advance()
        if number == 2000:
            assert 2000 * len(LINE) <= task.completed < len(LINE) * 5000 == task.total
            assert task.fields["count"] == "2,000"

    assert task.fields["count"] == "5,000"


def test_counted_log_goes_by_records() -> None:
    """Where the number is known it is the way to go."""
    progress = Progress(disable=True)
    bar = Bar(progress, "folded", 1200)
    (task,) = progress.tasks

    bar.show(600)

    assert (task.completed, task.total, task.fields["count"]) == (600, 1200, "600/1,200")


def test_tasks_of_others_can_be_drawn() -> None:
    """On a terminal, beside bars: how many are done stands where a bar has its count."""
    progress = Progress(*columns(), console=Console(file=io.StringIO(), force_terminal=True, width=120))
    Bar(progress, "sent", 1200).show(600)
    progress.add_task("preload", total=5000, completed=2500)

    with progress.console.capture() as drawn:
        progress.console.print(progress.get_renderable())

    assert "600/1,200" in drawn.get() and "2,500" in drawn.get()
