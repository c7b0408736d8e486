"""The client's wheel, alone in a fresh environment: what it brings, and that it reads."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import redis

from app.local.stack import LocalStack
from tests.readers import CASES, write
from tools.lock import environment_of, read_lock

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "clients" / "python"
BROUGHT = {"freshet-client", "redis", "hiredis", "aiokafka", "orjson"}
OF_THOSE = {"async-timeout", "packaging", "typing-extensions"}  # what redis and aiokafka ask for
READS = """
import json, sys
from importlib.metadata import distributions
from importlib.util import find_spec
from freshet_client import Reader
with Reader(sys.argv[1], "wheel") as reader:
    found = reader.recs("u1", segment="f-25-34")
names = sorted(each.name.lower().replace("_", "-") for each in distributions())
there = [name for name in ("numba", "faust", "numpy", "app", "tables") if find_spec(name)]
print(json.dumps({"version": found.version, "rung": found.rung, "distributions": names, "there": there}))
"""


def run(*command: str) -> str:
    """What a command printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wheel_in(folder: Path) -> Path:
    """The client's wheel, built out of a copy of its sources."""
    copy = folder / "source"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index")
    run(*pip, "-w", str(folder), str(copy))
    (wheel,) = folder.glob("freshet_client-*.whl")
    return wheel


def test_wheel_holds_every_file_and_says_that_it_is_typed(tmp_path: Path) -> None:
    """Every module is in it, and the mark by which type checkers know it."""
    with zipfile.ZipFile(wheel_in(tmp_path)) as archive:
        held = {name for name in archive.namelist() if name.startswith("freshet_client/")}

    files = (path for path in (SOURCE / "freshet_client").iterdir() if path.is_file())
    assert held == {f"freshet_client/{path.name}" for path in files}
    assert "freshet_client/py.typed" in held


def test_wheel_reads_in_an_environment_of_its_own(shared: LocalStack, tmp_path: Path) -> None:
    """Installed alone it brings its libraries and what these ask for, no more, and reads a list from real Redis."""
    wheel, home = wheel_in(tmp_path), tmp_path / "home"
    python = str(home / "bin" / "python")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}.0"
    locked = read_lock(ROOT / "requirements.lock", environment_of(version))
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("".join(f"{name}=={pinned}\n" for name, pinned in locked.items()), encoding="utf-8")
    uv = str(Path(sys.executable).with_name("uv"))
    run(uv, "venv", "--quiet", "--python", sys.executable, str(home))
    install = (uv, "pip", "install", "--quiet", "--system-certs", "--only-binary", ":all:")
    run(*install, "--python", python, "--constraints", str(constraints), str(wheel))
    strings = {f"wheel:{key}": text for key, text in CASES[0]["given"]["strings"].items()}
    with redis.Redis.from_url(shared.redis_url) as client:
        write(client, {"strings": strings})

    said = json.loads(run(python, "-I", "-c", READS, shared.redis_url))

    assert (said["version"], said["rung"], said["there"]) == (CASES[0]["expected"]["version"], "user", [])
    assert BROUGHT <= set(said["distributions"]) <= BROUGHT | OF_THOSE
