"""`freshet bench`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from app.commands.flags import json_flag
from app.commands.output import note, print_json, print_table, say

F = TypeVar("F", bound=Callable[..., Any])
COLUMNS = ("what", "number", "meaning")


def _services(command: F) -> F:
    """`--broker` and `--redis`."""
    broker = click.option("--broker", metavar="HOST:PORT", help="A Kafka that is there, instead of one started here.")
    redis = click.option(
        "--redis", "redis_url", metavar="URL", help="A Redis that is there, instead of one started here."
    )
    return broker(redis(command))


def _access(broker: str | None, redis_url: str | None) -> dict[str, Any]:
    """How a Kafka and a Redis that are there let one in, as the settings say."""
    from app.redis_settings import RedisSettings
    from app.settings import load_settings

    given = {name: value for name, value in (("broker", broker), ("redis_url", redis_url)) if value is not None}
    settings = load_settings(**given)
    found = settings.kafka_access if broker is not None else {}
    return found | {name: getattr(settings, name) for name in RedisSettings.model_fields if redis_url is not None}


@click.group()
def bench() -> None:
    """Measure and prove things on this machine.

    Each one starts a Kafka and a Redis of its own, unless it is given some, and works in a namespace of its own.

    \b
    Examples:
      freshet bench counting --events 20000 --kills 2 --joins 1
      freshet bench stream --copies 2
      freshet bench freshness --rate 500 --seconds 20
      freshet bench memory --items 20000
    """


@bench.command()
@click.option("--events", type=click.IntRange(1), default=20_000, show_default=True, help="Records sent.")
@click.option("--kills", type=click.IntRange(0), default=2, show_default=True, help="Workers ended by kill -9.")
@click.option("--joins", type=click.IntRange(0), default=1, show_default=True, help="Workers that join in between.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the log and of the moments of the faults.")
@click.option("--no-stock", is_flag=True, help="Leave out the same count by a plain Faust table.")
@_services
@json_flag
def counting(
    events: int,
    kills: int,
    joins: int,
    seed: int,
    no_stock: bool,
    broker: str | None,
    redis_url: str | None,
    as_json: bool,
) -> None:
    """Count every event exactly once, while workers are killed and others join.

    What the workers have saved is compared with a plain, slow count of the log itself. Exit code 1 when it differs.

    \b
    Example:
      freshet bench counting --events 50000 --kills 3 --joins 1 --seed 7 --json
    """
    from app.bench.counting import is_exact, run_counting

    result = run_counting(
        events=events,
        kills=kills,
        joins=joins,
        seed=seed,
        stock=not no_stock,
        broker=broker,
        redis_url=redis_url,
        access=_access(broker, redis_url),
        show_progress=sys.stderr.isatty(),
    )
    exact = is_exact(result)
    if as_json:
        print_json({**result, "exact": exact})
    else:
        stock = result.get("stock")
        rows = [(name, value) for name, value in result.items() if name != "stock"]
        if isinstance(stock, dict):
            rows += [(f"stock Faust {name}", value) for name, value in stock.items()]
        print_table(("what", "number"), rows, right=("number",))
        say("exact" if exact else "NOT exact")
    if not exact:
        sys.exit(1)


@bench.command()
@click.option(
    "--copies", type=click.IntRange(1), default=10, show_default=True, help="Times that MovieLens 100k is sent."
)
@click.option(
    "--partitions", type=click.IntRange(1, 1000), default=4, show_default=True, help="Of the topic of events."
)
@click.option("--no-stock", is_flag=True, help="Leave out the same by a plain Faust agent.")
@_services
@json_flag
def stream(
    copies: int, partitions: int, no_stock: bool, broker: str | None, redis_url: str | None, as_json: bool
) -> None:
    """Get through a backlog: the whole pipeline with one worker, a plain Faust agent, a plain read.

    The backlog is MovieLens 100k several times over, each time with other user ids, and every user is evaluated. The
    clock of the pipeline runs from its first fetch to its last checkpoint and its last list; then every user's list
    has to be that of the user's last event, or the exit code is 1.

    \b
    Example:
      freshet bench stream --copies 2 --no-stock --json
    """
    from app.bench.meaning import STREAM, rows
    from app.bench.stream import run_stream

    result = run_stream(
        copies=copies,
        partitions=partitions,
        stock=not no_stock,
        broker=broker,
        redis_url=redis_url,
        access=_access(broker, redis_url),
        show_progress=sys.stderr.isatty(),
    )
    if as_json:
        print_json(result)
    else:
        print_table(COLUMNS, rows(result, STREAM), right=("number",))


@bench.command()
@click.option("--rate", type=click.FloatRange(1), default=1000, show_default=True, help="Events a second.")
@click.option("--seconds", type=click.FloatRange(1), default=60, show_default=True, help="Measured, after a warm-up.")
@click.option("--intake", is_flag=True, help="Once more through the intake, and what that adds.")
@click.option(
    "--items",
    type=click.IntRange(100, 500_000),
    help="Size of the catalogue, all of it touched before; by default 2,000, most of it touched.",
)
@_services
@json_flag
def freshness(
    rate: float,
    seconds: float,
    intake: bool,
    items: int | None,
    broker: str | None,
    redis_url: str | None,
    as_json: bool,
) -> None:
    """See how soon a click shows in the list that a reader gets.

    Events are sent at fixed times, whatever becomes of them. For 50 of them a second the user's list is read every
    millisecond until it is as new as the event and no longer offers its item; a plain consumer of the same topic runs
    beside it. Exit code 1 if a list did not react within 10 s. What should hold for the times is told, and whether it
    does.

    With --intake the same traffic comes once more as others write it: without keys, nested, in a topic of its own that
    the intake reads.

    What a large catalogue costs shows in two runs, e.g. with --items 2000 and --items 100000: each item has an event
    that is folded before the clock runs (`touched` says how many have), and there are 110,000 such events at least, so
    that people have equally long histories with either; then the same rate of events follows.

    \b
    Examples:
      freshet bench freshness --rate 1000 --seconds 60 --json
      freshet bench freshness --rate 200 --seconds 20 --intake
      freshet bench freshness --rate 300 --seconds 15 --items 100000
    """
    from app.bench.freshness import bounds, run_freshness
    from app.bench.meaning import FRESHNESS, FRESHNESS_INTAKE, rows

    result = run_freshness(
        rate=rate,
        seconds=seconds,
        broker=broker,
        redis_url=redis_url,
        access=_access(broker, redis_url),
        show_progress=sys.stderr.isatty(),
        intake=intake,
        items=items,
    )
    if as_json:
        print_json(result)
    else:
        print_table(COLUMNS, rows(result, FRESHNESS | FRESHNESS_INTAKE), right=("number",))
    for bound, holds in bounds(result):
        (note if as_json else say)(f"{bound}: {'yes' if holds else 'NO'}")
    if result["unread"] or result.get("intake_unread"):
        sys.exit(1)


@bench.command()
@click.option(
    "--items",
    type=click.IntRange(100, 2_000_000),
    default=200_000,
    show_default=True,
    help="Size of the catalogue; each item has an event.",
)
@click.option(
    "--beside",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="CHECKOUT",
    help="The folder of another version of Freshet, that folds the same events.",
)
@click.option("--redis", "redis_url", metavar="URL", help="A Redis that is there, instead of one started here.")
@json_flag
def memory(items: int, beside: Path | None, redis_url: str | None, as_json: bool) -> None:
    """See what an item and a user take: in a worker's memory, in checkpoints, and in Redis.

    One process folds made events, without Kafka; then its objects are walked and what they hold is counted. Arrays
    grow by doubling, so those of 140,000 items are as large as those of 260,000: compare equal numbers of items. What
    is spare takes room in the address space, not in memory; the resident bytes say what memory is used.

    A worker needs that for each partition that it has or follows. In Redis are the lists of all users, by Redis's own
    MEMORY USAGE. With --beside another checkout folds the same events in a process of its own, and `ratio` says how
    many times as much this one takes. A second table says which arrays the bytes per item are.

    \b
    Examples:
      freshet bench memory --items 20000 --json
      freshet bench memory --beside ../freshet-before
    """
    from app.bench.meaning import MEMORY, memory_columns, memory_rows, part_rows
    from app.bench.memory import run_memory

    result = run_memory(
        items=items,
        beside=beside,
        redis_url=redis_url,
        access=_access(None, redis_url),
        show_progress=sys.stderr.isatty(),
    )
    if as_json:
        print_json(result)
        return
    numbers = memory_columns(result)
    print_table(("what", *numbers, "meaning"), memory_rows(result, MEMORY), right=numbers)
    say("")
    print_table(("bytes per item of", *numbers), part_rows(result), right=numbers)
