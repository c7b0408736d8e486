"""Programs out of Debian's packages: found where they are, asked for where they are not, missed without an error."""

from pathlib import Path

import pytest

from tests.programs import require_program
from tools import debian


def program(folder: Path, name: str) -> Path:
    """A program in a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then what was unpacked, be it a user's program or the system's."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    unpacked = program(tmp_path / "debian" / "usr" / "sbin", "haproxy")
    assert debian.found("haproxy", tmp_path / "debian") == unpacked
    assert debian.found("promtool", tmp_path / "debian") is None
    installed = program(tmp_path / "path", "haproxy")
    assert debian.found("haproxy", tmp_path / "debian") == installed


def test_without_apt_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what is skipped; with apt and without packages it says why."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(debian, "found", lambda name: None)
    debian.main()
    assert "tests that need promtool, prometheus, haproxy are skipped" in capsys.readouterr().out

    program(tmp_path, "apt-get").write_text("#!/bin/sh\necho no such package >&2\nexit 100\n")
    program(tmp_path, "dpkg-deb")
    monkeypatch.setattr(debian, "FOLDER", tmp_path / "debian")
    debian.main()
    assert "no such package" in capsys.readouterr().err


def test_a_missing_program_fails_where_it_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On CI beside apt-get; elsewhere its test is skipped."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.skip.Exception):
        require_program("no-such-program")
    program(tmp_path, "apt-get")
    with pytest.raises(pytest.fail.Exception, match="make debian"):
        require_program("no-such-program")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception):
        require_program("no-such-program")
