"""`freshet recs`."""

import time
from typing import Any

import click
import orjson

from app.commands.flags import json_flag, limit_flag, with_settings
from app.commands.output import age, escaped, fail, print_json, print_table, say

TIMEOUT_S = 2.0


@click.command()
@click.argument("user")
@click.option("--segment", help="The user's segment, whose list is taken if there is no own one.")
@limit_flag
@json_flag
@with_settings("redis_url", "namespace")
def recs(settings: Any, user: str, segment: str | None, k: int, as_json: bool) -> None:
    """Show what USER is recommended: the own list, else the segment's, else the default one.

    With --json the list is printed as it is stored, with three fields more: `key` it came from, `age_ms`, `titles`.
    Exit code 1 if there is none of these lists.

    \b
    Examples:
      freshet recs u42
      freshet recs u42 --segment f-25-34 -k 5
      freshet recs u42 --json | jq '.items[0].id'
    """
    from app.client import Reader
    from app.client.requests import recs as ladder
    from app.store.clients import for_threads

    keys = settings.keys
    request = ladder(keys, user, segment)
    connection = for_threads(settings.redis, timeout_s=TIMEOUT_S)
    try:
        replies = connection.run_each(request.commands)
    finally:
        connection.close()
    found = request.answer(replies)
    if found is None:
        fail(
            f"user {escaped(user)!r} has no list, and there is no default list in namespace {settings.namespace!r}. "
            "A worker writes both within a second of the first event: run `freshet worker`, send events "
            "(`freshet produce`), or look for what is missing with `freshet doctor`."
        )
    rung = next(number for number, reply in enumerate(replies) if reply is not None)
    named = [item.item_id for item in found.items[: None if as_json else k]]
    named += [item_id for item in found.items[: None if as_json else k] for item_id in item.because]
    with Reader(settings.redis, settings.namespace, key_prefix=settings.key_prefix, timeout_s=TIMEOUT_S) as reader:
        titles = reader.titles(list(dict.fromkeys(named))) if named else {}
    age_ms = int(time.time() * 1000) - found.generated_at_ms
    key = [keys.user_list(user), *([keys.segment_list(segment)] if segment is not None else []), keys.default_list()]
    if as_json:
        stored: dict[str, Any] = orjson.loads(replies[rung])
        print_json({**stored, "key": escaped(key[rung]), "age_ms": age_ms, "titles": titles})
        return
    rows = [
        (
            rank,
            item.item_id,
            titles.get(item.item_id, ""),
            f"{item.score:.6g}",
            item.source,
            _reason(item.because, titles),
        )
        for rank, item in enumerate(found.items[:k], 1)
    ]
    print_table(("rank", "item", "title", "score", "source", "reason"), rows, right=("rank", "score"))
    if not found.items:
        say("The list is empty: there is no item that this user has not seen, or that may be shown.")
    whose = "the user's own list" if rung == 0 else "the segment's list" if rung < len(key) - 1 else "the default list"
    say(f"{whose} ({key[rung]}), version {found.version}, made {age(age_ms / 1000)} ago")


def _reason(because: tuple[str, ...], titles: dict[str, str]) -> str:
    return f"because you looked at {', '.join(titles.get(item, item) for item in because)}" if because else ""
