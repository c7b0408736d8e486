"""`freshet settings`."""

from pathlib import Path

import orjson
import pytest

from app.settings import Settings
from tests.command import freshet


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FRESHET_CONFIG", raising=False)


def test_every_setting_with_its_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting is listed once; a variable goes before the file, the file before the default."""
    (tmp_path / "freshet.toml").write_text("history_size = 7\nmax_seen = 99\n")
    monkeypatch.setenv("FRESHET_HISTORY_SIZE", "50")

    outcome = freshet("settings", "--json")

    rows = {row["name"]: row for row in orjson.loads(outcome.out)}
    assert rows.keys() == Settings.model_fields.keys()
    picked = {name: (rows[name]["value"], rows[name]["source"]) for name in ("history_size", "max_seen", "partitions")}
    assert picked == {"history_size": (50, "environment"), "max_seen": (99, "file"), "partitions": (4, "default")}
    assert rows["history_size"]["default"] == 20
    assert rows["history_size"]["variable"] == "FRESHET_HISTORY_SIZE"
    assert all(row["meaning"] for row in rows.values())


def test_passwords_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No password reaches the screen, in either format."""
    monkeypatch.setenv("FRESHET_REDIS_URL", "redis://writer:s3cret@cache:6379/0")

    for outcome in (freshet("settings"), freshet("settings", "--json")):
        assert "redis://writer:***@cache:6379/0" in outcome.out
        assert "s3cret" not in outcome.out + outcome.err


def test_setting_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad value ends with 2 and is named."""
    monkeypatch.setenv("FRESHET_HISTORY_SIZE", "many")

    outcome = freshet("settings")

    assert (outcome.code, outcome.out) == (2, "")
    assert "FRESHET_HISTORY_SIZE has value 'many'" in outcome.err
