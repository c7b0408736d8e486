"""Failures of Redis, in words: the masked URL, the meaning, the fix."""

import asyncio
import hashlib

import pytest
import redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

from app.store import Store, functions
from app.store.errors import FunctionsMissing, explained, masked
from models.errors import ServiceError, SettingsError
from tables.list_json import REVISION_END, VERSION_END, VERSION_START


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("redis://user@cache/0", "redis://user@cache/0"),
        ("redis://user:s3cret@cache/0", "redis://user:***@cache/0"),
        ("rediss://:s3cret@cache:6380", "rediss://:***@cache:6380"),
        ("redis://user:s3@s3cret:s3/s3#s3?s3@cache/0", "redis://user:***@cache/0"),
        ("redis://cache/0?password=s3cret&x=1", "redis://cache/0?password=***&x=1"),
        ("rediss+cluster://user:s3cret@a:1,b:2", "rediss+cluster://user:***@a:1,b:2"),
        ("redis+sentinel://:s3/cret@a:1,b:2/shop", "redis+sentinel://:***@a:1,b:2/shop"),
        ("unix://user:s3cret@/run/redis.sock", "unix://user:***@/run/redis.sock"),
    ],
)
def test_password_is_masked(url: str, shown: str) -> None:
    """No part of a password is shown, even one with characters that should have been escaped."""
    assert masked(url) == shown


@pytest.mark.parametrize("url", ["redis://user:s3cret/x@cache:6379/0", "cache:6379", "http://:s3cret@cache", ""])
def test_bad_url_is_a_settings_error(url: str) -> None:
    """A URL that cannot be read is refused at once, with the right form and without the password."""
    with pytest.raises(SettingsError, match="redis://localhost:6379/0") as caught:
        Store(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OutOfMemoryError("command not allowed", status_code="OOM"), "Raise maxmemory"),
        (ReadOnlyError("You can't write", status_code="READONLY"), "primary"),
        (BusyLoadingError("Redis is loading", status_code="LOADING"), "still loading"),
        (
            AuthenticationError("invalid username-password pair", status_code="WRONGPASS"),
            "Check FRESHET_REDIS_USERNAME and the password",
        ),
        (ResponseError("MISCONF Errors writing to the disk"), "cannot save"),
        (ResponseError("unknown command 'FCALL'", status_code="ERR"), "Use Redis 7.0"),
        (ResponseError("CROSSSLOT Keys in request don't hash to the same slot"), "Write redis+cluster://"),
        (ResponseError("MOVED 3999 127.0.0.1:6381"), "Write redis+cluster://"),
        (ResponseError("something new"), "refused a command: something new"),
        (ResponseError("ACL failure in script: User w has no permissions to run the 'zadd' command"), "not permit"),
        (ClusterDownError("The cluster is down", status_code="CLUSTERDOWN"), "cluster-require-full-coverage no"),
        (redis.exceptions.ConnectionError("x CERTIFICATE_VERIFY_FAILED y Hostname mismatch"), "another host name"),
        (redis.exceptions.ConnectionError("x CERTIFICATE_VERIFY_FAILED y"), "FRESHET_REDIS_CA_FILE"),
        (redis.exceptions.ConnectionError("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "wants a client certificate"),
        (redis.exceptions.ConnectionError("TLSV1_ALERT_UNKNOWN_CA"), "does not trust the CA of the client"),
        (redis.exceptions.ConnectionError("Connection closed by server."), "If this port wants TLS, write rediss://"),
        (redis.exceptions.TimeoutError("Timeout reading"), "did not answer within 1 s"),
        (TimeoutError(), "did not answer within 1 s"),
        (redis.exceptions.ConnectionError("Error 111"), "cannot be reached: Error 111. Start it"),
        (OSError("broken pipe"), "cannot be reached"),
    ],
)
def test_failures_are_explained(error: Exception, words: str) -> None:
    """Each failure is a ServiceError that names the server, with the password masked, and says what to do."""
    found = explained(error, "redis://w:s3cret@cache:6379/0", 1.0)

    assert type(found) is ServiceError
    assert words in str(found)
    assert "redis://w:***@cache:6379/0" in str(found)


def test_secrets_that_a_server_quotes_are_not_shown() -> None:
    """Whatever was said, a password in it becomes `***`."""
    found = explained(ResponseError("no such user s3cret of s3cret"), "redis://cache", 1.0, ("s3cret",))

    assert "s3cret" not in str(found)


def test_missing_functions_have_their_own_error() -> None:
    """Only this failure is answered by loading the functions, so it is told apart."""
    error = explained(ResponseError("Function not found", status_code="ERR"), "redis://cache", 1.0)

    assert isinstance(error, FunctionsMissing)


def test_server_that_is_not_there() -> None:
    """A refused connection is a ServiceError with the masked URL and the fix."""

    async def main() -> None:
        store = Store("redis://writer:s3cret@127.0.0.1:1/0")
        with pytest.raises(ServiceError, match=r"redis://writer:\*\*\*@127\.0\.0\.1:1/0 cannot be reached") as caught:
            await store.connect()
        assert "s3cret" not in str(caught.value)
        await store.close()

    asyncio.run(main())


def test_fence_reads_the_version_where_the_list_has_it() -> None:
    """The server-side function and the encoder agree on the version's place (the function's ends are inclusive)."""
    assert f"'GETRANGE', key, {VERSION_START}, {REVISION_END - 1})" in functions.LIBRARY
    assert f"string.sub(payload, {VERSION_START + 1}, {REVISION_END})" in functions.LIBRARY
    assert functions.LIBRARY.count(f", 1, {VERSION_END - VERSION_START})") == 2


def test_library_changes_with_its_number_only() -> None:
    """Two releases share a server, so a changed library needs a new number (then record its sum here)."""
    assert functions.LIBRARY.startswith("#!lua name=freshet_3\n")
    assert hashlib.sha256(functions.LIBRARY.encode()).hexdigest()[:16] == "fc7528f171e6f66f"
