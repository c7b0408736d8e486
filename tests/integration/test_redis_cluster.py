"""A Redis Cluster of three real nodes: what is written and read there, and what happens when a node is away."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from app.client import AsyncReader, Reader
from app.doctor.redis import check_redis
from app.settings import Settings
from app.store import PublishResult, Store
from app.store.acl import reader_acl, worker_acl
from app.store.clients import for_threads
from app.store.remove import remove_keys
from app.store.slots import slot_of
from models.errors import ServiceError
from tables.keys import Keys
from tables.list_encoding import encode_list
from tests.redis_cluster import LocalCluster
from tests.scene import PATIENCE_S
from tests.tls_proxy import TlsProxy, certificates

PATIENT: Final[dict[str, Any]] = {"timeout_s": 1.5, "deadline_s": 4.5}  # a third for a node: a busy one is not dead
N = 60


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Three primaries that go on without each other."""
    cluster = LocalCluster(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(shared_cluster: LocalCluster) -> Iterator[LocalCluster]:
    """The same, whole again after each test."""
    yield shared_cluster
    shared_cluster.mend()


@pytest.fixture
def keys(request: pytest.FixtureRequest) -> Keys:
    """A namespace of this test's own."""
    return Keys(f"t{abs(hash(request.node.nodeid)):x}")


def made(user_id: str, offset: int = 1) -> bytes:
    """A list of that version."""
    return encode_list(
        epoch=0,
        offset=offset,
        user_id=user_id,
        namespace="",
        generated_at_ms=1,
        source=("user_events", 0, offset),
        model="m",
        variant="v",
        items=(),
    )


def lists(keys: Keys, offset: int = 1) -> list[tuple[str, bytes]]:
    """Lists of users who belong to all nodes."""
    return [(keys.user_list(f"u{number}"), made(f"u{number}", offset)) for number in range(N)]


async def until(true: Callable[[], bool]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 the other side is another process
            await asyncio.sleep(0.02)


def test_everything_is_written_where_it_belongs(cluster: LocalCluster, keys: Keys) -> None:
    """Lists, sorted sets and hashes land on every node; older lists are refused; what is deleted or removed is gone."""

    async def main() -> None:
        store = Store(cluster.url, keys=keys, **PATIENT)
        assert await store.publish_lists(lists(keys, 2), 60) == PublishResult(N, 0)
        assert await store.publish_lists(lists(keys, 1), 60) == PublishResult(0, N)
        assert await store.replace_sorted_sets([(keys.item_similarity(f"i{n}"), {"a": 1.0}) for n in range(N)]) == []
        for at in (1, 2):
            fields = {"updated_at_ms": at, f"f{at}": at}
            assert await store.write_hashes([(keys.item_features(f"i{n}"), fields) for n in range(N)]) == []
        assert not store.is_partial
        assert await store.emptied(), "nobody has looked before"
        assert not await store.emptied()
        for node in cluster.nodes:
            with redis.Redis.from_url(node.url) as client:
                assert len(client.keys(f"{keys.namespace}:recs:*")) > N / 6
        with Reader(cluster.url, keys.namespace) as reader:
            assert {reader.recs(f"u{n}").offset for n in range(N)} == {2}  # type: ignore[union-attr]
            assert reader.similar("i7") == [("a", 1.0)]
            assert reader.item_features("i7") == {"updated_at_ms": "2", "f2": "2"}
        await store.delete([keys.user_list("u3")])
        assert await remove_keys(cluster.url, keys) == 3 * N - 1 + len(cluster.nodes)
        await store.close()

    asyncio.run(main())
    assert cluster.keys(f"{keys.namespace}:*") == []


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_a_node_that_is_away_does_not_stop_the_others(cluster: LocalCluster, keys: Keys, how: str) -> None:
    """What belongs to the others is written and the rest named; back again, it takes all, and its loss is noticed."""
    lost = cluster.nodes[1]
    theirs = {key for key, _ in lists(keys) if cluster.holder(key) is lost}
    assert 0 < len(theirs) < N

    async def main() -> None:
        store = Store(cluster.url, keys=keys, **PATIENT)
        await store.publish_lists(lists(keys), 60)
        assert [await store.emptied() for _ in range(2)] == [True, False]
        if how == "killed":
            lost.kill()
        else:
            os.kill(lost.pid, signal.SIGSTOP)
            await until(lambda: Path(f"/proc/{lost.pid}/stat").read_text().rpartition(") ")[2][0] == "T")  # it is now
        for offset in (2, 3):
            result = await store.publish_lists(lists(keys, offset), 60)
            assert (result.written, set(result.away)) == (N - len(theirs), theirs)
        assert store.is_partial
        assert {key for key, _ in lists(keys) if not store.takes(key)} == theirs
        assert not await store.emptied(), "who is away is not asked"
        away = await store.write_hashes([(key, {"updated_at_ms": 1}) for key in theirs])
        assert set(away) == theirs
        n_changes = store.n_changes
        if how == "killed":
            lost.start()
        else:
            os.kill(lost.pid, signal.SIGCONT)
        await until(lambda: store.n_changes > n_changes and not store.is_partial)
        assert await store.publish_lists(lists(keys, 4), 60) == PublishResult(N, 0)
        assert await store.emptied() == (how == "killed")
        assert not await store.emptied()
        await store.close()

    asyncio.run(main())


def test_readers_are_stopped_by_the_node_of_their_key_alone(cluster: LocalCluster, keys: Keys) -> None:
    """A user's list is read though the default list's node is away; where the own one may be there, it is an error."""
    default = cluster.holder(keys.default_list())
    here = next(f"u{n}" for n in range(N) if cluster.holder(keys.user_list(f"u{n}")) is not default)
    gone = next(f"u{n}" for n in range(N) if cluster.holder(keys.user_list(f"u{n}")) is default)
    items = [f"i{n}" for n in range(9)]

    async def main() -> None:
        store = Store(cluster.url, keys=keys, **PATIENT)
        await store.publish_lists([*lists(keys), (keys.default_list(), made("nobody"))], 60)
        await store.write_hashes([(keys.item_features(item), {"updated_at_ms": 1, "title": item}) for item in items])
        await store.close()
        with Reader(cluster.url, keys.namespace) as reader:
            async with AsyncReader(cluster.url, keys.namespace) as other:
                stranger = next(f"s{n}" for n in range(N) if cluster.holder(keys.user_list(f"s{n}")) is not default)
                assert reader.recs(stranger) == await other.recs(stranger) is not None
                default.kill()
                for _ in range(2):
                    for found in (reader.recs(here), await other.recs(here)):
                        assert found is not None and found.user_id == here
                    for user_id in (gone, stranger):
                        with pytest.raises(ServiceError, match=f":{default.port} "):
                            reader.recs(user_id)
                        with pytest.raises(ServiceError, match=f":{default.port} "):
                            await other.recs(user_id)
                titles = {item: item for item in items if cluster.holder(keys.item_features(item)) is not default}
                assert reader.titles(items) == await other.titles(items) == titles
                assert reader.titles([]) == await other.titles([]) == {}

    asyncio.run(main())


def test_a_slot_that_moves_is_followed(cluster: LocalCluster, keys: Keys) -> None:
    """On its way and after it, a slot's keys are written and read where they are by then (ASK, MOVED)."""
    key, payload = lists(keys)[0]
    slot, source = slot_of(key), cluster.holder(key)
    target = next(node for node in cluster.nodes if node is not source)
    from_, to = redis.Redis.from_url(source.url), redis.Redis.from_url(target.url)
    ids = [client.execute_command("CLUSTER MYID").decode() for client in (from_, to)]

    def move(steps: list[tuple[redis.Redis, str]]) -> None:
        for client, step in steps:
            client.execute_command("CLUSTER", "SETSLOT", slot, *step.split())

    async def main() -> None:
        store = Store(cluster.url, keys=keys, **PATIENT)
        reader = Reader(cluster.url, keys.namespace)
        assert await store.publish_lists(lists(keys)[1:], 60) == PublishResult(N - 1, 0)
        assert reader.recs("u1") is not None
        move([(to, f"IMPORTING {ids[0]}"), (from_, f"MIGRATING {ids[1]}")])
        assert await store.publish_lists([(key, payload)], 60) == PublishResult(1, 0)
        assert reader.recs("u0") is not None
        with pytest.raises(redis.exceptions.AskError):
            from_.execute_command("GET", key)
        move([(to, f"NODE {ids[1]}"), (from_, f"NODE {ids[1]}")])
        assert await store.publish_lists(lists(keys, 2), 60) == PublishResult(N, 0)
        assert reader.recs("u0").offset == 2  # type: ignore[union-attr]
        assert to.exists(key)
        reader.close()
        await store.close()

    try:
        asyncio.run(main())
    finally:
        to.delete(key)
        move([(from_, f"NODE {ids[0]}"), (to, f"NODE {ids[0]}")])
        from_.close()
        to.close()


def test_doctor_says_what_a_missing_node_stops(cluster: LocalCluster) -> None:
    """All is well but for the replicas; it tells what a failure stops, by the nodes' setting, and who is away."""
    settings = Settings(redis_url=cluster.url, namespace="doctor")

    def found() -> list[tuple[str, str, str]]:
        return [(each.status, each.found, each.advice) for each in check_redis(settings)]

    everything = found()
    assert [status for status, _, _ in everything] == ["ok", "note", "ok", "ok", "ok", "ok"]
    assert "without a replica" in everything[1][1] and "the others' go on" in everything[1][2]
    for node in cluster.nodes:
        node.say("CONFIG", "SET", "cluster-require-full-coverage", "yes")
    assert "no list is written anywhere" in found()[1][2]
    cluster.nodes[2].kill()

    async def refused() -> str:
        store = Store(cluster.url, deadline_s=0.6)
        try:
            for _ in range(200):
                try:
                    await store.publish_lists(lists(Keys("doctor")), 60)
                except ServiceError as error:
                    if "does not serve all slots" in str(error):
                        return str(error)
                await asyncio.sleep(0.1)
        finally:
            await store.close()
        raise AssertionError("they go on")

    try:
        assert "set cluster-require-full-coverage no" in asyncio.run(refused())
        wrong = [each[1] for each in found() if each[0] == "wrong"]
        assert any(f":{cluster.nodes[2].port} cannot be reached" in each for each in wrong)
    finally:
        for node in cluster.nodes[:2]:
            node.say("CONFIG", "SET", "cluster-require-full-coverage", "no")


def test_least_acl_rules_on_a_cluster(cluster: LocalCluster) -> None:
    """With exactly the printed rules on every node writers write, readers read, and the doctor finds nothing wrong."""
    keys = Keys("acl")
    for node in cluster.nodes:
        for rule in (worker_acl(keys, cluster=True), reader_acl(keys, cluster=True)):
            node.say(*rule.replace("PASSWORD", "pw").split())
    worker = Settings(redis_url=cluster.url, redis_username="freshet-worker", redis_password="pw", namespace="acl")
    reader = Settings(redis_url=cluster.url, redis_username="freshet-reader", redis_password="pw", namespace="acl")

    async def main() -> None:
        store = Store(worker.redis, keys=keys)
        assert await store.publish_lists(lists(keys), 60) == PublishResult(N, 0)
        assert [await store.emptied() for _ in range(2)] == [True, False]
        await store.close()
        async with AsyncReader(reader.redis, "acl") as other:
            assert await other.recs("u1") is not None

    asyncio.run(main())
    with Reader(reader.redis, "acl") as one:
        assert one.recs("u1") is not None
    statuses = [(each.check, each.status) for each in check_redis(worker)]
    assert statuses == [("Redis cluster", "ok"), ("Redis cluster", "note"), *[("Redis", "ok")] * 4]
    cluster.nodes[1].say("ACL", "SETUSER", "freshet-worker", "-zadd")
    (wrong,) = [each for each in check_redis(worker) if each.status == "wrong"]
    assert f":{cluster.nodes[1].port}: user freshet-worker lacks +zadd" in wrong.found


def test_a_key_that_is_refused_stops_no_other(cluster: LocalCluster, keys: Keys) -> None:
    """A foreign value under one of our keys fails what is asked of it; the node's other keys are not given up."""
    odd, good = keys.item_similarity("odd"), [f"i{n}" for n in range(N)]

    async def main() -> None:
        store = Store(cluster.url, keys=keys, **PATIENT)
        await store.replace_sorted_sets([(keys.item_similarity(item), {"a": 1.0}) for item in good])
        cluster.holder(odd).say("SET", odd, "text")
        with Reader(cluster.url, keys.namespace) as reader:
            async with AsyncReader(cluster.url, keys.namespace) as other:
                for _ in range(2):
                    with pytest.raises(ServiceError, match="another type under one of our keys"):
                        reader.similar("odd")
                    with pytest.raises(ServiceError, match="another type under one of our keys"):
                        await other.similar("odd")
                    for item in good:
                        assert reader.similar(item) == await other.similar(item) == [("a", 1.0)]
        await store.close()

    asyncio.run(main())


def test_a_permission_that_is_missing_everywhere_is_raised(cluster: LocalCluster) -> None:
    """All nodes are there and none takes lists: that is told to the caller; on one node alone its keys are named."""
    keys = Keys("denied")
    rule = worker_acl(keys, user="denied", cluster=True).replace("PASSWORD", "pw").split()
    settings = Settings(redis_url=cluster.url, redis_username="denied", redis_password="pw", namespace="denied")

    async def main() -> None:
        store = Store(settings.redis, keys=keys)
        for node in cluster.nodes:
            node.say(*[word for word in rule if word != "+set"])
        with pytest.raises(ServiceError, match="does not permit a command or key"):
            await store.publish_lists(lists(keys), 60)
        assert await store.replace_sorted_sets([(keys.item_similarity("i"), {"a": 1.0})]) == []
        for node in cluster.nodes[:2]:
            node.say(*rule)
        n_changes = store.n_changes
        result = await store.publish_lists(lists(keys), 60)
        assert set(result.away) == {key for key, _ in lists(keys) if cluster.holder(key) is cluster.nodes[2]}
        cluster.nodes[2].say(*rule)
        await until(lambda: store.n_changes > n_changes)
        assert await store.publish_lists(lists(keys), 60) == PublishResult(N, 0)
        await store.close()

    asyncio.run(main())


def test_a_cluster_behind_tls(cluster: LocalCluster, tmp_path: Path) -> None:
    """Nodes that announce the name in their certificates are reached by TLS, as a user; without the CA none is."""
    keys, files = Keys("tls"), certificates(tmp_path)
    with contextlib.ExitStack() as stack:
        proxies = [stack.enter_context(TlsProxy(node.port, files).running()) for node in cluster.nodes]
        for node, proxy in zip(cluster.nodes, proxies, strict=True):
            node.say(*worker_acl(keys, cluster=True).replace("PASSWORD", "pw").split())
            for name, value in announced(proxy.port).items():
                node.say("CONFIG", "SET", name, value)
        url = f"rediss+cluster://localhost:{proxies[0].port}"
        login: dict[str, Any] = {"redis_username": "freshet-worker", "redis_password": "pw", "namespace": "tls"}
        settings = Settings(redis_url=url, redis_ca_file=files.ca_file, **login)

        async def write() -> PublishResult:
            store = Store(settings.redis, keys=keys)
            deadline = time.monotonic() + PATIENCE_S
            while (result := await store.publish_lists(lists(keys), 60)).away:  # until all have heard the names
                assert time.monotonic() < deadline
            await store.close()
            return result

        assert asyncio.run(write()) == PublishResult(N, 0)
        with Reader(settings.redis, "tls") as reader:
            assert reader.recs("u1") is not None
        assert [each.status for each in check_redis(settings)] == ["ok", "note", "ok", "ok", "ok", "ok"]
        unknown = check_redis(Settings(redis_url=url, redis_ca_file=files.other_ca_file, **login))
        assert "a CA that is not trusted" in unknown[0].found
    for node in cluster.nodes:
        for name, value in announced(None).items():
            node.say("CONFIG", "SET", name, value)


def announced(port: int | None) -> dict[str, str]:
    """Settings of a node that is reached by a name and a port of its proxy; of one that is not, again."""
    return {
        "cluster-announce-port": str(port or 0),
        "cluster-announce-hostname": "localhost" if port else "",
        "cluster-preferred-endpoint-type": "hostname" if port else "ip",
    }


def test_a_replica_takes_over(tmp_path: Path) -> None:
    """When a primary dies its replica's promotion is noticed: everything is written again, and counts as lost."""
    cluster = LocalCluster(tmp_path, replicas=1)
    cluster.start()
    keys = Keys("failover")

    async def main() -> None:
        store = Store(cluster.url, keys=keys, **PATIENT)
        await store.publish_lists(lists(keys), 60)
        assert [await store.emptied() for _ in range(2)] == [True, False]
        cluster.nodes[0].kill()
        result = await store.publish_lists(lists(keys, 2), 60)
        assert result.away
        await until(lambda: not store.is_partial)
        assert await store.publish_lists(lists(keys, 3), 60) == PublishResult(N, 0)
        assert await store.emptied(), "the replica may lack the last writes"
        await store.close()

    try:
        asyncio.run(main())
        client = for_threads(cluster.url, timeout_s=1.0)  # one of the addresses is dead
        assert None not in client.run([("GET", key) for key, _ in lists(keys)])
        client.close()
    finally:
        cluster.stop()
