"""Calls of the server-side functions in `functions.lua`: their arguments, packed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Final, NamedTuple

from app.store.connect import Command, Value
from models.errors import StateError

LIBRARY: Final = files("app.store").joinpath("functions.lua").read_text(encoding="utf-8")
_NAME: Final = "freshet_3"
_EARLIER: Final = ("freshet_1", "freshet_2")


class HashChange(NamedTuple):
    """What makes a hash the one that is wanted.

    `expected` is the `updated_at_ms` which the stored hash must carry for the change to fit; empty: no matter what is
    stored, replace it by `changed`.
    """

    key: str
    expected: str
    changed: Mapping[str, Value]
    gone: Sequence[str]


def load_libraries() -> list[Command]:
    """Load our functions, in place of an older load of the same library, and in place of those of earlier releases.

    A worker of an earlier release that has been held up may still send a list, by its own functions, which know no
    revisions.
    """
    return [("FUNCTION", "LOAD", "REPLACE", LIBRARY.replace(_NAME, name)) for name in (*_EARLIER, _NAME)]


def _call(function: str, keys: Sequence[str], arguments: Iterable[Value]) -> Command:
    return ("FCALL", f"{_NAME}_{function}", len(keys), *keys, *arguments)


def publish_lists(entries: Sequence[tuple[str, bytes]], ttl_s: int) -> Command:
    """Write each list unless the stored one is newer; the reply is the number written."""
    return _call("publish_lists", [key for key, _ in entries], [ttl_s, *(payload for _, payload in entries)])


def replace_sorted_sets(entries: Sequence[tuple[str, Mapping[str, float]]], ttl_s: int) -> Command:
    """Make each sorted set exactly its members; a set without members is removed.

    Members go out greatest first: a small sorted set is a list that the server searches from its least member, so
    100 ascending ones take it 2.6 times as long.

    Raises
    ------
    StateError
        If a score is not a number.
    """
    arguments: list[Value] = [ttl_s]
    for key, members in entries:
        arguments.append(len(members))
        for member, score in sorted(members.items(), key=_score_then_id, reverse=True):
            if not math.isfinite(score):
                raise StateError(
                    f"Member {member!r} of {key!r} has score {score}: a score must be finite. "
                    "Correct the model that computed it."
                )
            arguments += (score, member)
    return _call("replace_sorted_sets", [key for key, _ in entries], arguments)


def _score_then_id(pair: tuple[str, float]) -> tuple[float, str]:
    return pair[1], pair[0]


def write_hashes(changes: Sequence[HashChange], ttl_s: int) -> Command:
    """Apply each change; the reply has 1 for each that fitted, and 0 for a hash that must be sent whole."""
    arguments: list[Value] = [ttl_s]
    for change in changes:
        arguments += (change.expected, len(change.changed), len(change.gone))
        for field, value in change.changed.items():
            arguments += (field, value)
        arguments += change.gone
    return _call("write_hashes", [change.key for change in changes], arguments)


def look_at_sentinel(key: str, run_id: str, token: str) -> Command:
    """Return the sentinel; set it to `<run_id> <token>` first where it is missing or older than the server's start."""
    return _call("look_at_sentinel", [key], [run_id, token])
