"""A child process with JSON lines, played by small programs."""

import os
import sys
from pathlib import Path

import pytest

from app.worker.process import KEPT_LINES, WorkerProcess
from models.errors import ServiceError
from tests.exits import wait_exit

N_LINES = 3 * KEPT_LINES

TALKS = f"""
print('{{"event": "ready"}}')
for n in range({N_LINES}):
    print('{{"event": "checkpoint", "n": %d}}' % n)
    print('{{"event": "progress", "n": %d}}' % n)
print('{{"event": "stopped"}}')
"""


def run(program: str, folder: Path) -> WorkerProcess:
    """Start a program and wait until it has ended."""
    process = WorkerProcess({}, folder / "log", command=(sys.executable,), arguments=("-c", program))
    wait_exit(process, 20)
    return process


def test_lines_are_bounded_per_kind(tmp_path: Path) -> None:
    """Of what is said all the time the newest stay, of what is said once that one, in the order they came in."""
    process = run(TALKS, tmp_path)

    newest = list(range(N_LINES - KEPT_LINES, N_LINES))
    assert [line["n"] for line in process.of_kind("checkpoint")] == newest
    assert process.of_kind("ready") == [{"event": "ready"}]
    assert process.of_kind("failed") == []
    assert [line.get("n", line["event"]) for line in process.lines] == ["ready", *newest, "stopped"]
    assert process.progress["n"] == N_LINES - 1


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows open files")
def test_process_that_ended_holds_no_file(tmp_path: Path) -> None:
    """Its log and its pipe are closed without anybody's doing, and its log can be shown all the same."""
    before = set(os.listdir("/proc/self/fd"))

    process = run("import sys; sys.exit('out of luck')", tmp_path)

    assert set(os.listdir("/proc/self/fd")) <= before
    with pytest.raises(ServiceError, match=r"(?s)went away.*out of luck"):
        raise process.failure("went away")


def test_our_code_runs_whatever_lies_in_the_working_folder(tmp_path: Path) -> None:
    """A package of somebody else that is called `app` as well is not taken for ours."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("import sys; sys.exit(66)")

    process = WorkerProcess({}, tmp_path / "log", arguments=("--help",), folder=tmp_path)

    assert wait_exit(process, 30) == 0


@pytest.mark.parametrize(
    ("said", "serves"),
    [
        ("ready", False),
        ("ready serving", True),
        ("ready serving checkpoint", True),
        ("ready serving revoked", False),
        ("ready revoked ready", False),
        ("ready serving revoked ready serving", True),
    ],
)
def test_serving_is_the_last_word(said: str, serves: bool, tmp_path: Path) -> None:
    """A worker serves from its word on until its partitions are given back."""
    program = f'for event in {said.split()!r}: print(\'{{"event": "%s"}}\' % event)'

    process = run(program, tmp_path)

    assert (process.serving is not None) is serves
