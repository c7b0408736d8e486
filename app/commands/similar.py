"""`freshet similar`."""

from typing import Any

import click

from app.commands.flags import json_flag, limit_flag, with_settings
from app.commands.output import escaped, fail
from app.commands.ranked import print_ranked

TIMEOUT_S = 2.0


@click.command()
@click.argument("item")
@limit_flag
@json_flag
@with_settings("redis_url", "namespace")
def similar(settings: Any, item: str, k: int, as_json: bool) -> None:
    """Show the items most similar to ITEM: the ones that the same people dealt with.

    Exit code 1 if the item is not known.

    \b
    Examples:
      freshet similar 50
      freshet similar 50 -k 3 --json
    """
    from app.client import Reader

    with Reader(settings.redis, settings.namespace, key_prefix=settings.key_prefix, timeout_s=TIMEOUT_S) as reader:
        found = reader.similar(item, k)
        if not found and not reader.item_features(item):
            fail(
                f"item {escaped(item)!r} is not known in namespace {settings.namespace!r}. Check the id; an item is "
                "known a second after a worker has folded its first event; `freshet doctor` shows how far workers are."
            )
        titles = reader.titles([item_id for item_id, _ in found]) if found else {}
    nothing = f"Nobody has dealt with {escaped(item)!r} and another item yet."
    print_ranked(found, titles, as_json=as_json, score="similarity", digits=".4f", none=nothing)
