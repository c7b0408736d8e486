"""Files that an evaluation writes: refused before the work if they cannot be, and there complete or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from models.errors import LogError


def refuse_unwritable(flag: str, path: Path) -> None:
    """Refuse a file that cannot be written, before hours of work.

    Raises
    ------
    LogError
        With the flag that names it and what is wrong.
    """
    folder = path.parent
    if path.is_dir() or not folder.is_dir():
        what = "it is a folder" if path.is_dir() else "its folder is not there"
        raise LogError(f"{flag} {path}: cannot be written ({what}). Name a file in a folder that exists.")
    if not os.access(folder, os.W_OK):
        raise LogError(f"{flag} {path}: cannot be written (no permission). Name a file in a folder of yours.")


@contextmanager
def whole_file(flag: str, path: Path) -> Iterator[BinaryIO]:
    """Give a file beside `path` that takes its place at the end, or is removed.

    Raises
    ------
    LogError
        If it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(path)
    except OSError as error:
        raise LogError(f"{flag} {path}: cannot be written ({error.strerror or error}). Check the disk.") from error
    finally:
        beside.unlink(missing_ok=True)
