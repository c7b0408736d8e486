"""Clicks made on a page: events like any others, and how long until a list answers them."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import orjson

from app.dashboard.lookup import Lookup
from app.gateway.sender import Position, Record, Sender
from app.gateway.token import wait_for_list
from app.settings import Settings
from models.errors import InvalidEvent, ServiceError
from models.events import decode

KEPT: Final = 200
SEND_S: Final = 5.0
WAIT_MS: Final = 5000
OLD_MS: Final = 86_400_000
STEP_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Click:
    """One click, and what came of it.

    Parameters
    ----------
    position
        Where it lies in the log.
    took_ms
        From sending it until the user's list in Redis was made from it; None: not within five seconds.
    new_items
        Items of that list which were not in the one before.
    """

    user_id: str
    item_id: str
    at_ms: int
    position: str
    took_ms: float | None
    new_items: frozenset[str]


class Clicks:
    """Sends clicks, and remembers the last one of each user."""

    def __init__(self, settings: Settings, sender: Sender, lookup: Lookup) -> None:
        self._settings = settings
        self._sender = sender
        self._lookup = lookup
        self._last: OrderedDict[str, Click] = OrderedDict()

    def last(self, user_id: str) -> Click | None:
        """The last click made here for a user."""
        return self._last.get(user_id)

    async def click(self, user_id: str, item_id: str) -> Click:
        """Send a click, and wait for a list made from it.

        Raises
        ------
        InvalidEvent
            If it could not be folded.
        ServiceError
            If Kafka did not take it, or Redis does not answer.
        """
        before = await self._lookup.person(user_id)
        now_ms = int(time.time() * 1000)
        value = orjson.dumps(
            {
                "user_id": user_id,
                "item_id": item_id,
                "event_type": "click",
                "timestamp": time_of(before.features.get("last_event_ms", 0), now_ms),
                "context": {"surface": "dashboard"},
            }
        )
        decode(user_id.encode(), value, now_ms, self._settings.rules)
        began_s = time.perf_counter()
        (sent,) = await self._sender.send(
            self._settings.names.events, [Record(user_id.encode(), value)], within_s=SEND_S
        )
        if isinstance(sent, InvalidEvent):
            raise sent
        if sent is None:
            raise ServiceError(
                "Kafka did not say in time that it has the click: it may lie there or not. Look at the tail."
            )
        took_ms = await self._answered(user_id, sent, began_s)
        known = {item["id"] for item in before.items}
        after = await self._lookup.person(user_id)
        new = frozenset(item["id"] for item in after.items if item["id"] not in known)
        click = Click(user_id, item_id, now_ms, str(sent), took_ms, new)
        self._last[user_id] = click
        self._last.move_to_end(user_id)
        if len(self._last) > KEPT:
            self._last.popitem(last=False)
        return click

    async def _answered(self, user_id: str, sent: Position, began_s: float) -> float | None:
        async def never() -> bool:
            return False

        waited = await wait_for_list(self._lookup.view, user_id, sent, WAIT_MS, never)
        return 1000 * (time.perf_counter() - began_s) if waited.reached else None


def time_of(last_event_ms: int, now_ms: int) -> int:
    """The time of a user's next event: now; in a log of long ago, whose clock stands, just behind the last one.

    Examples
    --------
    >>> time_of(1_700_000_000_000, 1_700_000_005_000), time_of(900_000_000_000, 1_700_000_000_000)
    (1700000005000, 900000001000)
    """
    return last_event_ms + STEP_MS if 0 < last_event_ms < now_ms - OLD_MS else now_ms
