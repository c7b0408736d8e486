"""A `freshet dashboard` of its own over a scene, as a child process, and a stream for it to show."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from app.local.ports import free_port
from app.worker.process import WorkerProcess, environment
from tests.scene import Scene, Sent, send_all

TOKEN = "a-token-of-twenty-four-c"
PATIENCE_S = 60.0
N_USERS, N_ITEMS, N_EVENTS = 40, 60, 1500
SCRIPT = "<script>alert(1)</script>"
GENRES = ("Drama", "Comedy", "Thriller", "Children's", "Western")


@contextmanager
def served_dashboard(scene: Scene, folder: Path) -> Iterator[str]:
    """The address of a dashboard that reads the scene's workers, and ends with the block."""
    process = WorkerProcess(
        environment(scene.settings), folder / "dashboard.log", arguments=("dashboard", "--json", "--port", "0")
    )
    try:
        process.wait_for(lambda one: bool(one.of_kind("listening")), PATIENCE_S, "listening")
        yield process.of_kind("listening")[0]["url"]
    finally:
        code = process.stop()
        assert code == 0, process.log_path.read_text()


def configure(scene: Scene) -> None:
    """Settings of worker and dashboard that show all there is."""
    scene.configure(
        metrics_listen_port=free_port(), dashboard_token=TOKEN, dashboard_changes=True, evaluate_fraction=1.0
    )
    scene.create(2)


async def send_stream(scene: Scene) -> None:
    """A catalogue, a flow of events of people with tastes, and some records that are none."""
    drawn, now_ms = random.Random(7), int(time.time() * 1000)
    items = [f"item-{n}" for n in range(N_ITEMS - 1)] + [SCRIPT]
    entries = [
        Sent(
            item.encode(),
            orjson.dumps(
                {
                    "title": f"{GENRES[n % 5]} number {n}",
                    "categories": [GENRES[n % 5]],
                    "tags": ["new"] if n > 50 else [],
                }
            ),
        )
        for n, item in enumerate(items[:-1])
    ]
    await send_all(scene.settings.kafka, scene.names.catalogue, entries)
    events = []
    for n in range(N_EVENTS):
        user = drawn.randrange(N_USERS)
        item = drawn.choice(items[user % 5 :: 5]) if drawn.random() < 0.8 else drawn.choice(items)
        kind = drawn.choice(("view", "click", "click", "purchase"))
        events.append(sent(f"user-{user}", item, kind, now_ms - 60_000 + 40 * n))
    bad = [
        Sent(b"user-1", b"no JSON", None),
        *(sent("user-2", "item-3", "glance", now_ms) for _ in range(3)),
        sent("user-3", SCRIPT, SCRIPT, now_ms),
    ]
    await send_all(scene.settings.kafka, scene.names.events, [*events, *bad])
    scene.n_sent += len(events) + len(bad)


def sent(user_id: str, item_id: str, event_type: str, timestamp: int) -> Sent:
    """One event."""
    fields = {"user_id": user_id, "item_id": item_id, "event_type": event_type, "timestamp": timestamp}
    return Sent(user_id.encode(), orjson.dumps(fields))
