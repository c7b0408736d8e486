"""`freshet doctor`."""

import sys
from dataclasses import asdict
from typing import Any

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import print_json, print_table, say


@click.command()
@json_flag
@with_settings("broker", "redis_url", "namespace")
def doctor(settings: Any, as_json: bool) -> None:
    """Check that Kafka and Redis are reachable, that topics are as they must be, and that the workers get on.

    Exit code 1 if anything is wrong, notes alone leave it at 0; each finding says what to do.

    \b
    Examples:
      freshet doctor
      freshet doctor --json | jq '.findings[] | select(.status == "wrong")'
    """
    from app.commands.kafka_call import run_on_kafka
    from app.doctor.examine import examine

    findings = run_on_kafka(examine(settings), settings.broker)
    n_wrong = sum(finding.status == "wrong" for finding in findings)
    if as_json:
        print_json({"ok": not n_wrong, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [(finding.status, finding.check, finding.found, finding.advice) for finding in findings]
        print_table(("status", "check", "found", "what to do"), rows)
        say(verdict(n_wrong, sum(finding.status == "note" for finding in findings)))
    if n_wrong:
        sys.exit(1)


def verdict(n_wrong: int, n_notes: int) -> str:
    """The last line.

    Examples
    --------
    >>> verdict(0, 0), verdict(0, 2), verdict(1, 2)
    ('Everything is as it should be.', 'Nothing is wrong; 2 notes.', '1 thing is wrong.')
    """
    if n_wrong:
        return f"{n_wrong} thing{'s are' if n_wrong > 1 else ' is'} wrong."
    if n_notes:
        return f"Nothing is wrong; {n_notes} note{'s' if n_notes > 1 else ''}."
    return "Everything is as it should be."
