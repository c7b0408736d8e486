"""What is installed is what is in the repository."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = PYPROJECT["tool"]["importlinter"]["root_packages"]


def imported(module: Path) -> Iterator[str]:
    """Top-level names that a module imports."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]


def test_every_import_is_a_declared_dependency() -> None:
    """What the four packages import is declared by name, not there by luck because something else needs it."""
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"], *extras["local"], *extras["logs"], *extras["plots"], *extras["web"]]
    names = {canonicalize_name(re.split(r"[^A-Za-z0-9._-]", requirement)[0]) for requirement in declared}
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    foreign = {name for module in modules for name in imported(module)} - sys.stdlib_module_names - set(PACKAGES)
    owners = packages_distributions()

    undeclared = {name for name in foreign if not names & set(map(canonicalize_name, owners.get(name, [])))}
    assert undeclared == set()


def test_wheel_holds_every_file(tmp_path: Path) -> None:
    """The built wheel holds every file of the four packages: modules, Lua functions, lock files."""
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(ROOT / "pyproject.toml", source)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))

    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w"]
    subprocess.run([*command, str(tmp_path), str(source)], capture_output=True, text=True, timeout=100, check=True)

    (wheel,) = tmp_path.glob("freshet-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        installed = {name for name in archive.namelist() if name.split("/")[0] in PACKAGES}
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert installed == expected


def test_image_holds_every_package() -> None:
    """The Dockerfile copies each of the four packages, and .dockerignore lets each through."""
    copied = {line.split()[1] for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if line[:5] == "COPY "}
    let_through = set((ROOT / ".dockerignore").read_text("utf-8").splitlines())

    assert copied >= set(PACKAGES)
    assert let_through >= {f"!{package}" for package in PACKAGES}
