"""Programs for the tests out of Debian's packages, unpacked into `.venv/debian`: nothing is installed, nobody is root.

`python -m tools.debian` fetches what is neither on the PATH nor there yet; where there is no apt-get it says so and
ends well: tests that need a program are skipped then.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

PACKAGES: Final = {"promtool": "prometheus", "prometheus": "prometheus", "haproxy": "haproxy"}
"""The package that brings each program."""

FOLDER: Final = Path(__file__).parents[1] / ".venv" / "debian"
PLACES: Final = ("usr/bin", "usr/sbin")


def found(name: str, folder: Path = FOLDER) -> Path | None:
    """Where a program is: on the PATH, else unpacked; None if it is nowhere."""
    if on_path := shutil.which(name):
        return Path(on_path)
    unpacked = (folder / place / name for place in PLACES)
    return next((path for path in unpacked if path.is_file()), None)


def library_path(folder: Path = FOLDER) -> str:
    """What LD_LIBRARY_PATH has to be for unpacked programs."""
    parts = [*map(str, sorted(folder.glob("usr/lib/*-linux-gnu"))), os.environ.get("LD_LIBRARY_PATH", "")]
    return os.pathsep.join(part for part in parts if part)


def fetch(packages: tuple[str, ...], folder: Path) -> None:
    """Download packages and unpack them, with the libraries that they need and that are not installed.

    Raises
    ------
    subprocess.CalledProcessError
        If they cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as cellar:
        try:
            _download(packages, cellar)
        except subprocess.CalledProcessError:  # no lists of packages, or old ones: fetch them, without touching theirs
            own = [f"--option=Dir::State::Lists={cellar}/lists", f"--option=Dir::Cache={cellar}/cache"]
            for part in ("lists/partial", "cache/archives/partial"):
                (Path(cellar) / part).mkdir(parents=True)
            _run("apt-get", *own, "update", where=cellar)
            _download(packages, cellar, *own)
        for package in Path(cellar).glob("*.deb"):
            _run("dpkg-deb", "--extract", str(package), str(folder), where=cellar)


def _download(packages: tuple[str, ...], where: str, *options: str) -> None:
    said = _run("apt-get", *options, "--simulate", "--no-install-recommends", "install", *packages, where=where)
    missing = re.findall(r"^Inst (\S+)", said, re.MULTILINE)
    libraries = [name for name in missing if name.startswith("lib") and not name.startswith("libjs-")]
    _run("apt-get", *options, "download", *dict.fromkeys((*packages, *libraries)), where=where)


def _run(*command: str, where: str) -> str:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=True, timeout=300)
    return done.stdout


def main() -> None:
    """Fetch what is missing."""
    missing = {name: packages for name, packages in PACKAGES.items() if found(name) is None}
    if not missing:
        return
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        print(f"no apt-get here: tests that need {', '.join(missing)} are skipped unless they are installed")
        return
    packages = tuple(dict.fromkeys(missing.values()))
    print(f"fetching {', '.join(packages)} of Debian, for the tests alone")
    try:
        fetch(packages, FOLDER)
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", None) or error
        print(f"{', '.join(packages)} cannot be had, tests that need them are skipped: {said}", file=sys.stderr)


if __name__ == "__main__":
    main()
