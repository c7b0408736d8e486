"""`freshet dashboard`."""

import sys
from typing import Any

import click

from app.commands.flags import with_settings
from app.commands.output import print_json, say

EXTRA = ("fastapi", "starlette", "uvicorn", "htpy", "markupsafe")


@click.command()
@click.option("--host", metavar="ADDRESS", help="Instead of FRESHET_DASHBOARD_LISTEN_HOST.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Instead of FRESHET_DASHBOARD_LISTEN_PORT.")
@click.option("--worker", "workers", multiple=True, metavar="URL", help="Instead of FRESHET_DASHBOARD_WORKERS.")
@click.option("--changes/--no-changes", default=None, help="Instead of FRESHET_DASHBOARD_CHANGES.")
@click.option("--mask/--no-mask", default=None, help="Instead of FRESHET_DASHBOARD_MASK_USERS.")
@click.option("--json", "as_json", is_flag=True, help="Print what happens as JSON.")
@with_settings("broker", "redis_url", "namespace")
def dashboard(
    settings: Any,
    host: str | None,
    port: int | None,
    workers: tuple[str, ...],
    changes: bool | None,
    mask: bool | None,
    as_json: bool,
) -> None:
    """Serve the dashboard: the stream while it moves, how fresh and how good lists are, and why a person sees an item.

    It prints an address with a token that opens it; set FRESHET_DASHBOARD_TOKEN to keep one. It listens to this
    machine alone unless told otherwise, and only shows: --changes lets its pages send clicks and re-drive dead letters.

    Numbers of workers come from their metrics, so they have to serve them: FRESHET_METRICS_LISTEN_PORT. A worker of
    this machine is found by the same setting; others are named with --worker, and a name that has several addresses is
    all of them. Kafka and Redis are those of the settings. Stop with Ctrl-C or SIGTERM. `freshet up` has one already.
    Needs `pip install 'freshet[web]'`.

    \b
    Examples:
      FRESHET_METRICS_LISTEN_PORT=9108 freshet worker        (one terminal)
      FRESHET_METRICS_LISTEN_PORT=9108 freshet dashboard     (another)
      freshet dashboard --worker http://worker-1:9108/metrics --worker http://worker-2:9108/metrics
      FRESHET_DASHBOARD_TOKEN=... freshet dashboard --host 0.0.0.0 --mask
    """
    serve, opened_by = _server()
    given = {
        "dashboard_listen_host": host,
        "dashboard_listen_port": port,
        "dashboard_workers": _urls(workers),
        "dashboard_changes": changes,
        "dashboard_mask_users": mask,
    }
    changed = settings.model_copy(update={name: value for name, value in given.items() if value is not None})

    def tell(url: str, token: str) -> None:
        if as_json:
            print_json({"event": "listening", "url": url, "token": token, "opened_by": opened_by(url, token)})
        elif settings.dashboard_token:
            say(f"dashboard at {url}, opened by FRESHET_DASHBOARD_TOKEN; Ctrl-C ends it")
        else:
            say(f"dashboard at {opened_by(url, token)}; Ctrl-C ends it")

    serve(changed, tell)


def _urls(workers: tuple[str, ...]) -> tuple[str, ...] | None:
    from app.dashboard_settings import checked_urls

    try:
        return checked_urls(workers) or None
    except ValueError as error:
        raise click.UsageError(f"--worker: {error}. Use e.g. http://127.0.0.1:9108/metrics.") from None


def _server() -> Any:
    try:
        from app.dashboard.serve import opened_by, serve
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in EXTRA:
            raise
        click.echo(
            f"freshet: the dashboard needs {missing.name}, which is not installed. Run: pip install 'freshet[web]'",
            err=True,
        )
        sys.exit(1)
    return serve, opened_by
