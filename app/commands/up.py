"""`freshet up`."""

import sys
import time
from pathlib import Path

import click
from rich.console import Console

from app.commands.output import print_json
from app.settings import load_settings

WATCH_S = 0.2


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path(".freshet"), show_default=True)
@click.option("--broker", default="", help="Use this Kafka instead of starting one.")
@click.option("--redis", "redis_url", default="", help="Use this Redis instead of starting one.")
@click.option("--no-worker", is_flag=True, help="Kafka and Redis alone, e.g. for `freshet reset`.")
@click.option("--no-dashboard", is_flag=True, help="Without the dashboard.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when all is ready: where it is.")
def up(folder: Path, broker: str, redis_url: str, no_worker: bool, no_dashboard: bool, as_json: bool) -> None:
    """Keep a local Kafka, a local Redis, a worker and the dashboard running until Ctrl-C.

    Kafka takes port 9092 and Redis 6379 where these are free, so that every other command finds them; else the
    lines to export are printed. Data and logs stay in the folder; a second `freshet up` there goes on from them. The
    dashboard's address is printed with the token that opens it, which stays in the folder as well.

    \b
    Examples:
      freshet up                              (one terminal)
      freshet replay --dataset ml-100k        (another)
      freshet recs 1
      redis-cli GET recs:user:1
      freshet up --no-worker                  (to run `freshet reset` beside it)
    """
    from app.local.session import LocalSession, terminated_as_interrupt

    console = Console(stderr=True)
    with terminated_as_interrupt():
        try:
            with LocalSession(
                folder,
                load_settings(),
                broker=broker,
                redis_url=redis_url,
                usual_ports=True,
                with_worker=not no_worker,
            ) as session:
                settings = session.settings
                console.print(
                    f"Kafka  {settings.broker}\nRedis  {settings.redis.shown}\nLogs   {folder.absolute()}/**/*.log"
                )
                if (settings.broker, settings.redis_url) != (load_settings().broker, load_settings().redis_url):
                    console.print("In other terminals:", style="bold")
                    line = f"export FRESHET_BROKER={settings.broker} FRESHET_REDIS_URL={settings.redis.shown}"
                    console.print(line, soft_wrap=True)  # one line, to be pasted
                if no_worker:
                    console.print("No worker runs: `freshet reset` may, or start `freshet worker`.")
                elif n_elsewhere := session.serving["n_partitions"] - len(session.serving["partitions"]):
                    console.print(f"{n_elsewhere} partitions are held by other workers of the group.")
                if not (no_dashboard or no_worker):
                    opened_by = session.start_dashboard()
                    console.print(
                        f"Dashboard  {opened_by}" if opened_by else "No dashboard: pip install 'freshet[web]'",
                        soft_wrap=True,
                        highlight=False,
                    )
                console.print("Ready. Ctrl-C stops everything.", style="bold green")
                if as_json:
                    print_json({"event": "ready", "broker": settings.broker, "redis_url": settings.redis.shown})
                while True:
                    happened = session.watch()
                    if happened:
                        console.print(happened, style="red", markup=False)
                    time.sleep(WATCH_S)
        except KeyboardInterrupt:
            console.print("Stopped.")
            sys.exit(0)
