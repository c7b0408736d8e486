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

    Exit code 1 if anything is wrong; each finding says what to do.

    \b
    Examples:
      freshet doctor
      freshet doctor --json | jq '.findings[] | select(.status == "wrong")'
    """
    from app.commands.kafka_call import run_on_kafka
    from app.doctor import examine

    findings = run_on_kafka(examine(settings), settings.broker)
    n_wrong = sum(finding.status == "wrong" for finding in findings)
    if as_json:
        print_json({"ok": not n_wrong, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [(finding.status, finding.check, finding.found, finding.advice) for finding in findings]
        print_table(("status", "check", "found", "what to do"), rows)
        say("Everything is as it should be." if not n_wrong else f"{n_wrong} things are wrong.")
    if n_wrong:
        sys.exit(1)
