"""What the store writes to a real Redis: lists behind the fence, sorted sets, hashes."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis

from app.local.ports import free_port
from app.local.redis import RedisServer
from app.store import PublishResult, Store
from models.errors import ServiceError, StateError
from tables.keys import Keys
from tables.list_encoding import encode_list
from tables.list_json import ListItem, decode_list
from tests.lists import VERSIONS

EARLIER = """#!lua name=freshet_2
redis.register_function('freshet_2_publish_lists', function(keys, args)
  local stored = redis.call('GETRANGE', keys[1], 18, 40)
  if stored > string.sub(args[2], 19, 41) then
    return 0
  end
  redis.call('SET', keys[1], args[2], 'EX', args[1])
  return 1
end)
"""  # the fence of earlier releases, but for errors
ODD_IDS = ("a:b:c", "with space", "ünï-日本", '"quoted" \\', "{braces}", "100%", "x" * 256)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """An empty server for the tests of this file."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    """Another program's view of the server."""
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        yield client


@pytest.fixture
def keys() -> Keys:
    """A namespace of this test's own."""
    return Keys(uuid4().hex)


def made(offset: int, epoch: int = 0, model: str = "m", revision: int = 0) -> bytes:
    """A list of that version."""
    return encode_list(
        epoch=epoch,
        offset=offset,
        user_id="u",
        namespace="",
        generated_at_ms=1,
        source=("user_events", 0, offset),
        model=model,
        variant="v",
        items=[ListItem(f"i{n}", 1 / (n + 1), "blend", ("i99",)) for n in range(30)],
        revision=revision,
    )


def of_version(text: str) -> bytes:
    """A list whose version is written so."""
    return made(int(text[7:23]), int(text[:6]), revision=int(text[24:] or 0))


def test_older_list_never_replaces_a_newer_one(server: RedisServer, client: Any, keys: Keys) -> None:
    """Older is refused, equal and newer are written; the epoch decides before the offset."""
    key = keys.user_list("u")

    async def main() -> None:
        store = Store(server.url)
        assert await store.publish_lists([(key, made(10))], 60) == PublishResult(1, 0)
        assert await store.publish_lists([(key, made(9))], 60) == PublishResult(0, 1)
        assert decode_list(client.get(key).encode()).offset == 10
        assert await store.publish_lists([(key, made(10, model="again"))], 60) == PublishResult(1, 0)
        assert decode_list(client.get(key).encode()).model == "again"
        assert await store.publish_lists([(key, made(3, epoch=1))], 60) == PublishResult(1, 0)
        assert await store.publish_lists([(key, made(11))], 60) == PublishResult(0, 1)
        assert decode_list(client.get(key).encode()).version == "000001-0000000000000003"
        await store.close()

    asyncio.run(main())


def test_versions_of_the_conformance_file_ascend_for_the_fence(server: RedisServer, client: Any, keys: Keys) -> None:
    """Of each two the later replaces the earlier, never the other way round; a list may be sent again."""
    names = [keys.user_list(version) for version in VERSIONS]

    async def main() -> list[PublishResult]:
        store = Store(server.url)
        results = []
        for stored in VERSIONS:
            await store.delete(names)
            await store.publish_lists([(name, of_version(stored)) for name in names], 60)
            results.append(
                await store.publish_lists(
                    [(name, of_version(sent)) for name, sent in zip(names, VERSIONS, strict=True)], 60
                )
            )
            found = [decode_list(value.encode()).version for value in client.mget(names)]
            assert found == [max(stored, sent) for sent in VERSIONS]
        await store.close()
        return results

    n = len(VERSIONS)
    assert asyncio.run(main()) == [PublishResult(n - place, place) for place in range(n)]


