"""The read-your-own-event token: where an event lies, and how long a read waits for a list made from it."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from app.gateway.problems import Problem, bad_value
from app.gateway.sender import Position
from app.gateway.view import View

_FORM: Final = re.compile(r"(\d{1,6}):(\d{1,16})", re.ASCII)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.005, 0.05


class Waited(NamedTuple):
    """Whether the user's list is made from the event or a later one, and how long that took."""

    reached: bool
    ms: int


def parse_token(text: str) -> Position:
    """The position that a token is.

    Raises
    ------
    Problem
        If it is none.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise bad_value("query after", "send the position of an accepted event, partition:offset, e.g. 3:1207.")
    return Position(int(found[1]), int(found[2]))


async def wait_for_list(
    view: View, user_id: str, token: Position, wait_ms: int, has_left: Callable[[], Awaitable[bool]]
) -> Waited:
    """Wait for a list of the user that is made from an event or a later one of its partition.

    Parameters
    ----------
    has_left
        Whether the client has: then nobody waits any more.

    Raises
    ------
    Problem
        If the user's events lie in another partition, so that no list will ever be made from that one.
    """
    began = time.monotonic()
    pause_s = FIRST_PAUSE_S
    while True:
        found = await view.own_list(user_id)
        if found is not None:
            partition, offset = found.place
            if partition != token.partition:
                raise Problem(
                    409,
                    "other_partition",
                    f"{token} lies in partition {token.partition}, and this user's events in {partition}: it is the "
                    "position of another user's event. Send one of this user's in `after`.",
                )
            if offset >= token.offset:
                return Waited(True, _since_ms(began))
        left_s = began + wait_ms / 1000 - time.monotonic()
        if left_s <= 0 or await has_left():
            return Waited(False, _since_ms(began))
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(LONGEST_PAUSE_S, 1.5 * pause_s)


def _since_ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
