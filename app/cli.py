"""The command line: `freshet`."""

import sys
from difflib import get_close_matches

import click

from app.commands import (
    bench,
    dashboard,
    data,
    dead_letters,
    demo,
    doctor,
    entries,
    evaluate,
    gateway,
    produce,
    recs,
    replay,
    reset,
    settings,
    similar,
    sniff,
    stopped,
    tail,
    top,
    topics,
    trending,
    up,
    worker,
)
from models.errors import FreshetError, SettingsError

EXIT_FAILED, EXIT_USAGE = 1, 2


class Commands(click.Group):
    """Commands by their names; a word that is none is told with the one that was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As of `click.Group`."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], self.list_commands(ctx), 1)
            error.message += f" Did you mean {near[0]}?" if near else ""
            raise


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="freshet")
def cli() -> None:
    """Events in through Kafka, fresh recommendation lists out of Redis, milliseconds in between.

    \b
    Try it on this machine:
      freshet demo                      the whole pipeline, explained while it runs
      freshet up                        a local Kafka, Redis and worker until Ctrl-C
    Settings come from FRESHET_* variables and freshet.toml: `freshet settings` lists them.
    """


cli.add_command(demo.demo)
cli.add_command(up.up)
cli.add_command(worker.worker)
cli.add_command(replay.replay)
cli.add_command(evaluate.evaluate)
cli.add_command(recs.recs)
cli.add_command(similar.similar)
cli.add_command(trending.trending)
cli.add_command(top.top)
cli.add_command(tail.tail)
cli.add_command(gateway.gateway)
cli.add_command(dashboard.dashboard)
cli.add_command(produce.produce)
cli.add_command(entries.items)
cli.add_command(entries.users)
cli.add_command(sniff.sniff)
cli.add_command(dead_letters.dead_letters)
cli.add_command(stopped.stopped)
cli.add_command(data.data)
cli.add_command(settings.settings)
cli.add_command(topics.topics)
cli.add_command(doctor.doctor)
cli.add_command(reset.reset)
cli.add_command(bench.bench)


def main() -> None:
    """Run the command line; every error raised on purpose becomes one clear message and an exit code."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except SettingsError as error:
        click.echo(f"freshet: {error}", err=True)
        sys.exit(EXIT_USAGE)
    except FreshetError as error:
        click.echo(f"freshet: {error}", err=True)
        sys.exit(EXIT_FAILED)
