"""Programs that tests run and that no wheel brings: from the PATH, or out of Debian's packages (`tools/debian.py`)."""

import os
import shutil

import pytest

from tools.debian import found, library_path


def require_program(name: str) -> str:
    """Where a program is; without one the test is skipped, and fails on CI where Debian's packages can be had."""
    path = found(name)
    if path is not None:
        return str(path)
    if os.environ.get("CI") == "true" and shutil.which("apt-get"):
        pytest.fail(f"CI has no {name}, and Debian has: run `make debian`.")
    pytest.skip(f"{name} is not here: run `make debian`, or install it")


def unpacked() -> dict[str, str]:
    """The environment in which unpacked programs find their libraries."""
    return {**os.environ, "LD_LIBRARY_PATH": library_path()}
