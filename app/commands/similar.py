"""`freshet similar`."""

from typing import Any, Final

import click

from app.commands.flags import json_flag, limit_flag, with_settings
from app.commands.output import escaped, fail
from app.commands.ranked import print_ranked

TIMEOUT_S = 2.0

_MISSING: Final = {
    "missing": (
        "Redis holds nothing of item {item!r} in namespace {where!r}. Check the id; an item is written a second after "
        "a worker has folded its first event, later behind a backlog or when Redis was emptied: `freshet doctor` "
        "shows how far workers are."
    ),
    "empty": (
        "Redis holds neither item {item!r} nor the default list in namespace {where!r}: no worker has written here "
        "yet, or Redis was emptied. Check FRESHET_REDIS_URL, FRESHET_NAMESPACE and FRESHET_KEY_PREFIX, and that a "
        "worker runs: `freshet doctor`."
    ),
}


@click.command()
@click.argument("item")
@limit_flag
@json_flag
@with_settings("redis_url", "namespace")
def similar(settings: Any, item: str, k: int, as_json: bool) -> None:
    """Show the items most similar to ITEM: the ones that the same people dealt with.

    Exit code 1 if Redis holds nothing of the item, or nothing at all.

    \b
    Examples:
      freshet similar 50
      freshet similar 50 -k 3 --json
    """
    from app.client import Reader

    with Reader(settings.redis, settings.namespace, key_prefix=settings.key_prefix, timeout_s=TIMEOUT_S) as reader:
        found = reader.similar(item, k)
        if not found and (state := reader.item_state(item)) != "published":
            fail(_MISSING[state].format(item=escaped(item), where=settings.namespace))
        titles = reader.titles([item_id for item_id, _ in found]) if found else {}
    nothing = (
        f"{escaped(item)!r} is known, and Redis holds no neighbours of it: nobody has dealt with it and another item "
        "that may be offered, or they were lost (evicted, deleted) and are written anew within a day."
    )
    print_ranked(found, titles, as_json=as_json, score="similarity", digits=".4f", none=nothing)
