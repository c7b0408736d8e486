"""`freshet worker`."""

import sys

import click

from app.settings import load_settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what happens as JSON lines on standard output.")
def worker(as_json: bool) -> None:
    """Run a worker: fold events, save checkpoints, publish lists.

    Start as many as there are partitions at most; they share the work. Stop with Ctrl-C or SIGTERM: a last checkpoint
    is saved. Exit code 0 when told to stop, 1 after an error (a supervisor should start it again).

    \b
    Example:
      FRESHET_BROKER=127.0.0.1:9092 FRESHET_REDIS_URL=redis://127.0.0.1:6379/0 freshet worker
    """
    from app.worker.run import run_worker

    sys.exit(run_worker(load_settings(), as_json=as_json))
