"""Redis behind TLS, with an ACL user: what is right works, and each thing that is wrong is named."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from app.client import AsyncReader, Reader
from app.doctor.redis import check_redis
from app.local.redis import RedisServer
from app.settings import Settings
from app.store import PublishResult, Store
from app.store.acl import reader_acl, worker_acl
from models.errors import ServiceError
from tables.keys import Keys
from tables.list_encoding import encode_list
from tests.command import freshet
from tests.flow import events
from tests.scene import PATIENCE_S, Scene
from tests.tls_proxy import Certificates, TlsProxy, certificates, forget_connections

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

PASSWORD = "s3cret pass/word@"
READERS_PASSWORD = "r3ader"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Tell no other test of connections that were not closed in time."""
    yield
    forget_connections()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for all tests of this file."""
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server where the default user may do nothing."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("ACL", "SETUSER", "admin", "on", ">admin", "~*", "&*", "+@all")
        client.execute_command("ACL", "SETUSER", "default", "off")
    yield server
    server.stop()


@pytest.fixture
def admin(server: RedisServer) -> Iterator[redis.Redis]:
    """Somebody who may do everything."""
    with redis.Redis(port=server.port, username="admin", password="admin") as client:
        yield client


@pytest.fixture(scope="module")
def tls(server: RedisServer, files: Certificates) -> Iterator[TlsProxy]:
    """TLS before the server."""
    with TlsProxy(server.port, files).running() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def mutual(server: RedisServer, files: Certificates) -> Iterator[TlsProxy]:
    """The same for those who show a certificate."""
    with TlsProxy(server.port, files, client_certificates=True).running() as proxy:
        yield proxy


def grant(admin: redis.Redis, rule: str, password: str = PASSWORD) -> None:
    """Run an `ACL SETUSER` line as it is printed."""
    admin.execute_command(*[word.replace("PASSWORD", password) for word in rule.split()])


def secured(tls: TlsProxy, files: Certificates, folder: Path, **changes: Any) -> dict[str, Any]:
    """Settings with everything right."""
    (folder / "password").write_text(PASSWORD + "\n")
    return {
        "redis_url": f"rediss://localhost:{tls.port}/0",
        "redis_username": "freshet-worker",
        "redis_password_file": str(folder / "password"),
        "redis_ca_file": files.ca_file,
        **changes,
    }


def test_worker_and_commands_by_tls_and_least_acl(
    scene: Scene, tls: TlsProxy, files: Certificates, admin: redis.Redis, tmp_path: Path
) -> None:
    """With exactly the printed rules, over TLS, a worker writes all there is, readers read, and nothing was refused."""
    keys = scene.keys
    grant(admin, worker_acl(keys))
    grant(admin, reader_acl(keys), READERS_PASSWORD)
    admin.execute_command("ACL", "LOG", "RESET")
    scene.configure(**secured(tls, files, tmp_path))
    scene.create(2)
    worker = scene.worker()
    scene.send(events(3, 300))

    scene.assert_lists(scene.assert_exact())

    own = {"redis_username": "freshet-reader", "redis_password_file": "", "redis_password": READERS_PASSWORD}
    as_reader = scene.settings.model_copy(update=own)
    item = await_similar(as_reader)
    for command in (("recs", "u1"), ("similar", item), ("trending", "7d")):
        outcome = freshet(*command, "--json", settings=as_reader)
        assert (outcome.code, outcome.err) == (0, ""), command
        assert orjson.loads(outcome.out)
    unknown = freshet("similar", "no such item", settings=as_reader)
    assert (unknown.code, "Redis holds nothing of item" in unknown.err) == (1, True)
    doctor = freshet("doctor", "--json", settings=scene.settings)
    assert [
        each
        for each in orjson.loads(doctor.out)["findings"]
        if each["check"].startswith("Redis") and each["status"] == "wrong"
    ] == []
    assert admin.execute_command("ACL", "LOG") == []
    assert worker.exit_code is None
    worker.stop()
    scene.workers.clear()
    reset = freshet("reset", "--yes", "--json", settings=scene.settings)
    assert (reset.code, orjson.loads(reset.out)["epoch"]) == (0, 2)
    shown = freshet("settings", "--json", settings=as_reader)
    told = reset.err + doctor.out + shown.out + worker.log_path.read_text()
    assert PASSWORD not in told and READERS_PASSWORD not in told


def made(namespace: str) -> bytes:
    """A list."""
    return encode_list(
        epoch=0,
        offset=1,
        user_id="u",
        namespace=namespace,
        generated_at_ms=1,
        source=("user_events", 0, 1),
        model="m",
        variant="v",
        items=(),
    )


def await_similar(settings: Settings) -> str:
    """An item whose neighbours are published."""
    deadline = time.monotonic() + PATIENCE_S
    with Reader(settings.redis, settings.namespace) as reader:
        while True:
            found = [item for item, _ in reader.trending("7d") if reader.similar(item)]
            if found:
                return found[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "unknown CA": ({"redis_ca_file": "{other_ca_file}"}, "a CA that is not trusted. Let FRESHET_REDIS_CA_FILE name"),
    "system's CAs": ({"redis_ca_file": ""}, "a CA that is not trusted. Let FRESHET_REDIS_CA_FILE name"),
    "host name": ({"redis_url": "rediss://127.0.0.1:{port}/0"}, "does not name this IP address. Use the host name"),
    "password": ({"redis_password_file": "", "redis_password": "wr0ng"}, "refuses the login. Check FRESHET_REDIS_USER"),
    "user": ({"redis_username": "nobody"}, "refuses the login. Check FRESHET_REDIS_USERNAME and the password"),
    "no login": ({"redis_username": "", "redis_password_file": ""}, "wants a login. Set FRESHET_REDIS_USERNAME"),
    "no TLS": (
        {"redis_url": "redis://localhost:{port}/0", "redis_ca_file": ""},
        "If this port wants TLS, write rediss://",
    ),
    "TLS where there is none": ({"redis_url": "rediss://localhost:{plain}/0"}, "whether this port speaks TLS"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(
    server: RedisServer,
    tls: TlsProxy,
    files: Certificates,
    admin: redis.Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    """Doctor, writer and both readers say what is wrong and which setting mends it, and none quotes the password."""
    grant(admin, worker_acl(Keys()))
    changes, said = WRONG[case]
    places = {**vars(files), "port": tls.port, "plain": server.port}
    other = {name: value.format(**places) for name, value in changes.items()}
    settings = Settings(**{**secured(tls, files, tmp_path), **other})
    monkeypatch.setattr("app.doctor.redis.TIMEOUT_S", 0.5)
    (finding,) = check_redis(settings)
    messages = [finding.found]

    async def ask() -> None:
        store = Store(settings.redis, timeout_s=0.4, deadline_s=0.5)
        with pytest.raises(ServiceError) as caught:
            await store.emptied()
        messages.append(str(caught.value))
        await store.close()
        async with AsyncReader(settings.redis) as reader:
            with pytest.raises(ServiceError) as caught:
                await reader.recs("u")
            messages.append(str(caught.value))

    asyncio.run(ask())
    with Reader(settings.redis) as reader, pytest.raises(ServiceError) as caught:
        reader.recs("u")
    messages.append(str(caught.value))

    for message in messages:
        assert said in message
        assert PASSWORD not in message and "wr0ng" not in message


def test_client_certificate(mutual: TlsProxy, files: Certificates, admin: redis.Redis, tmp_path: Path) -> None:
    """A server that wants a certificate takes ours, and says so when there is none, or one of a CA it does not know."""
    grant(admin, worker_acl(Keys("mtls")))
    ours = {"redis_certificate_file": files.client_file, "redis_key_file": files.client_key_file}
    right = Settings(**secured(mutual, files, tmp_path, namespace="mtls", **ours))

    async def write() -> PublishResult:
        store = Store(right.redis, keys=right.keys)
        try:
            return await store.publish_lists([(right.keys.user_list("u"), made("mtls"))], 60)
        finally:
            await store.close()

    assert asyncio.run(write()) == PublishResult(1, 0)
    with Reader(right.redis, "mtls") as reader:
        assert reader.recs("u") is not None
    assert [each.status for each in check_redis(right)] == ["ok", "ok"]

    without = Settings(**secured(mutual, files, tmp_path))
    stranger = Settings(**secured(mutual, files, tmp_path, redis_certificate_file=files.other_client_file))
    for settings in (without, stranger):
        assert "client certificate" in check_redis(settings)[0].found
        assert "FRESHET_REDIS_CERTIFICATE_FILE" in check_redis(settings)[0].found


def test_each_permission_that_is_missing_is_named(server: RedisServer, admin: redis.Redis) -> None:
    """Without any one part of the printed rule the doctor names just that part, and the command that grants it."""
    keys = Keys("acl")
    rule = worker_acl(keys).replace("PASSWORD", "pw").split()
    settings = Settings(redis_url=server.url, redis_username="freshet-worker", redis_password="pw", namespace="acl")
    parts = [part for part in rule[3:] if part[0] in "~+" and not part.startswith("+client")]
    for part in parts:
        admin.execute_command(*[word for word in rule if word != part])
        wrong = [each for each in check_redis(settings) if each.status == "wrong"]
        assert len(wrong) == 1, part
        assert part.lstrip("+~") in wrong[0].found
        assert f"ACL SETUSER freshet-worker {part} (" in wrong[0].advice
    admin.execute_command(*rule)
    assert all(each.status == "ok" for each in check_redis(settings))


def test_a_list_is_not_written_by_who_may_not_read_its_version(server: RedisServer, admin: redis.Redis) -> None:
    """A user without GETRANGE cannot tell whether a newer list is stored: the write is refused, not let through."""
    keys = Keys("fence")
    rule = worker_acl(keys).replace("PASSWORD", "pw").split()
    admin.execute_command(*[word for word in rule if word != "+getrange"])

    async def write() -> None:
        store = Store(Settings(redis_url=server.url, redis_username="freshet-worker", redis_password="pw").redis)
        with pytest.raises(ServiceError, match="does not permit a command or key"):
            await store.publish_lists([(keys.user_list("u"), made("fence"))], 60)
        await store.close()

    asyncio.run(write())
    assert not admin.exists(keys.user_list("u"))
