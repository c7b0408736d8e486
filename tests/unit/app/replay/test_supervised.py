"""The worker of an isolated replay, played by small programs that print its lines and die."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import namespace
from app.namespace import remove_namespace
from app.replay import isolated
from app.settings import Settings
from app.worker.process import WorkerProcess
from models.errors import LogError, ServiceError

N_RECORDS = 25

COUNTED = """
import pathlib, sys, time
place = pathlib.Path(sys.argv[1])
n = int(place.read_text()) + 1 if place.exists() else 1
place.write_text(str(n))
"""

ALWAYS_DIES = COUNTED + "sys.exit(f'the disk is full, start {n}')"

SAVES_ONE_AND_DIES = (
    COUNTED
    + f"""
print('{{"event": "progress", "durable": {{"0": %d}}, "unpublished": 0}}' % n, flush=True)
time.sleep(60 if n == {N_RECORDS} else 0)
sys.exit(1)
"""
)

DIES_A_FEW_TIMES = (
    COUNTED
    + f"""
if n < {isolated.MAX_DEATHS}: sys.exit(1)
print('{{"event": "progress", "durable": {{"0": {N_RECORDS}}}, "unpublished": 0}}', flush=True)
time.sleep(60)
"""
)


def supervise(program: str, folder: Path, patch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Wait for the end of a log whose worker is this program; returns what was reported."""
    started = partial(WorkerProcess, command=(sys.executable,), arguments=("-c", program, str(folder / "n")))
    patch.setattr(isolated, "WorkerProcess", started)
    told: list[dict[str, Any]] = []

    async def run() -> None:
        async with isolated._supervised(Settings(), folder, told.append) as worker:
            await isolated._folded(worker, N_RECORDS, lambda n: None)

    asyncio.run(asyncio.wait_for(run(), 30))
    return told


def test_worker_that_always_dies_ends_the_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five deaths with nothing done the replay fails, and shows the end of the last worker's log."""
    with pytest.raises(ServiceError, match=r"(?s)ended with code 1, as did 4 before it.*the disk is full, start 5"):
        supervise(ALWAYS_DIES, tmp_path, monkeypatch)


def test_deaths_with_progress_in_between_have_no_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that saves something between deaths is started again as often as it takes."""
    told = supervise(SAVES_ONE_AND_DIES, tmp_path, monkeypatch)

    assert [line["event"] for line in told] == ["died"] * (N_RECORDS - 1)
    assert N_RECORDS - 1 > 4 * isolated.MAX_DEATHS


def test_some_deaths_without_progress_are_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four deaths before the first checkpoint, of an impatient killer, end nothing."""
    told = supervise(DIES_A_FEW_TIMES, tmp_path, monkeypatch)

    assert len(told) == isolated.MAX_DEATHS - 1


def test_error_of_the_replay_comes_through_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that cannot be read to its end is its own error, though a worker runs beside."""
    monkeypatch.setattr(
        isolated, "WorkerProcess", partial(WorkerProcess, command=(sys.executable,), arguments=("-c", "input()"))
    )

    async def run() -> None:
        async with isolated._supervised(Settings(), tmp_path, lambda line: None):
            raise LogError("line 3 is damaged")

    with pytest.raises(LogError, match="line 3 is damaged"):
        asyncio.run(run())


def test_what_is_left_behind_does_not_hide_what_went_wrong() -> None:
    """Where the namespace cannot be removed either, that is said behind the error that ended the replay."""
    nowhere = Settings(broker="127.0.0.1:1", namespace="replay-1")

    async def run(error: Exception) -> None:
        async with isolated._removed_after(nowhere):
            raise error

    with pytest.raises(LogError, match=r"(?s)^line 3 is damaged\nIts namespace replay-1 .* cannot be reached"):
        asyncio.run(run(LogError("line 3 is damaged")))
    with pytest.raises(KeyError):
        asyncio.run(run(KeyError()))


def test_redis_that_is_gone_at_the_end_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that cannot be removed are named, without the password."""
    admin = SimpleNamespace(start=nothing, list_topics=no_topics, delete_topics=nothing, close=nothing)
    monkeypatch.setattr(namespace, "AIOKafkaAdminClient", lambda **options: admin)
    settings = Settings(redis_url="redis://writer:s3cret@127.0.0.1:1/0", namespace="replay-1")

    with pytest.raises(
        ServiceError, match=r"redis://writer:\*\*\*@127.0.0.1:1/0 .* begin with replay-1: when"
    ) as caught:
        asyncio.run(remove_namespace(settings))

    assert "s3cret" not in str(caught.value)


async def nothing(*args: object) -> None:
    """Do so."""


async def no_topics() -> list[str]:
    """None is left."""
    return []
