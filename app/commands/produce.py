"""`freshet produce`."""

import sys
from typing import Any, BinaryIO

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import note, print_json, say


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--no-check", is_flag=True, help="Send every line as it is, also what will be a dead letter.")
@click.option("--source", metavar="NAME", help="Make events of the lines by [sources.NAME] of the settings.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="N", help="Events a second at most.")
@json_flag
@with_settings("broker", "namespace")
def produce(
    settings: Any, file: BinaryIO, no_check: bool, source: str | None, rate: float | None, as_json: bool
) -> None:
    """Send events: JSON lines from FILE or standard input, keyed by their user_id.

    Each line is checked as a worker would; a bad one is reported with its number and left out. Exit code 1 if there
    was any. With --source the lines are in another form, and each may be several events or none.

    \b
    Examples:
      echo '{"user_id": "u1", "item_id": "i1", "event_type": "view", "timestamp": 1700000000000}' | freshet produce
      freshet produce events.jsonl --rate 100
      freshet produce segment.jsonl --source web
    """
    from app.commands.kafka_call import run_on_kafka
    from app.produce import produce_lines
    from app.sending import Tally
    from app.sources import file_source

    tally = Tally()

    def report(number: int, reason: str, message: str) -> None:
        note(f"line {number}: {reason}: {message}")

    if source is not None and no_check:
        raise click.UsageError("--source makes events, which are always checked: leave out --no-check.")
    reads = None if source is None else file_source(settings.source(source), settings.rules)
    work = produce_lines(file, settings, tally, report, check=not no_check, rate=rate, source=reads)
    try:
        run_on_kafka(work, settings.broker)
    finally:
        if as_json:
            print_json({"sent": tally.n_sent, "bad": tally.n_bad})
        else:
            say(f"{tally.n_sent} events sent" + (f", {tally.n_bad} bad lines left out" if tally.n_bad else ""))
    if tally.n_bad:
        sys.exit(1)
