"""One folder, one living stack."""

import os
from pathlib import Path

import pytest

from app.local.folder import FolderLock
from models.errors import ServiceError


def test_second_stack_is_refused_and_told_who_has_the_folder(tmp_path: Path) -> None:
    """While one lock is held, another on the same folder fails at once and names folder and process."""
    first, second = FolderLock(tmp_path / "stack.lock"), FolderLock(tmp_path / "stack.lock")
    first.acquire()
    try:
        with pytest.raises(ServiceError) as caught:
            second.acquire()
    finally:
        first.release()

    assert str(tmp_path) in str(caught.value)
    assert f"process {os.getpid()}." in str(caught.value)


def test_released_folder_can_be_taken(tmp_path: Path) -> None:
    """After a release the next stack gets the folder, although the file is still there."""
    first, second = FolderLock(tmp_path / "stack.lock"), FolderLock(tmp_path / "stack.lock")
    first.acquire()
    first.release()

    assert first.path.exists()
    second.acquire()
    second.release()


def test_refused_stack_does_not_take_the_lock_away(tmp_path: Path) -> None:
    """Releasing a lock that was refused changes nothing for its holder."""
    first, second = FolderLock(tmp_path / "stack.lock"), FolderLock(tmp_path / "stack.lock")
    first.acquire()
    with pytest.raises(ServiceError):
        second.acquire()
    second.release()

    with pytest.raises(ServiceError):
        second.acquire()
    first.release()
