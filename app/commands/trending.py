"""`freshet trending`."""

from typing import Any

import click

from app.commands.flags import json_flag, limit_flag, with_settings
from app.commands.ranked import print_ranked
from tables.keys import TRENDING_WINDOWS

TIMEOUT_S = 2.0


@click.command()
@click.argument("window", type=click.Choice(TRENDING_WINDOWS), default=TRENDING_WINDOWS[0])
@click.option("--category", help="Of this category of the catalogue alone.")
@limit_flag
@json_flag
@with_settings("redis_url", "namespace")
def trending(settings: Any, window: str, category: str | None, k: int, as_json: bool) -> None:
    """Show what is popular in a WINDOW of time: 1h, 1d or 7d.

    \b
    Examples:
      freshet trending
      freshet trending 7d --category Comedy -k 5
    """
    from app.client import Reader

    with Reader(settings.redis, settings.namespace, key_prefix=settings.key_prefix, timeout_s=TIMEOUT_S) as reader:
        found = reader.trending(window, category, k)
        titles = reader.titles([item_id for item_id, _ in found]) if found else {}
    where = "" if category is None else f" in category {category!r}"
    nothing = f"Nothing is trending{where} in the last {window}. Trends age by the wall clock; try a longer window."
    print_ranked(found, titles, as_json=as_json, score="score", digits=".6g", none=nothing)
