"""How fresh and how fast, by the benchmarks: short ones, on the demo's own Kafka and Redis."""

from rich.console import Console
from rich.table import Table

from app.bench.freshness import run_freshness
from app.bench.meaning import FRESHNESS, STREAM, rows
from app.bench.stream import run_stream
from app.settings import Settings

RATE = 300.0
SECONDS = 10.0


def show_freshness(console: Console, settings: Settings) -> None:
    """Measure how soon a click shows in a list, for some seconds, and say what came out."""
    result = run_freshness(
        rate=RATE, seconds=SECONDS, broker=settings.broker, redis_url=settings.redis_url, show_progress=True
    )
    _show(console, "freshet bench freshness", rows(result, FRESHNESS))


def show_speed(console: Console, settings: Settings) -> None:
    """Measure how fast a backlog is worked off, and plain Faust beside it, and say what came out."""
    result = run_stream(
        copies=1,
        partitions=settings.partitions,
        stock=True,
        broker=settings.broker,
        redis_url=settings.redis_url,
        show_progress=True,
    )
    _show(console, "freshet bench stream", rows(result, STREAM))


def _show(console: Console, title: str, numbers: list[tuple[str, str, str]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("what")
    table.add_column("number", justify="right")
    table.add_column("meaning")
    for row in numbers:
        table.add_row(*row)
    console.print(table)
