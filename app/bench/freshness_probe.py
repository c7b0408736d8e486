"""The prober of `freshet bench freshness`: reads the lists of probed users every millisecond until they have reacted.

Run as `python -m app.bench.freshness_probe REDIS_URL NAMESPACE`. Standard input has two lines for each probe:
`{"number", "user_id", "item_id", "due"}` when it is sent, `{"number", "offset"}` when it is acknowledged. At its end
the latencies (ms) of all probes go to standard output; one that is not seen within 10 s counts as unread, and as 10 s.
"""

import os
import select
import sys
from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import orjson

from app.settings import load_settings
from app.store.clients import for_threads
from tables.list_json import VERSION_END, VERSION_START, decode_list

TICK_S = 0.001
REST = 4.0  # a tick lasts at least so many times as long as its reads: many at once must not take the worker's time
UNREAD_S = 10.0
MAX_AT_ONCE = 32
READ_BYTES = 1 << 16
TIMEOUT_S = 5.0


@dataclass(slots=True)
class Probe:
    """A click that is waited for.

    Parameters
    ----------
    due
        When it was to be sent, s.
    offset
        Where it lies in its partition, once that is known.
    seen
        Lists of its user as they came: when, of which offset, whether they offered the item.
    """

    user_id: str
    item_id: str
    due: float
    offset: int | None = None
    version: bytes = b""
    seen: list[tuple[float, int, bool]] = field(default_factory=list)

    def take(self, payload: bytes | None, at: float) -> None:
        """Take what a GET gave."""
        version = b"" if payload is None else payload[VERSION_START:VERSION_END]
        if payload is None or version == self.version:
            return
        found = decode_list(payload)
        self.version = version
        self.seen.append((at, found.source[2], any(item.item_id == self.item_id for item in found.items)))

    @property
    def visible_at(self) -> float | None:
        """When the first list came that is as new as the click, and without the item."""
        if self.offset is None:
            return None
        return next((at for at, offset, offers in self.seen if offset >= self.offset and not offers), None)


class Prober:
    """All probes: those waited for, and how long the others took."""

    def __init__(self) -> None:
        self.pending: dict[int, Probe] = {}
        self.latencies_ms: list[float] = []
        self.unread = 0
        self._turns: deque[int] = deque()

    def tell(self, line: dict[str, Any]) -> None:
        """Take one line."""
        number = line["number"]
        if "due" in line:
            self.pending[number] = Probe(line["user_id"], line["item_id"], line["due"])
            self._turns.append(number)
        elif number in self.pending:
            self.pending[number].offset = line["offset"]
            self._settle(number)

    def turn(self) -> list[int]:
        """Whose lists to read now; if there are too many for a tick, those who waited longest for their turn."""
        chosen: list[int] = []
        for _ in range(len(self._turns)):
            number = self._turns.popleft()
            if number in self.pending:
                self._turns.append(number)
                chosen.append(number)
                if len(chosen) == MAX_AT_ONCE:
                    break
        return chosen

    def look(self, number: int, payload: bytes | None, at: float) -> None:
        """Take the list of one probe's user."""
        probe = self.pending[number]
        probe.take(payload, at)
        self._settle(number)
        if number in self.pending and at - probe.due > UNREAD_S:
            del self.pending[number]
            self.unread += 1
            self.latencies_ms.append(1000 * UNREAD_S)

    def _settle(self, number: int) -> None:
        probe = self.pending[number]
        if probe.visible_at is not None:
            self.latencies_ms.append(1000 * (probe.visible_at - probe.due))
            del self.pending[number]


def main() -> None:
    """Probe until standard input ends and nothing is waited for."""
    settings = load_settings()
    connection, keys, prober = for_threads(settings.redis, timeout_s=TIMEOUT_S), settings.keys, Prober()
    _say({"event": "ready"})
    rest, ended, tick = b"", False, monotonic()
    while not ended or prober.pending:
        wait_s = max(0.0, tick - monotonic()) if prober.pending else None
        readable, _, _ = select.select([] if ended else [sys.stdin], [], [], wait_s)
        if readable:
            block = os.read(sys.stdin.fileno(), READ_BYTES)
            ended = not block
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                prober.tell(orjson.loads(line))
        if monotonic() >= tick and prober.pending:
            began, turn = monotonic(), prober.turn()
            replies = connection.run([("GET", keys.user_list(prober.pending[number].user_id)) for number in turn])
            at = monotonic()
            tick = began + max(TICK_S, REST * (at - began))
            for number, payload in zip(turn, replies, strict=True):
                prober.look(number, payload, at)
    _say({"event": "result", "latencies_ms": prober.latencies_ms, "unread": prober.unread})


def _say(line: dict[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
