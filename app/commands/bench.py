"""`freshet bench`."""

import sys

import click

from app.commands.flags import json_flag
from app.commands.output import print_json, print_table, say


@click.group()
def bench() -> None:
    """Measure and prove things on this machine.

    \b
    Example:
      freshet bench counting --events 20000 --kills 2 --joins 1
    """


@bench.command()
@click.option("--events", type=click.IntRange(1), default=20_000, show_default=True, help="Records sent.")
@click.option("--kills", type=click.IntRange(0), default=2, show_default=True, help="Workers ended by kill -9.")
@click.option("--joins", type=click.IntRange(0), default=1, show_default=True, help="Workers that join in between.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the log and of the moments of the faults.")
@click.option("--no-stock", is_flag=True, help="Leave out the same count by a plain Faust table.")
@click.option("--broker", metavar="HOST:PORT", help="A Kafka that is there, instead of one started for this.")
@click.option("--redis", "redis_url", metavar="URL", help="A Redis that is there, instead of one started for this.")
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