@pytest.mark.parametrize("number", [1, 2])
def test_earlier_release_that_was_held_up(server: RedisServer, client: Any, keys: Keys, number: int) -> None:
    """Its functions know no revisions; ours take their place: its list of before replaces no list made anew."""
    key = keys.user_list("u")
    client.function_load(EARLIER.replace("freshet_2", f"freshet_{number}"), replace=True)

    def held_up(payload: bytes) -> int:
        return int(client.fcall(f"freshet_{number}_publish_lists", 1, key, 60, payload))

    async def main() -> None:
        store = Store(server.url)
        assert await store.publish_lists([(key, made(10, revision=3))], 60) == PublishResult(1, 0)
        assert held_up(made(10)) == 0
        assert client.get(key) == made(10, revision=3).decode()
        assert held_up(made(11)) == 1
        await store.close()

    assert held_up(made(9, model="held up")) == 1
    asyncio.run(main())


def test_offsets_above_2_to_53_compare_right(server: RedisServer, client: Any, keys: Keys) -> None:
    """Neighbouring offsets that are one and the same double are still told apart."""
    key = keys.user_list("u")

    async def main() -> None:
        store = Store(server.url)
        assert await store.publish_lists([(key, made(2**53 + 1))], 60) == PublishResult(1, 0)
        assert await store.publish_lists([(key, made(2**53))], 60) == PublishResult(0, 1)
        assert await store.publish_lists([(key, made(2**53 + 2))], 60) == PublishResult(1, 0)
        await store.close()

    asyncio.run(main())
    assert decode_list(client.get(key).encode()).offset == 2**53 + 2


@pytest.mark.parametrize("lists_per_call", [1, 7, 50])
def test_fence_under_concurrent_writers(server: RedisServer, client: Any, keys: Keys, lists_per_call: int) -> None:
    """Four writers send the same versions in four orders: nobody sees one go back, and the greatest stays."""
    n_users, n_versions = 20, 40
    names = [keys.user_list(f"u{n}") for n in range(n_users)]
    went_back: list[tuple[str, bytes, bytes]] = []

    async def write(seed: int) -> None:
        store = Store(server.url, lists_per_call=lists_per_call, deadline_s=10, timeout_s=10)
        order = list(range(n_versions))
        random.Random(seed).shuffle(order)
        for version in order:
            await store.publish_lists([(name, made(2**53 + version)) for name in names], 60)
        await store.close()

    async def watch(done: asyncio.Event) -> None:
        reader: Any = redis.asyncio.Redis.from_url(server.url)
        seen = dict.fromkeys(names, b"")
        while not done.is_set():
            for name, payload in zip(names, await reader.mget(names)):
                version = (payload or b"")[18:41]
                if version < seen[name]:
                    went_back.append((name, seen[name], version))
                seen[name] = version
        await reader.aclose()

    async def main() -> None:
        done = asyncio.Event()
        watcher = asyncio.create_task(watch(done))
        await asyncio.gather(*(write(seed) for seed in range(4)))
        done.set()
        await watcher

    asyncio.run(main())
    assert went_back == []
    assert {decode_list(value.encode()).offset for value in client.mget(names)} == {2**53 + n_versions - 1}


def test_many_lists_in_parts(server: RedisServer, client: Any, keys: Keys) -> None:
    """More lists than fit one call or one pipeline all arrive, with their time to live, and are counted."""
    names = [keys.user_list(f"u{n}") for n in range(2_345)]

    async def main() -> PublishResult:
        store = Store(server.url)
        await store.publish_lists([(name, made(5)) for name in names[:100]], 60)
        result = await store.publish_lists([(name, made(4)) for name in names], 1_000)
        await store.close()
        return result

    assert asyncio.run(main()) == PublishResult(2_245, 100)
    assert client.exists(*names) == len(names)
    assert client.ttl(names[0]) <= 60
    assert 60 < client.ttl(names[-1]) <= 1_000


def test_nothing_to_write_is_no_call() -> None:
    """Empty batches succeed even where no server is."""

    async def main() -> None:
        store = Store("redis://127.0.0.1:1/0")
        assert await store.publish_lists([], 60) == PublishResult(0, 0)
        await store.replace_sorted_sets([])
        await store.write_hashes([])
        await store.delete([])
        await store.close()

    asyncio.run(main())


