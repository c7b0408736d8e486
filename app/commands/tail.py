"""`freshet tail`."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import escaped, on_terminal, print_json

if TYPE_CHECKING:
    from app.tail import Mask, Seen

NO_EVENT = "no event"


@click.command()
@click.option("--user", "users", multiple=True, metavar="ID", help="Of this user alone; may be given more than once.")
@click.option("--item", "items", multiple=True, metavar="ID", help="Of this item.")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Of this type.")
@click.option("--bad", "is_bad", is_flag=True, help="Records that are no event, and why, and no others.")
@click.option("--back", type=click.IntRange(0), default=0, metavar="N", help="Begin N records back in each partition.")
@click.option("-n", "n", type=click.IntRange(1), metavar="N", help="End after N lines; else with Ctrl-C.")
@click.option("--mask", "is_masked", is_flag=True, help="Other names for people, the same in this call alone.")
@json_flag
@with_settings("broker", "namespace")
def tail(
    settings: Any,
    users: tuple[str, ...],
    items: tuple[str, ...],
    types: tuple[str, ...],
    is_bad: bool,
    back: int,
    n: int | None,
    is_masked: bool,
    as_json: bool,
) -> None:
    """Show the events that come in, live, and what is no event, with the reason.

    It joins no group and changes nothing. Times are those of the events, in UTC. With --json each line is one record,
    with partition and offset.

    \b
    Examples:
      freshet tail
      freshet tail --type purchase --mask
      freshet tail --bad --back 1000 -n 5
      freshet tail --user u42 --json | jq .event.item_id
    """
    from app.commands.kafka_call import run_on_kafka
    from app.tail import Filter, Mask, follow

    chosen = Filter(users, items, types, is_bad)
    if is_bad and (users or items or types):
        raise click.UsageError("--bad shows records that have no user, item or type: leave those flags out.")
    mask = Mask() if is_masked else None
    left = n

    def handle(seen: "Seen") -> bool:
        nonlocal left
        if not chosen.passes(seen):
            return False
        if as_json:
            print_json(as_record(seen, mask))
        else:
            _print(as_cells(seen, mask))
        left = None if left is None else left - 1
        return left == 0

    try:
        run_on_kafka(follow(settings, handle, back), settings.broker)
    except KeyboardInterrupt:
        sys.exit(0)


def as_record(seen: "Seen", mask: "Mask | None") -> dict[str, Any]:
    """One line of JSON; `event` as it was sent, or null beside `reason` and `message`."""
    place: dict[str, Any] = {"partition": seen.partition, "offset": seen.offset, "record_ms": seen.record_ms}
    if seen.event is None:
        return {**place, "event": None, "reason": seen.reason, "message": None if mask else seen.message}
    fields = seen.event._asdict()
    fields["timestamp"] = fields.pop("timestamp_ms")
    if mask is not None:
        fields["user_id"] = mask.of(seen.event.user_id)
        fields.pop("context")
    return {**place, "event": {name: value for name, value in fields.items() if value is not None}}


def as_cells(seen: "Seen", mask: "Mask | None") -> tuple[str, ...]:
    """Time, user, type, item and value; or why it is no event. Masked without the message, which may quote an id."""
    event = seen.event
    if event is None:
        where = f"{seen.partition}:{seen.offset}"
        return _time(seen.record_ms), where, NO_EVENT, seen.reason, "" if mask else seen.message
    user = event.user_id if mask is None else mask.of(event.user_id)
    value = "" if event.value is None else f"{event.value:g}"
    return _time(event.timestamp_ms), user, event.event_type, event.item_id, value


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _print(cells: tuple[str, ...]) -> None:
    time, user, kind, item, more = (escaped(cell) for cell in cells)
    if on_terminal():
        click.echo(f"{time}  {user:<20} {kind:<12} {item:<24} {more}".rstrip())
    else:
        click.echo("\t".join((time, user, kind, item, more)))
    sys.stdout.flush()
