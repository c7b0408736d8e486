"""`freshet gateway`."""

import sys
from typing import Any

import click

from app.commands.flags import with_settings
from app.commands.output import print_json, say

SCOPES = ("read", "write", "admin")  # of app.gateway_settings, whose import takes as long as all of `--help`


@click.command()
@click.option("--host", metavar="ADDRESS", help="Instead of FRESHET_GATEWAY_LISTEN_HOST.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Instead of FRESHET_GATEWAY_LISTEN_PORT.")
@click.option("--processes", type=click.IntRange(1, 64), help="Instead of FRESHET_GATEWAY_PROCESSES.")
@click.option("--new-key", metavar="NAME", help="Make an API key, print it once, and do not serve.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Of the new key; read unless said.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the new key, or what happens.")
@with_settings("broker", "redis_url", "namespace")
def gateway(
    settings: Any,
    host: str | None,
    port: int | None,
    processes: int | None,
    new_key: str | None,
    scopes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Serve HTTP: events in, recommendation lists out; http://127.0.0.1:8400/openapi.json describes it.

    Without API keys it serves this machine alone. Stop with Ctrl-C or SIGTERM: requests under way end first. Exit code
    0 when told to stop. Needs `pip install 'freshet[web]'`.

    \b
    Examples:
      freshet gateway
      freshet gateway --new-key shop --scope read --scope write
      FRESHET_GATEWAY_KEYS='["shop:read+write:<sha256>"]' freshet gateway --host 0.0.0.0 --processes 2
    """
    if new_key is not None:
        _make_key(new_key, scopes or ("read",), as_json=as_json)
        return
    if scopes:
        raise click.UsageError("--scope goes with --new-key NAME.")
    serve = _server()
    given = {"gateway_listen_host": host, "gateway_listen_port": port, "gateway_processes": processes}
    changed = settings.model_copy(update={name: value for name, value in given.items() if value is not None})
    serve(changed, lambda url: _tell(url, as_json=as_json))


def _tell(url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"event": "listening", "url": url})
    else:
        say(f"serving {url}, described at {url}/openapi.json; Ctrl-C ends it")


def _make_key(name: str, scopes: tuple[str, ...], *, as_json: bool) -> None:
    from app.gateway.access import new_key

    key, entry = new_key(name, scopes)
    if as_json:
        print_json({"key": key, "entry": entry})
        return
    say(f"key, shown this once:       {key}")
    say(f"entry of gateway_keys:      {entry}")
    say(f'e.g. in freshet.toml:       gateway_keys = ["{entry}"]')


def _server() -> Any:
    try:
        from app.gateway.serve import serve
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("fastapi", "starlette", "uvicorn"):
            raise
        click.echo(
            f"freshet: the gateway needs {missing.name}, which is not installed. Run: pip install 'freshet[web]'",
            err=True,
        )
        sys.exit(1)
    return serve
