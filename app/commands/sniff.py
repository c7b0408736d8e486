"""`freshet sniff`."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import print_json, say
from models.errors import ServiceError


@click.command()
@click.argument("what", metavar="TOPIC|FILE")
@click.option("--records", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Records looked at.")
@click.option("--registry", metavar="URL", help="The schema registry, for a topic in Avro.")
@click.option("--schema-file", metavar="FILE", help="An Avro schema, instead of a registry.")
@json_flag
@with_settings("broker")
def sniff(settings: Any, what: str, records: int, registry: str | None, schema_file: str | None, as_json: bool) -> None:
    """Find out what the records of a topic or a file are, and print the settings that read them.

    The settings are TOML that can be pasted into freshet.toml; what is said about them stands behind a #. Exit code 1
    if nothing fits.

    \b
    Examples:
      freshet sniff clicks
      freshet sniff orders --registry http://registry:8081
      freshet sniff export.jsonl >> freshet.toml
    """
    from app.commands.kafka_call import run_on_kafka
    from app.sniff.sample import sample_of_file, sample_of_topic
    from app.sniff.show import finding_json, finding_lines
    from app.sniff.sniff import sniff as look

    given = {"registry": registry, "schema_file": schema_file}
    schema = {name: value for name, value in given.items() if value is not None}
    if len(schema) == 2:
        raise click.UsageError("--registry and --schema-file are two ways to a schema: choose one.")
    if Path(what).is_file():
        sample = sample_of_file(Path(what), records)
    else:
        try:
            sample = run_on_kafka(sample_of_topic(settings.kafka, what, records), settings.broker)
        except ServiceError as error:
            said = str(error)
            raise ServiceError(
                said if what in said else f"there is no file {what}; to look for a topic: {said}"
            ) from None
    finding = asyncio.run(look(sample, settings.rules, schema=schema))
    if as_json:
        print_json(finding_json(finding, sample))
    else:
        for line in finding_lines(finding, sample):
            say(line)
    if not finding.fits:
        sys.exit(1)
