"""A lock holds all that its packages ask for, so that it installs without looking for anything newer."""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.version import Version

from tools.lock import PYTHONS, environment_of, gaps, read_lock, requires, roots

ROOT = Path(__file__).parents[2]
PYPROJECT = ROOT / "pyproject.toml"
EXTRAS = tuple(tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["optional-dependencies"])
LOCKS = {"requirements.lock": EXTRAS, "requirements-core.lock": ("logs", "web")}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_lock_is_whole(name: str, python: str) -> None:
    """Each requirement, with its extras, stands in the lock in a version that fits, on every interpreter."""
    environment = environment_of(python)
    lock = read_lock(ROOT / name, environment)

    assert list(gaps(lock, roots(PYPROJECT, LOCKS[name]), environment, requires)) == []


def test_what_is_installed_is_what_is_locked() -> None:
    """The environment has each package of the lock in its very version, so the check above read the right metadata."""
    here = environment_of(f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}")
    locked = {name: str(version) for name, version in read_lock(ROOT / "requirements.lock", here).items()}

    assert {name: metadata.version(name) for name in locked} == locked


def test_installer_finds_nothing_broken() -> None:
    """`pip check` agrees."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stdout


def test_a_gap_behind_an_extra_is_found() -> None:
    """A package that only an extra of a dependency asks for is missed when it is not there, or too old."""
    asked = {"a": ["b[fast]>=1"], "b": ["c>=2; extra == 'fast'", "d; extra == 'slow'"], "c": []}
    whole = {name: Version(version) for name, version in (("a", "1"), ("b", "1.5"), ("c", "2"))}
    here = environment_of("3.11.0")

    assert list(gaps(whole, ["a"], here, asked.get)) == []
    without = {name: pin for name, pin in whole.items() if name != "c"}
    assert [gap[:13] for gap in gaps(without, ["a"], here, asked.get)] == ["b asks for c>"]
    old = {**whole, "c": Version("1.9")}
    assert list(gaps(old, ["a"], here, asked.get)) == ['b asks for c>=2; extra == "fast", the lock has 1.9']


def test_a_package_has_the_version_of_the_interpreter(tmp_path: Path) -> None:
    """One that stands in the lock twice, and one that is for some interpreters alone."""
    lock = tmp_path / "lock"
    lock.write_text(
        "a==1 ; python_full_version < '3.12' \\\n    --hash=sha256:0\n"
        "a==2 ; python_full_version >= '3.12' \\\n    --hash=sha256:0\n"
        "b==3 ; python_version < '3.14'\nc==4\n"
    )

    def installed(python: str) -> str:
        found = read_lock(lock, environment_of(python))
        return " ".join(f"{name}{version}" for name, version in found.items())

    assert {python: installed(python) for python in ("3.11.0", "3.12.0", "3.14.0")} == {
        "3.11.0": "a1 b3 c4",
        "3.12.0": "a2 b3 c4",
        "3.14.0": "a2 c4",
    }


@pytest.mark.parametrize("path", ["Makefile", "Dockerfile"])
def test_nothing_is_installed_but_what_is_locked(path: str) -> None:
    """Every installation from a lock says `--no-deps` and checks sums."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    installs = [line for line in lines if "LOCKED :=" in line or ("install" in line and " -r " in line)]

    assert installs
    assert all("$(LOCKED)" in line or ("--no-deps" in line and "--require-hashes" in line) for line in installs)
