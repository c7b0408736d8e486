"""`freshet demo`."""

import sys
import tempfile
from pathlib import Path

import click


@click.command()
@click.option("--dataset", default="ml-100k", show_default=True, help="The log to replay.")
@click.option("--partitions", type=click.IntRange(1, 64), default=4, show_default=True)
def demo(dataset: str, partitions: int) -> None:
    """Run the whole pipeline once on this machine, and show what comes out.

    Starts a local Kafka and Redis and a worker, replays a recorded log through them, and shows lists with titles and
    reasons, what trends, and what one click changes. Then come numbers: how good the lists were, how soon a click
    shows in them, and how fast a backlog is worked off, beside stock Faust. It takes some minutes. On a terminal the
    dashboard is open then, until Enter. Everything is stopped and removed at the end; downloads (Kafka, the log) are
    kept.

    \b
    Example:
      freshet demo
    """
    from app.demo.run import run_demo
    from app.local.session import terminated_as_interrupt

    with terminated_as_interrupt(), tempfile.TemporaryDirectory(prefix="freshet-demo-") as folder:
        try:
            run_demo(Path(folder), dataset, partitions)
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
            sys.exit(130)
