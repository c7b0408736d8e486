"""The import contracts of pyproject.toml, tried on small trees that keep or break them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
MODULES = (
    "app/worker.py",
    "app/client.py",
    "app/store/lists.py",
    "app/local/health.py",
    "agents/users.py",
    "tables/users.py",
    "models/events.py",
)


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """The linter, as `make lint` runs it, on that tree."""
    return subprocess.run([LINTER, "--no-cache"], cwd=tree, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project of empty modules under the contracts of this one."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in MODULES:
        module = tmp_path / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.touch()
        (module.parent / "__init__.py").touch()
    return tmp_path


def test_allowed_imports_pass(tree: Path) -> None:
    """Imports inward are fine, and the store, the client and the local stack may talk to Redis."""
    (tree / "app/worker.py").write_text("import faust\nfrom app.store import lists\nfrom agents import users\n")
    (tree / "agents/users.py").write_text("import numpy\nfrom tables import users\nfrom models import events\n")
    for name in ("app/client.py", "app/store/lists.py", "app/local/health.py"):
        (tree / name).write_text("import redis.asyncio\n")

    result = lint(tree)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("models/events.py", "from tables import users"),
        ("tables/users.py", "from agents import users"),
        ("agents/users.py", "from app import client"),
        ("models/events.py", "import faust"),
        ("tables/users.py", "import redis"),
        ("agents/users.py", "from aiokafka import AIOKafkaProducer"),
        ("app/worker.py", "import redis.asyncio"),
    ],
)
def test_forbidden_imports_fail(tree: Path, module: str, statement: str) -> None:
    """An import outward, or of a client where it does not belong, breaks a contract, and the module is named."""
    (tree / module).write_text(statement + "\n")

    result = lint(tree)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
    assert module.removesuffix(".py").replace("/", ".") in result.stdout
