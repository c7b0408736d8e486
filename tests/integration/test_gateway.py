"""`freshet gateway` on real Kafka and Redis, beside a worker, with a real server."""

import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from tests.http_gateway import HttpGateway, await_ready, http_gateway, view_of, with_keys
from tests.scene import Scene

SCRIPT = "<script>alert(1)</script>"
ODD = "a/b%2F c+ü?#"
PATIENCE_S = 20.0


def test_events_in_lists_out(scene: Scene, tmp_path: Path) -> None:
    """Two processes on one port: what is posted is folded and listed, with ids of every kind; limits hold; both end."""
    keys = with_keys(
        scene, gateway_burst=600, gateway_max_wait_ms=30_000, gateway_rate_per_s=0.001, gateway_timeout_s=5.0
    )
    scene.create(2)
    with http_gateway(scene, tmp_path, "--processes", "2") as gateway:
        await_ready(scene, gateway)
        scene.worker()
        http = gateway.http

        for n in range(4):  # each by a connection of its own; the other process may not have found Kafka yet
            scene.await_none(partial(refused, f"{http.base_url}/v1/events", n, keys["write"]), PATIENCE_S, "posts")
        events_become_lists(http, keys["write"], keys["read"])
        entries_become_titles(scene, http, keys["admin"], keys["read"])
        everything_else_is_read(scene, http, keys["read"])
        limits_hold(gateway, keys)

        assert "u0" not in gateway.log.replace("user_events", "") and ODD not in gateway.log
        lines = [line for line in gateway.log.splitlines() if "/v1/users/{user_id}/recommendations 200" in line]
        assert lines and lines[0].endswith(" read")
        assert gateway.process.stop() == 0


def refused(url: str, n: int, write: dict[str, str]) -> dict[str, object]:
    """Why an event is not taken, by a connection of its own."""
    found = httpx2.post(url, json=view_of("w", f"i{n}", event_id=f"w{n}"), headers=write)
    return {} if found.status_code == 202 else {f"w{n}": found.text}


def events_become_lists(http: httpx2.Client, write: dict[str, str], read: dict[str, str]) -> None:
    """A batch with one bad event, an event of an odd user, and the list made from it."""
    crowd = [view_of(f"u{n}", item) for n in range(9) for item in ("hub", "left", SCRIPT)]
    sent = http.post("/v1/events", json=[*crowd, view_of("u0", "bad\x00")], headers=write)
    assert sent.status_code == 207
    assert (sent.json()["accepted"], sent.json()["events"][-1]["reason"]) == (27, "out_of_range")

    own = http.post("/v1/events", json=view_of(ODD, "hub"), headers=write)
    assert own.status_code == 202
    token = own.json()["events"][0]["position"]
    params = {"after": token, "wait_ms": 30_000}
    found = http.get(f"/v1/users/{quote(ODD, safe='')}/recommendations", params=params, headers=read)
    assert (found.json()["user_id"], found.json()["rung"], found.json()["after"]["reached"]) == (ODD, "user", True)
    assert f"{found.json()['source']['partition']}:{found.json()['source']['offset']}" == token
    partition, offset = token.split(":")
    params = {"after": f"{partition}:{int(offset) + 1}", "wait_ms": 30}
    later = http.get(f"/v1/users/{quote(ODD, safe='')}/recommendations", params=params, headers=read)
    assert later.json()["after"]["reached"] is False


def entries_become_titles(scene: Scene, http: httpx2.Client, admin: dict[str, str], read: dict[str, str]) -> None:
    """An entry gives its item a title and a category; deleted, the item is recommended to nobody."""
    entry = {"title": SCRIPT, "categories": ["x"]}
    assert http.put(f"/v1/items/{quote(SCRIPT, safe='')}", json=entry, headers=admin).status_code == 202
    assert http.put("/v1/users/u1", json={"age": 31}, headers=admin).status_code == 202
    assert http.delete("/v1/items/left", headers=admin).status_code == 202
    params = {"titles": "true", "categories": "true"}

    def ask() -> Any:
        return http.get("/v1/users/stranger/recommendations", params=params, headers=read)

    found = until(scene, ask, lambda items: {"left"}.isdisjoint(items) and items.get(SCRIPT, {}).get("title"))
    assert {name: found[SCRIPT].get(name) for name in entry} == entry
    many = http.post("/v1/recommendations", json={"user_ids": ["u1", ODD, "nobody"], "limit": 1}, headers=read)
    assert [(each["user_id"], each["rung"]) for each in many.json()["lists"]] == [
        ("u1", "user"), (ODD, "user"), ("nobody", "default"),
    ]  # fmt: skip


def everything_else_is_read(scene: Scene, http: httpx2.Client, read: dict[str, str]) -> None:
    """Features, similar items and trends, as Redis holds them."""
    path = f"/v1/users/{quote(ODD, safe='')}/features"
    scene.await_none(
        lambda: {} if http.get(path, headers=read).status_code == 200 else {ODD: "none"}, PATIENCE_S, "features"
    )
    features = http.get(path, headers=read).json()["features"]
    assert (features["n_events"], features["view_1h"], features["recent_items"]) == (1, 1, ["hub"])
    until(scene, lambda: http.get("/v1/items/hub/similar?titles=true", headers=read), lambda found: SCRIPT in found)
    until(scene, lambda: http.get("/v1/trending?window=1h", headers=read), lambda found: "hub" in found)
    assert http.get("/v1/items/nothing/similar", headers=read).status_code == 404


def limits_hold(gateway: HttpGateway, keys: dict[str, dict[str, str]]) -> None:
    """Wrong keys, 10 MB, what is no JSON, a body and a head that do not come, and more requests than the burst."""
    http, json = gateway.http, {"Content-Type": "application/json"}
    assert http.get("/v1/trending").status_code == 401
    assert http.get("/v1/trending", headers={"Authorization": "Bearer no"}).status_code == 401
    assert http.get("/v1/trending", headers=keys["write"]).status_code == 403
    huge = http.post("/v1/events", content=b" " * 10_000_000, headers={**keys["write"], **json})
    assert (huge.status_code, huge.json()["code"]) == (413, "too_large")
    for body in (b"[NaN]", b"[1e400]", b'["\\ud800"]'):
        assert http.post("/v1/events", content=body, headers={**keys["write"], **json}).status_code == 400
    assert http.get("/v1/users/%ff/features", headers=keys["read"]).status_code == 422
    head = (
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
        f"Authorization: {keys['write']['Authorization']}\r\n\r\n["
    )
    with socket.create_connection((http.base_url.host, http.base_url.port or 0), timeout=PATIENCE_S) as slow:
        slow.sendall(head.encode())
        assert slow.recv(65_536).startswith(b"HTTP/1.1 408 ")
    found = [http.get("/v1/trending", headers=keys["read"]) for _ in range(601)]
    assert found[0].status_code == 200 and found[-1].status_code == 429
    assert int(found[-1].headers["retry-after"]) > 0
    assert http.get("/healthz").status_code == 200


def until(scene: Scene, ask: Callable[[], Any], good: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The items of an answer, by id, when they are as wanted."""
    found: list[dict[str, Any]] = []

    def wrong() -> dict[str, object]:
        answer = ask()
        if answer.status_code != 200:
            return {"answer": answer.text}
        found.append({item["id"]: item for item in answer.json()["items"]})
        time.sleep(0.2)  # the burst is bounded
        return {} if good(found[-1]) else found[-1]

    scene.await_none(wrong, PATIENCE_S, "items")
    return found[-1]
