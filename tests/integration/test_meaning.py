"""What people said against an item, and what may return, in what readers of a real Redis find."""

import json
import time
from typing import Any

import redis

from tests.scene import Scene, Sent


def test_lists_mean_what_people_did(scene: Scene) -> None:
    """Over two partitions: the disliked stands nowhere, reloads of one make no trend, milk comes back, 10 stars die."""
    scene.configure(event_types={"buy": {"allow_repeats": True}, "refund": {"effect": "withdraw"}})
    scene.create(2)
    worker = scene.worker()
    now_ms, said = int(time.time() * 1000) - 3_600_000, list[tuple[Any, ...]]()
    for number in range(20):
        said += [(f"x{number}", "A", "like"), (f"x{number}", "X", "like"), (f"x{number}", "X", "dislike")]
        said += [(f"x{number}", "B", "rating", 5)]
    said += [("bot", "J", "click")] * 50
    said += [("me", "milk", "buy"), ("me", "tv", "buy"), ("me", "tv", "refund"), ("me", "A", "like")]
    said += [("me", "C", "rating", 10)]

    def sent(number: int, user_id: str, item_id: str, event_type: str, *value: float) -> Sent:
        event = {"user_id": user_id, "item_id": item_id, "event_type": event_type, "timestamp": now_ms + number}
        return Sent(user_id.encode(), json.dumps(event | ({"value": value[0]} if value else {})).encode())

    scene.send([sent(number, *each) for number, each in enumerate(said)])
    scene.assert_exact()
    worker.wait_serving()

    keys, found = scene.keys, dict[str, list[str]]()
    with redis.Redis.from_url(scene.settings.redis_url, decode_responses=True) as client:

        def read() -> dict[str, object]:
            for name, key in (("me", keys.user_list("me")), ("all", keys.default_list())):
                made = json.loads(client.get(key) or '{"items": []}')
                found[name] = [item["id"] for item in made["items"]]
            found["trending"] = client.zrevrange(keys.trending("7d"), 0, -1)
            found["similar"] = client.zrevrange(keys.item_similarity("A"), 0, -1)
            is_there = any("X" in items for items in found.values())
            is_complete = found["all"][:1] and "J" in found["trending"] and "B" in found["similar"]
            return {} if is_complete and not is_there else dict(found)

        scene.await_none(read, 20.0, "meaning")

    assert set(found["trending"][:2]) == {"A", "B"}
    assert "B" in found["me"] and "milk" in found["me"] and "tv" not in found["me"]
    letters = [record for record in scene.read(scene.names.dead_letters) if b"C" in record.value]
    assert [dict(record.headers)["reason"] for record in letters] == [b"out_of_range"]
    assert worker.stop() == 0
