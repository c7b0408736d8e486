"""Pid files: which process may be ended, and which must not."""

import json
import logging
import os
from pathlib import Path

import pytest

from app.local import child
from app.local.leftovers import PidRecord, end_leftover, read_pid_file

OWN = os.getpid()


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pids that were sent a signal; none is really sent."""
    pids: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, signal: pids.append(pid))
    return pids


def write(path: Path, **changes: object) -> None:
    """A pid file of this very process, with changes."""
    record = {"pid": OWN, "started": child.process_started(OWN), "command": child.process_command(OWN)}
    path.write_text(json.dumps(record | changes), encoding="utf-8")


def test_record_of_a_living_process_is_recognised(tmp_path: Path) -> None:
    """Start and command line of this process match what its pid file says."""
    write(tmp_path / "a.pid")

    record = read_pid_file(tmp_path / "a.pid")

    assert record is not None
    assert record.is_alive()


@pytest.mark.parametrize("changes", [{"started": "another boot:1"}, {"command": "java kafka.Kafka /elsewhere"}])
def test_process_that_only_shares_the_pid_is_left_alone(
    tmp_path: Path, killed: list[int], changes: dict[str, str]
) -> None:
    """With another start or another command line nothing is killed, and the stale file goes."""
    write(tmp_path / "a.pid", **changes)

    assert not end_leftover(tmp_path / "a.pid", "kafka")
    assert killed == []
    assert not (tmp_path / "a.pid").exists()


def test_no_pid_file_means_no_leftover(tmp_path: Path, killed: list[int]) -> None:
    """A folder without a pid file is a clean one."""
    assert not end_leftover(tmp_path / "a.pid", "kafka")
    assert killed == []


@pytest.mark.parametrize("text", ["", "123", "[]", "{}", '{"pid": "x", "started": "", "command": ""}'])
def test_foreign_pid_file_is_removed_with_a_warning(
    tmp_path: Path, killed: list[int], caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """A file of another format never names a process to end."""
    (tmp_path / "a.pid").write_text(text, encoding="utf-8")

    with caplog.at_level(logging.WARNING):
        assert not end_leftover(tmp_path / "a.pid", "kafka")

    assert str(tmp_path / "a.pid") in caplog.text
    assert killed == []
    assert not (tmp_path / "a.pid").exists()


def test_pid_of_nobody_is_not_alive() -> None:
    """A pid beyond what the system hands out has no start and no command line."""
    assert child.process_started(2**22 + 1) is None
    assert child.process_command(2**22 + 1) is None
    assert not PidRecord(2**22 + 1, "x", "y").is_alive()
