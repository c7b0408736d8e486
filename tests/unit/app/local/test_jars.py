"""The lock file of Kafka's jars, and the cache."""

import hashlib
import re
from pathlib import Path

import pytest

from app.local.jars import KAFKA_VERSION, Jar, default_cache, locked_jars, require_jars
from models.errors import ServiceError


def jar(content: bytes) -> Jar:
    """A pinned jar of that content."""
    return Jar("org.example", "flow", "1.0", hashlib.sha256(content).hexdigest())


def test_lock_file_pins_kafka_and_every_sum() -> None:
    """All jars have a SHA-256 sum, names are unique in the flat cache, and Kafka's version is the one announced."""
    jars = locked_jars()

    assert len(jars) == 46
    assert all(re.fullmatch("[0-9a-f]{64}", entry.sha256) for entry in jars)
    assert len({entry.file_name for entry in jars}) == len(jars)
    assert f"kafka_2.13-{KAFKA_VERSION}.jar" in {entry.file_name for entry in jars}


def test_lock_file_keeps_the_versions_that_kafka_was_released_with() -> None:
    """Kafka's own parts share its version, and the log binding does not bring older libraries along."""
    versions = {entry.artifact: entry.version for entry in locked_jars()}

    assert {version for name, version in versions.items() if name.startswith("kafka")} == {KAFKA_VERSION}
    assert versions["jackson-databind"] == "2.21.2"
    assert versions["log4j-slf4j-impl"] == versions["log4j-core"]


def test_cached_jars_are_taken_without_a_download(tmp_path: Path) -> None:
    """With every jar in the cache nothing is fetched, and the paths come in the order of the lock file."""
    (tmp_path / "flow-1.0.jar").write_bytes(b"bytes")

    def unexpected(done: int, total: int) -> None:
        pytest.fail(f"a download began: {done} of {total}")

    assert require_jars([jar(b"bytes")], tmp_path, downloaded=unexpected) == [tmp_path / "flow-1.0.jar"]


def test_changed_jar_in_the_cache_is_refused(tmp_path: Path) -> None:
    """A cached jar with another sum is named with both sums and the remedy, and is not run."""
    (tmp_path / "flow-1.0.jar").write_bytes(b"other bytes")

    with pytest.raises(ServiceError) as caught:
        require_jars([jar(b"bytes")], tmp_path)

    message = str(caught.value)
    assert str(tmp_path / "flow-1.0.jar") in message
    assert hashlib.sha256(b"bytes").hexdigest() in message
    assert hashlib.sha256(b"other bytes").hexdigest() in message
    assert "Delete it" in message


def test_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An absolute XDG_CACHE_HOME moves the cache; a relative one is ignored, as its specification says."""
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "freshet" / "jars"

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == Path("/home/ada/.cache/freshet/jars")

    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path("/home/ada/.cache/freshet/jars")
