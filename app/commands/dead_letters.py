"""`freshet dead-letters`."""

import sys
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import escaped_bytes, note, print_json, print_table, progress_bar
from models.events import REASONS

if TYPE_CHECKING:
    from app.dead_letters import DeadLetter, Once, Tally

T = TypeVar("T")

VALUE_CHARS = 60
UNKNOWN = "unknown"  # put there by others, without our headers
UNDECODABLE = "undecodable"  # put there by `freshet stopped skip`


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at the events that could not be folded, and why; send them again once the cause is gone.

    \b
    Examples:
      freshet dead-letters count
      freshet dead-letters list --reason wrong_partition --limit 5
      freshet dead-letters redrive --reason wrong_partition
    """


@dead_letters.command("list")
@click.option("--reason", type=click.Choice((*REASONS, UNDECODABLE, UNKNOWN)), help="Those of one reason alone.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="The newest N.", metavar="N")
@json_flag
@with_settings("broker", "namespace")
def list_letters(settings: Any, reason: str | None, limit: int, as_json: bool) -> None:
    """List dead letters, oldest first; those of the same origin once, those re-driven not at all.

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
                shown_time(letter.time_ms),
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
    """Count dead letters by reason; those of the same origin once, those re-driven apart.

    \b
    Example:
      freshet dead-letters count --json | jq .by_reason.wrong_partition
    """
    reasons: Counter[str] = Counter()

    def count(letter: "DeadLetter") -> None:
        reasons[letter.reason] += 1

    left_out = _read(settings, count)
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    if as_json:
        counts = {"total": reasons.total(), "by_reason": dict(ordered)}
        print_json(
            counts | {"repeats": left_out.n_repeats, "redriven": left_out.n_redriven, "refolded": left_out.n_refolded}
        )
        return
    print_table(("reason", "dead letters"), [*ordered, ("total", reasons.total())], right=("dead letters",))
    _note_left_out(left_out.n_redriven, left_out.n_repeats, left_out.n_refolded)


@dead_letters.command("redrive")
@click.option("--reason", type=click.Choice((*REASONS, UNDECODABLE, UNKNOWN)), help="Those of one reason alone.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_flag
@with_settings("broker", "namespace")
def redrive_letters(settings: Any, reason: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Send dead letters to the log again, each once, ever.

    For when the cause is gone: an event type has been added to the settings, a clock set right. Each is checked as a
    worker would check it today, and sent under its user_id to that user's partition, which mends wrong_key and
    wrong_partition. What is still no valid event stays, and is counted by today's reason; so does what was cut to fit
    its topic. The events are folded as what comes now: where newer ones have been, they count as late.

    What was sent is remembered in the topic of dead letters for as long as that keeps its records, so the command can
    be repeated, also after it was killed. Letters from before a `freshet reset` are left out: the log is folded anew,
    and what is refused again becomes a letter again.

    \b
    Examples:
      freshet dead-letters redrive --dry-run
      freshet dead-letters redrive --reason wrong_partition --yes
    """
    from app.dead_letters import Tally, plan_redrive, redrive

    if not (dry_run or yes or sys.stdin.isatty()):
        raise click.UsageError("Nobody is there to be asked: say --yes to send, or --dry-run to look.")
    if dry_run or not yes:
        plan = _with_progress(settings, "reading", lambda show: plan_redrive(settings, reason, show))
        n = plan.redriven.total()
        if dry_run or not n:
            _print_tally(plan, as_json, dry_run=dry_run)
            return
        _note_tally(plan)
        click.confirm(f"Send {n} events to the log of namespace {settings.namespace!r}?", abort=True, err=True)
    tally = Tally()
    try:
        _with_progress(settings, "re-driving", lambda show: redrive(settings, reason, tally, show))
    finally:
        _print_tally(tally, as_json, dry_run=False)


def _print_tally(tally: "Tally", as_json: bool, *, dry_run: bool) -> None:
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "redriven": tally.redriven.total(),
                "by_reason": dict(sorted(tally.redriven.items())),
                "stay": tally.stay.total(),
                "stay_by_reason": dict(sorted(tally.stay.items())),
                "already": tally.n_already,
                "found": tally.n_found,
                "repeats": tally.n_repeats,
                "refolded": tally.n_refolded,
            }
        )
        return
    sent = "would be sent" if dry_run else "sent"
    rows = [(name, tally.redriven[name], tally.stay[name]) for name in sorted(tally.redriven | tally.stay)]
    rows.append(("total", tally.redriven.total(), tally.stay.total()))
    print_table(("reason", sent, "stay"), rows, right=(sent, "stay"))
    _note_left_out(tally.n_already, tally.n_repeats, tally.n_refolded)
    if tally.n_found:
        note(f"{tally.n_found} of them by a redrive that did not come to its end: found in the log, and remembered.")


def _note_tally(tally: "Tally") -> None:
    sent, stay = (
        ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) for counts in (tally.redriven, tally.stay)
    )
    note(f"valid today: {sent}" + (f"; stay: {stay}" if stay else ""))


def _note_left_out(n_redriven: int, n_repeats: int, n_refolded: int) -> None:
    if n_redriven:
        note(f"{n_redriven} were re-driven before.")
    if n_repeats:
        note(f"{n_repeats} repeats (sent again after a crash or a reset) are not counted.")
    if n_refolded:
        note(
            f"{n_refolded} are from before a `freshet reset`: the log is folded anew, what is refused then comes again."
        )


def _read(settings: Any, handle: "Callable[[DeadLetter], None]") -> "Once":
    from app.dead_letters import read_dead_letters

    topic = settings.names.dead_letters
    return _with_progress(settings, "reading", lambda show: read_dead_letters(settings.kafka, topic, handle, show))


def _with_progress(settings: Any, what: str, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    from app.commands.kafka_call import run_on_kafka

    with progress_bar(what) as show:

        async def shown(done: int, total: int) -> None:
            show(done, total)

        return run_on_kafka(work(shown), settings.broker)


def _as_json(letter: "DeadLetter") -> dict[str, Any]:
    fields: dict[str, Any] = letter._asdict()
    del fields["headers"], fields["source_topic"]
    for name in ("key", "value"):
        data: bytes | None = fields[name]
        try:
            fields[name] = None if data is None else data.decode()
        except UnicodeDecodeError:
            fields |= {name: None, f"{name}_base64": b64encode(data or b"").decode()}
    return fields


def shown_time(time_ms: int) -> str:
    """A record's time (Unix ms) as date and time; as it is where there is no such date.

    >>> shown_time(1_700_000_000_000), shown_time(1_700_000_000_000_000_000)
    ('2023-11-14 22:13:20', '1700000000000000000 ms')
    """
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"