def test_foreign_values_are_overwritten(server: RedisServer, client: Any, keys: Keys) -> None:
    """The view heals: text, a short string or another type under a list's key gives way to the list."""
    text, short, typed = keys.user_list("text"), keys.user_list("short"), keys.user_list("typed")
    client.set(text, "z" * 100)
    client.set(short, "z")
    client.hset(typed, "field", "value")

    async def main() -> PublishResult:
        store = Store(server.url)
        result = await store.publish_lists([(key, made(1)) for key in (text, short, typed)], 60)
        await store.close()
        return result

    assert asyncio.run(main()) == PublishResult(3, 0)
    assert {client.get(key) for key in (text, short, typed)} == {made(1).decode()}


def test_payload_without_version_is_refused_before_sending(server: RedisServer, client: Any, keys: Keys) -> None:
    """Bytes that the fence cannot compare are the caller's mistake; nothing of the batch is written."""
    good = keys.user_list("good")

    async def main() -> None:
        store = Store(server.url)
        with pytest.raises(StateError, match="Build lists with encode_list"):
            await store.publish_lists([(good, made(1)), (keys.user_list("bad"), b'{"v":1}')], 60)
        await store.close()

    asyncio.run(main())
    assert client.exists(good) == 0


def test_odd_ids_are_kept_as_they_are(server: RedisServer, client: Any, keys: Keys) -> None:
    """Colons, spaces, quotes, braces, other scripts: in keys, members, fields and payloads alike."""

    async def main() -> None:
        store = Store(server.url)
        await store.publish_lists([(keys.user_list(name), made(1)) for name in ODD_IDS], 60)
        await store.replace_sorted_sets([(keys.item_similarity("i"), dict.fromkeys(ODD_IDS, 0.5))])
        await store.write_hashes([(keys.item_features(name), {name: name, "updated_at_ms": 1}) for name in ODD_IDS])
        await store.close()

    asyncio.run(main())
    assert client.exists(*(keys.user_list(name) for name in ODD_IDS)) == len(ODD_IDS)
    assert set(client.zrange(keys.item_similarity("i"), 0, -1)) == set(ODD_IDS)
    for name in ODD_IDS:
        assert client.hget(keys.item_features(name), name) == name


def test_sorted_sets_are_replaced_whole(server: RedisServer, client: Any, keys: Keys) -> None:
    """Old members go, new ones come, scores are exact, the time to live starts anew, and empty means gone."""
    first, large, gone = keys.item_similarity("i1"), keys.trending("1h"), keys.trending("1d")
    many = {f"i{n}": n / 7 for n in range(2_501)}

    async def main() -> None:
        store = Store(server.url)
        await store.replace_sorted_sets([(first, {"a": 1, "b": 2}), (large, {"old": 1}), (gone, {"a": 1})], 50)
        await store.replace_sorted_sets([(first, {"b": 0.1, "c": 1e-9}), (large, many), (gone, {})], 5_000)
        await store.close()

    asyncio.run(main())
    assert dict(client.zrange(first, 0, -1, withscores=True)) == {"b": 0.1, "c": 1e-9}
    assert dict(client.zrange(large, 0, -1, withscores=True)) == many
    assert client.exists(gone) == 0
    assert client.ttl(first) > 50


def test_hashes_send_changed_fields_only(server: RedisServer, client: Any, keys: Keys) -> None:
    """A field that did not change is not sent again; a vanished one is removed; the time to live starts anew."""
    key = keys.user_features("u")

    async def main() -> None:
        store = Store(server.url)
        await store.write_hashes([(key, {"same": 1, "more": 1, "gone": 1, "updated_at_ms": 10})], 50)
        client.hset(key, "same", "changed behind its back")
        await store.write_hashes([(key, {"same": 1, "more": 2.5, "text": "ü", "updated_at_ms": 11})], 5_000)
        await store.close()

    asyncio.run(main())
    assert client.hgetall(key) == {
        "same": "changed behind its back",
        "more": "2.5",
        "text": "ü",
        "updated_at_ms": "11",
    }
    assert client.ttl(key) > 50


