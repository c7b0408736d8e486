"""`freshet topics`."""

from collections.abc import Iterator
from typing import Any

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import print_json, print_table

FORMATS = ("kafka-topics", "terraform", "acls", "all")


@click.command()
@click.option("--print", "as_lines", is_flag=True, help="Print what makes them in another way; Kafka is not asked.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="With --print: kafka-topics (default), terraform, acls (permissions on Kafka and Redis), all of them.",
)
@json_flag
@with_settings("broker", "redis_url", "namespace")
def topics(settings: Any, as_lines: bool, form: str | None, as_json: bool) -> None:
    """Make the topics that are missing, or print the lines that make them.

    A worker makes them by itself where it may. Where it may not, somebody who may runs this, or what it prints, once;
    with the printed permissions alone a worker then runs.

    \b
    Examples:
      freshet topics
      freshet topics --print --format all
      FRESHET_REPLICATION_FACTOR=3 freshet topics --print --format terraform > freshet.tf
    """
    if as_lines:
        if as_json:
            raise click.UsageError("--print gives lines for other programs as they are: leave --json out.")
        for line in lines(settings, form or FORMATS[0]):
            click.echo(line)
        return
    if form is not None:
        raise click.UsageError("--format says how topics are printed: say --print, too.")
    from app.commands.kafka_call import run_on_kafka
    from app.worker.preflight import prepare_topics

    counts = run_on_kafka(prepare_topics(settings), settings.broker)
    if as_json:
        print_json({"topics": counts})
        return
    print_table(("topic", "partitions"), list(counts.items()), right=("partitions",))


def lines(settings: Any, form: str) -> Iterator[str]:
    """What is printed in a format."""
    from app.topics.grants import roles
    from app.topics.lines import acl_lines, topic_lines
    from app.topics.redis_rules import redis_lines
    from app.topics.terraform import terraform
    from app.worker.preflight import topics_of

    specs = topics_of(settings, settings.partitions)
    clients = list(roles(settings.names, settings.kafka_username or "freshet-worker", settings.source_topics))
    if form in ("kafka-topics", "all"):
        yield from topic_lines(specs, settings.kafka, settings.replication_factor)
    if form in ("acls", "all"):
        yield from acl_lines(clients, settings.kafka)
        yield from redis_lines(settings)
    if form in ("terraform", "all"):
        yield from terraform(specs, clients, settings.replication_factor)
