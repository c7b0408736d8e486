"""Variables that look like settings and are none: told, for a misspelt one would be ignored in silence."""

import os
import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from functools import cache
from typing import Final

import click

OTHERS: Final = ("CONFIG", "REDIS_IMAGE")
"""What is no setting of Freshet's, and read: by the settings, and by docker-compose.yml."""

# what Kubernetes sets in every pod beside a service whose name begins with ours
_OF_SERVICES: Final = re.compile(r"(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP|SCTP)(_.+)?)?)")


def example_near(word: str, known: Iterable[str]) -> str:
    """What to add to a list of what is allowed: the one that was probably meant; empty where none is near.

    >>> example_near("clik", ["view", "click"]), example_near("x", ["view"])
    (', e.g. click', '')
    """
    return "".join(f", e.g. {near}" for near in get_close_matches(word, list(known), 1))


def unknown(variables: Iterable[str], prefix: str, settings: Collection[str]) -> dict[str, str]:
    """Variables that begin with the prefix and are no setting, each with the nearest one, or an empty text.

    Examples
    --------
    >>> unknown(["FRESHET_PARTITIONR", "FRESHET_XYZ", "FRESHET_BROKER", "PATH"], "FRESHET_", ["broker", "partitioner"])
    {'FRESHET_PARTITIONR': 'FRESHET_PARTITIONER', 'FRESHET_XYZ': ''}
    """
    known = [*(name.upper() for name in settings), *OTHERS]
    ours = {name: name.upper().removeprefix(prefix) for name in sorted(variables) if name.upper().startswith(prefix)}
    return {
        name: "".join(f"{prefix}{near}" for near in get_close_matches(rest, known, 1))
        for name, rest in ours.items()
        if rest not in known and not _OF_SERVICES.fullmatch(rest)
    }


def warn_of_unknown(prefix: str, settings: Collection[str]) -> None:
    """Tell of those of this process, once: no error, for an older and a newer Freshet may share an environment."""
    for name, near in unknown(os.environ, prefix, settings).items():
        _tell(name, near)


@cache
def _tell(name: str, near: str) -> None:
    what = f"Is {near} meant?" if near else "`freshet settings` lists them all."
    click.echo(f"freshet: the variable {name} is no setting, and is ignored. {what}", err=True)