@pytest.mark.parametrize("loss", ["removed", "other writer", "other type"])
def test_hash_that_is_not_ours_any_more_is_sent_whole(server: RedisServer, client: Any, keys: Keys, loss: str) -> None:
    """If the hash expired, or another worker wrote it in between, a change cannot build on it."""
    key, other = keys.user_features("u"), keys.user_features("other")

    async def main() -> None:
        store, second = Store(server.url), Store(server.url)
        await store.write_hashes([(key, {"a": 1, "b": 1, "updated_at_ms": 10}), (other, {"x": 1, "updated_at_ms": 10})])
        if loss == "other writer":
            await second.write_hashes([(key, {"a": 7, "c": 7, "updated_at_ms": 11})])
        else:
            client.delete(key)
        if loss == "other type":
            client.set(key, "text")
        await store.write_hashes([(key, {"a": 1, "b": 2, "updated_at_ms": 12}), (other, {"x": 2, "updated_at_ms": 12})])
        await store.close()
        await second.close()

    asyncio.run(main())
    assert client.hgetall(key) == {"a": "1", "b": "2", "updated_at_ms": "12"}
    assert client.hgetall(other) == {"x": "2", "updated_at_ms": "12"}


def test_same_hash_twice_in_one_batch(server: RedisServer, client: Any, keys: Keys) -> None:
    """The later one counts."""
    key = keys.item_features("i")

    async def main() -> None:
        store = Store(server.url)
        await store.write_hashes([(key, {"a": 1, "updated_at_ms": 1}), (key, {"b": 2, "updated_at_ms": 1})])
        await store.close()

    asyncio.run(main())
    assert client.hgetall(key) == {"b": "2", "updated_at_ms": "1"}


def test_delete_removes_keys(server: RedisServer, client: Any, keys: Keys) -> None:
    """An erased user's keys are gone, and a later write of the hash is whole."""
    key = keys.user_features("u")

    async def main() -> None:
        store = Store(server.url)
        await store.write_hashes([(key, {"a": 1, "updated_at_ms": 1})])
        await store.delete([key, keys.user_list("never there")])
        assert client.exists(key) == 0
        await store.write_hashes([(key, {"a": 1, "updated_at_ms": 2})])
        await store.close()

    asyncio.run(main())
    assert client.hgetall(key) == {"a": "1", "updated_at_ms": "2"}


def test_cluster_wants_one_key_per_call(tmp_path: Path) -> None:
    """On a cluster node calls of many keys fail, saying how a cluster is written; with one key a call all works."""

    class ClusterNode(RedisServer):
        def prepare(self) -> list[str]:
            program, settings = super().prepare()
            with Path(settings).open("a", encoding="utf-8") as file:
                file.write(f"cluster-enabled yes\ncluster-port {free_port()}\n")
            return [program, settings]

    server = ClusterNode(tmp_path)
    server.start()
    lists = [(f"recs:user:u{n}", made(1)) for n in range(10)]

    async def main() -> None:
        store = Store(server.url)
        with pytest.raises(ServiceError, match=r"a node of a Redis Cluster. Write redis\+cluster://"):
            await store.publish_lists(lists, 60)
        await store.close()
        store = Store(server.url, lists_per_call=1)
        assert await store.publish_lists(lists, 60) == PublishResult(10, 0)
        await store.replace_sorted_sets([(f"item_similarity:i{n}", {"a": 1.0}) for n in range(10)])
        await store.write_hashes([(f"item_features:i{n}", {"updated_at_ms": 1}) for n in range(10)])
        await store.delete([key for key, _ in lists])
        assert await store.emptied()
        await store.close()

    try:
        with redis.Redis.from_url(server.url) as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
            deadline = time.monotonic() + 20
            while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
                assert time.monotonic() < deadline
                time.sleep(0.05)
        asyncio.run(main())
    finally:
        server.stop()
