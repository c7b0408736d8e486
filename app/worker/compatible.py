"""Whether a worker may go on with a stored state: it is of this log, and no setting forbids it."""

import logging
from itertools import islice
from typing import Any

from app.changes import Refuse, owner
from app.settings import PREFIX, Settings
from models.errors import ResetRequired
from models.partitioner import fitting, partition_of
from tables.marker import Marker
from tables.partition import PartitionState

logger = logging.getLogger("freshet")

ABSENT = "not there"
FIRST_WITH_LEARNER = 7  # of the state versions
USERS_ASKED = 1000


def check_marker(state: PartitionState, end_offset: int, n_partitions: int) -> None:
    """Refuse a state that belongs to another log, or was made with settings that must not change.

    Raises
    ------
    ResetRequired
        With the command to run.
    """
    marker = state.loaded
    if marker is None:
        return
    if marker.n_partitions == 0:
        raise ResetRequired(
            f"a reset of partition {state.number} was begun and not ended. Run `freshet reset` once more."
        )
    if marker.topic and state.topic and marker.topic != state.topic:
        raise ResetRequired(
            f"partition {state.number} was folded from topic {marker.topic}, FRESHET_EVENTS_TOPIC now says "
            f"{state.topic}: offsets of one say nothing of the other. Set FRESHET_EVENTS_TOPIC={marker.topic} again, "
            "use another FRESHET_NAMESPACE, or stop all workers and run `freshet reset` to fold the other topic."
        )
    if marker.next_offset > end_offset:
        raise ResetRequired(
            f"partition {state.number} was folded up to offset {marker.next_offset}, but its log ends at {end_offset}: "
            "the topic was made anew or mirrored. Run `freshet reset` to fold the log that is there from its start."
        )
    if marker.n_partitions != n_partitions:
        raise ResetRequired(
            f"the state was made of {marker.n_partitions} partitions, the topic has {n_partitions}: users have moved. "
            "Run `freshet reset` to fold the log anew."
        )
    version = (marker.settings or {}).get("state_version", 0)
    if n_partitions > 1 and version < FIRST_WITH_LEARNER:
        raise ResetRequired(
            f"partition {state.number} was saved in state version {version}, when each of several partitions had "
            f"factors of its own; since version {FIRST_WITH_LEARNER} one learner has those of all. Stop all workers "
            "and run `freshet reset` to fold the log anew."
        )
    _check_settings(state, marker)


def _check_settings(state: PartitionState, marker: Marker) -> None:
    if marker.settings is None:
        _check_unnamed(state, marker)
        return
    changed: list[str] = []
    now = state.described
    for shaped in sorted(marker.settings.keys() | now.keys()):
        before, after = marker.settings.get(shaped, ABSENT), now.get(shaped, ABSENT)
        if before == after:
            continue
        name, mark = owner(shaped, Settings.model_fields) or (None, None)
        if isinstance(mark, Refuse):
            raise ResetRequired(_refusal(state.number, f"{PREFIX}{name}".upper(), before, after, mark.why))
        title = f"Freshet's own {shaped}" if name is None else f"{PREFIX}{name.upper()} ({shaped})"
        changed.append(f"{title} was {before}, is {after}")
    if changed:
        _warn(state.number, "; ".join(changed))


def _check_unnamed(state: PartitionState, marker: Marker) -> None:
    """A marker from before settings were kept: who lives here says which partitioner it was."""
    if marker.fingerprint == state.settings.fingerprint():
        return
    ours, n = state.settings.partitioner, state.n_partitions
    users = [user_id.encode() for user_id in islice(state.users, USERS_ASKED)]
    if any(partition_of(user, n, ours) != state.number for user in users):
        fits = fitting(((user, state.number) for user in users), n)
        why = "the stored users of this partition belong to others"
        raise ResetRequired(_refusal(state.number, f"{PREFIX}PARTITIONER", " or ".join(fits) or ABSENT, ours, why))
    now = state.settings.fingerprint()
    why = "a setting, or the fold itself with this Freshet: which one was not kept then"
    _warn(state.number, f"the fingerprint was {marker.fingerprint}, is {now} ({why})")


def _refusal(number: int, variable: str, before: Any, after: Any, why: str) -> str:
    return (
        f"partition {number}: {variable} was {before} when the state was made and is {after} now: {why}. Set "
        f"{variable}={before} again, or stop all workers and run `freshet reset` to fold the log anew."
    )


def _warn(number: int, what: str) -> None:
    logger.warning(
        "partition %d: what shapes the state has changed: %s. What is folded stays as it was made; `freshet "
        "reset` makes all of it anew.",
        number,
        what,
    )
