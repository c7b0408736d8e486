"""People at a gateway: threads that send views and read lists, whatever it answers, until they are told to end."""

import contextlib
import http.client
import itertools
import random
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Any, Self

import orjson

from app.local.ports import HOST

N_USERS, N_ITEMS = 40, 300
BATCH = 10


class Person:
    """A connection to a gateway, made anew when it breaks."""

    def __init__(self, port: int, timeout_s: float = 10.0) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: object = None, **more: str) -> tuple[int, Any]:
        """Status and JSON of an answer; 0 and None where there was none. `more` are headers, `_` for `-`."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(HOST, self._port, timeout=self._timeout_s)
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        payload = None if body is None else orjson.dumps(body)
        if payload is not None:
            headers["Content-Type"] = "application/json"
        try:
            self._connection.request(method, path, payload, headers)
            answer = self._connection.getresponse()
            return answer.status, orjson.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, None

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def viewed(user_id: str, item_id: str, event_type: str = "view") -> dict[str, Any]:
    """An event of now."""
    return {
        "user_id": user_id,
        "item_id": item_id,
        "event_type": event_type,
        "timestamp": int(time.time() * 1000),
    }


class Traffic:
    """Sends batches of views and reads lists from some threads; `statuses` counts the answers, 0 for none."""

    def __init__(self, port: int, n_threads: int = 4, per_s: float = 5.0) -> None:
        self.statuses: Counter[int] = Counter()
        self._port = port
        self._pause_s = 1.0 / per_s
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(n_threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, seed: int) -> None:
        person, chosen = Person(self._port), random.Random(seed)
        with contextlib.closing(person):
            for _ in itertools.count():
                if self._ending.wait(self._pause_s):
                    return
                user_id = f"u{chosen.randrange(N_USERS)}"
                views = [viewed(user_id, f"i{chosen.randrange(N_ITEMS)}") for _ in range(BATCH)]
                for asked in (("POST", "/v1/events", views), ("GET", f"/v1/users/{user_id}/recommendations")):
                    self.statuses[person.ask(*asked)[0]] += 1
