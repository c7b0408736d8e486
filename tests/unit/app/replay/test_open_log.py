import os
from pathlib import Path

import pytest

from app.replay import open_log
from models.errors import LogError, SettingsError


def opened(path: Path | None, dataset: str | None = None) -> object:
    """Open without flags."""
    return open_log(path, dataset=dataset, columns={}, event_type=None)


def test_no_log_at_all_is_a_wrong_use() -> None:
    """One of the two must be named."""
    with pytest.raises(SettingsError, match="give a file, or --dataset with one of ml-100k, ml-latest-small"):
        opened(None)


def test_an_unknown_set_is_a_wrong_use() -> None:
    """The message lists the names."""
    with pytest.raises(SettingsError, match="'netflix': use one of ml-100k, ml-latest-small"):
        opened(None, "netflix")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path and the reason are said."""
    with pytest.raises(LogError, match=r"absent\.csv: cannot be read \(No such file"):
        opened(tmp_path / "absent.csv")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """A log is opened more than once, which a pipe is not good for; waiting for one would hang."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LogError, match="Write it to a file first"):
        opened(tmp_path / "pipe")


def test_parquet_is_refused_by_name(tmp_path: Path) -> None:
    """It is not taken for CSV that is broken."""
    path = tmp_path / "log.parquet"
    path.write_bytes(b"PAR1....")
    with pytest.raises(LogError, match="Parquet is not a kind of log"):
        opened(path)
