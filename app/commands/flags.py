"""Flags that several commands share, and the settings that they override."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import click

Command = Callable[..., None]

_FLAGS: Final[dict[str, Callable[[Command], Command]]] = {
    "broker": click.option("--broker", metavar="HOST:PORT", help="Kafka, instead of FRESHET_BROKER."),
    "redis_url": click.option("--redis", "redis_url", metavar="URL", help="Redis, instead of FRESHET_REDIS_URL."),
    "namespace": click.option("--namespace", metavar="NAME", help="Instead of FRESHET_NAMESPACE."),
}

json_flag = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")

shares_every_flag = click.option(
    "--shares-every",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="RECORDS",
    help="With more partitions: how often each sees what the others did.",
)

limit_flag = click.option("-k", "k", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Items shown.")


def with_settings(*overrides: str) -> Callable[[Command], Command]:
    """Let a command begin with the argument `settings`, and take flags for some of them.

    Parameters
    ----------
    overrides
        Settings that have a flag here: `broker`, `redis_url`, `namespace`.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**arguments: Any) -> None:
            from app.settings import load_settings  # here, so that `freshet --help` does not wait for it

            given = {name: arguments.pop(name) for name in overrides}
            settings = load_settings(**{name: value for name, value in given.items() if value is not None})
            command(settings=settings, **arguments)

        decorated: Command = run
        for name in reversed(overrides):
            decorated = _FLAGS[name](decorated)
        return decorated

    return decorate
