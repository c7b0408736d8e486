"""`freshet reset`."""

import sys
from dataclasses import asdict
from typing import Any

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import note, print_json, say


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_flag
@with_settings("broker", "redis_url", "namespace")
def reset(settings: Any, yes: bool, as_json: bool) -> None:
    """Drop all saved state, so that the workers fold the log anew from its start.

    For when a worker says so: the topic was made anew, its partitions are more, settings that shape state have
    changed, or a newer Freshet wrote the state. What has left the log by its retention cannot be folded again. Stop all
    workers first. Lists in Redis stay, and are replaced as the fold proceeds. Reset before dead letters are re-driven:
    what was re-driven already may count twice, which is told.

    \b
    Example:
      freshet reset --yes && freshet worker
    """
    from app.commands.kafka_call import run_on_kafka
    from app.dead_letters.copies import twice
    from app.reset import plan_reset
    from app.reset import reset as run_reset

    plan = run_on_kafka(plan_reset(settings), settings.broker)
    note(
        f"Reset of namespace {settings.namespace!r} at {settings.broker}: the saved state of {plan.n_partitions} "
        f"partitions is removed; {plan.n_records} records are folded anew by the next workers."
    )
    if plan.n_deleted:
        note(f"{plan.n_deleted} older records have left the log by its retention: what they taught is lost for good.")
    if plan.n_copies:
        note(twice(plan.n_copies))
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Nobody is there to be asked: say --yes to reset.")
        click.confirm("Go on?", abort=True, err=True)
    result = run_on_kafka(run_reset(settings, note), settings.broker)
    if as_json:
        print_json(asdict(result))
        return
    say(f"Done: epoch {result.epoch}, {result.n_removed} values removed. Start the workers: `freshet worker`.")
    say("Lists in Redis stay until their users' events are folded again.")
