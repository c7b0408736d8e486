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
    with pytest.raises(SettingsError, match="give a file, or --dataset with one of ml-100k, ml-1m, ml-latest-small"):
        opened(None)


def test_an_unknown_set_is_a_wrong_use() -> None:
    """The message lists the names."""
    with pytest.raises(SettingsError, match="'netflix': use one of ml-100k, ml-1m, ml-latest-small"):
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


def test_a_format_that_is_said_is_not_looked_for(tmp_path: Path) -> None:
    """The name and the first line say CSV, the flag says otherwise."""
    path = tmp_path / "log.csv"
    path.write_bytes(b"user_id,item_id,event_type,timestamp\nu,i,view,1\n")
    counts = {
        name: len(list(open_log(path, dataset=None, columns={}, event_type=None, log_format=name)))
        for name in ("auto", "csv", "jsonl", "otto")
    }
    assert counts == {"auto": 1, "csv": 1, "jsonl": 2, "otto": 2}
    with pytest.raises(LogError, match="not Parquet that can be read"):
        list(open_log(path, dataset=None, columns={}, event_type=None, log_format="parquet"))


def test_a_format_is_for_files(tmp_path: Path) -> None:
    """A set and a folder have theirs, and an unknown one is refused."""
    for path, dataset in ((None, "ml-1m"), (tmp_path, None)):
        with pytest.raises(SettingsError, match="leave out --format csv"):
            open_log(path, dataset=dataset, columns={}, event_type=None, log_format="csv")
    with pytest.raises(SettingsError, match="'xml': use one of auto, jsonl, csv, parquet, arrow, otto"):
        open_log(tmp_path, dataset=None, columns={}, event_type=None, log_format="xml")
