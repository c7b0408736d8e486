"""`freshet stopped`."""

import sys
from dataclasses import asdict
from typing import Any

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import note, print_json, print_table, say


@click.group()
def stopped() -> None:
    """Partitions that stand because a batch of theirs cannot be decoded; how to get past it.

    Such a batch (an unknown codec, damaged bytes) stops its partition alone. All before it is folded and saved, the
    other partitions go on, and events behind it wait.

    \b
    Examples:
      freshet stopped list
      freshet stopped skip 3 120045
    """


@stopped.command("list")
@json_flag
@with_settings("broker", "namespace")
def list_stopped(settings: Any, as_json: bool) -> None:
    """List partitions that stand, and batches that were stepped over before.

    Looks at the first 5,000 records behind each partition's last checkpoint, with or without workers.

    \b
    Example:
      freshet stopped list --json | jq .stopped
    """
    from app.commands.kafka_call import run_on_kafka
    from app.stopped.find import find_stopped
    from app.stopped.skips import read_skips

    found = run_on_kafka(find_stopped(settings), settings.broker)
    skips = run_on_kafka(read_skips(settings), settings.broker)
    if as_json:
        standing = [
            {
                "topic": each.topic,
                "partition": each.partition,
                "offset": each.offset,
                "why": each.why,
                "waiting": each.n_waiting,
                "first": each.batch and each.batch.first,
                "behind": each.batch and each.batch.behind,
                "codec": each.batch and each.batch.codec,
                "bytes": each.batch and len(each.batch.data),
            }
            for each in found
        ]
        print_json({"stopped": standing, "stepped_over": [asdict(skip) for skip in skips]})
        return
    rows: list[tuple[object, ...]] = [
        ("stands", each.topic, each.partition, each.offset, each.n_waiting, each.why) for each in found
    ]
    rows += [("stepped over", skip.topic, skip.partition, skip.first, "", skip.why) for skip in skips]
    if rows:
        print_table(("", "topic", "partition", "offset", "waiting", "why"), rows, right=("partition", "offset"))
    note(f"{len(found)} partitions stand, {len(skips)} batches were stepped over.")


@stopped.command("skip")
@click.argument("partition", type=click.IntRange(0))
@click.argument("offset", type=click.IntRange(0))
@click.option("--topic", default="", help="One that the intake reads; that of the events by default.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_flag
@with_settings("broker", "namespace")
def skip_stopped(settings: Any, partition: int, offset: int, topic: str, yes: bool, as_json: bool) -> None:
    """Step over the batch at OFFSET of PARTITION, for good.

    Its bytes are kept as a dead letter with reason `undecodable`. What is in it is not folded: not now, and not when
    the log is folded anew after `freshet reset`. Running workers go on within seconds. A batch that can be decoded is
    never stepped over.

    \b
    Example:
      freshet stopped skip 3 120045 --yes
    """
    from app.commands.kafka_call import run_on_kafka
    from app.stopped.skip import skip_batch

    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Nobody is there to be asked: say --yes to step over the batch.")
        click.confirm(
            f"Never fold the batch at offset {offset} of partition {partition} of {topic or settings.names.events}?",
            abort=True,
            err=True,
        )
    skip, is_new = run_on_kafka(skip_batch(settings, partition, offset, topic), settings.broker)
    if as_json:
        print_json({**asdict(skip), "new": is_new})
        return
    what = f"offsets {skip.first} to {skip.behind - 1} of partition {partition} of {skip.topic} ({skip.n_bytes} bytes)"
    if is_new:
        say(f"Stepped over: {what}. Running workers go on within seconds; `freshet dead-letters list` has its bytes.")
    else:
        say(f"Stepped over before: {what}.")
