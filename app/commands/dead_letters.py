"""`freshet dead-letters`."""

from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import escaped_bytes, note, print_json, print_table, progress_bar
from models.events import REASONS

if TYPE_CHECKING:
    from app.dead_letters import DeadLetter

VALUE_CHARS = 60
UNKNOWN = "unknown"  # put there by others, without our headers


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at the events that could not be folded, and why.

    \b
    Examples:
      freshet dead-letters count
      freshet dead-letters list --reason wrong_partition --limit 5
    """


@dead_letters.command("list")
@click.option("--reason", type=click.Choice((*REASONS, UNKNOWN)), help="Those of one reason alone.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="The newest N.", metavar="N")
@json_flag
@with_settings("broker", "namespace")
def list_letters(settings: Any, reason: str | None, limit: int, as_json: bool) -> None:
    """List dead letters, oldest first; those of the same origin once.

    With --json one line each; `key` and `value` are text, or null where the bytes are no UTF-8 or there are none, and
    `key_base64`, `value_base64` then hold the bytes.

    \b
    Example:
      freshet dead-letters list --reason not_json --limit 100 --json | jq .message
    """
    kept: deque[DeadLetter] = deque(maxlen=limit)
    n = 0

    def keep(letter: "DeadLetter") -> None:
        nonlocal n
        if reason is None or letter.reason == reason:
            kept.append(letter)
            n += 1

    _read(settings, keep)
    if as_json:
        for letter in kept:
            print_json(_as_json(letter))
        return
    if kept:
        rows = [
            (
                datetime.fromtimestamp(letter.time_ms / 1000, UTC).isoformat(" ", "seconds").removesuffix("+00:00"),
                f"{letter.topic} {letter.partition} {letter.offset}",
                letter.reason,
                letter.message,
                escaped_bytes(letter.value, VALUE_CHARS),
            )
            for letter in kept
        ]
        print_table(("time (UTC)", "topic partition offset", "reason", "message", "value"), rows)
    note(f"{n} dead letters" + (f", the newest {limit} are shown (--limit)" if n > limit else ""))


@dead_letters.command("count")
@json_flag
@with_settings("broker", "namespace")
def count_letters(settings: Any, as_json: bool) -> None:
    """Count dead letters by reason; those of the same origin once.

    \b
    Example:
      freshet dead-letters count --json | jq .by_reason.wrong_partition
    """
    reasons: Counter[str] = Counter()

    def count(letter: "DeadLetter") -> None:
        reasons[letter.reason] += 1

    n_repeats = _read(settings, count)
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    if as_json:
        print_json({"total": reasons.total(), "by_reason": dict(ordered), "repeats": n_repeats})
        return
    print_table(("reason", "dead letters"), [*ordered, ("total", reasons.total())], right=("dead letters",))
    if n_repeats:
        note(f"{n_repeats} repeats (sent again after a crash or a reset) are not counted.")


def _read(settings: Any, handle: "Callable[[DeadLetter], None]") -> int:
    from app.commands.kafka_call import run_on_kafka
    from app.dead_letters import read_dead_letters
    from tables.names import Names

    with progress_bar("reading") as show:

        async def shown(done: int, total: int) -> None:
            show(done, total)

        topic = Names(settings.namespace).dead_letters
        return run_on_kafka(read_dead_letters(settings.broker, topic, handle, shown), settings.broker)


def _as_json(letter: "DeadLetter") -> dict[str, Any]:
    fields: dict[str, Any] = letter._asdict()
    for name in ("key", "value"):
        data: bytes | None = fields[name]
        try:
            fields[name] = None if data is None else data.decode()
        except UnicodeDecodeError:
            fields |= {name: None, f"{name}_base64": b64encode(data or b"").decode()}
    return fields
