"""`freshet bench memory`: what an item and a user take in a worker's memory, in checkpoints and in Redis."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, Final
from uuid import uuid4

import orjson

import app
from app.bench import memory_fold
from app.bench.memory_log import MemoryLog
from app.local.stack import LocalStack
from app.replay.progress import Bar, shown
from app.settings import PREFIX, Settings
from app.store.remove import remove_keys
from app.worker.process import environment
from models.errors import ServiceError, SettingsError

HERE = Path(app.__file__).parents[1]
LOG_BYTES = 2000
CHECKED = Path("tables", "partition.py")
COMPARED: Final = (
    "bytes_per_item",
    "resident_bytes_per_item",
    "rest_bytes_per_item",
    "view_bytes_per_item",
    "checkpoint_bytes_per_item",
    "bytes_per_user",
    "checkpoint_bytes_per_user",
)


def run_memory(
    *,
    items: int,
    beside: Path | None,
    redis_url: str | None,
    access: Mapping[str, Any] | None = None,
    show_progress: bool,
) -> dict[str, Any]:
    """Fold a made log in a process of its own, and count what its state takes; then publish its users' lists.

    Parameters
    ----------
    items
        Size of the catalogue; each item has an event.
    beside
        The folder of another checkout, that folds the same log.
    redis_url
        An address to use, in a namespace of its own that is removed afterwards; None starts one.
    access
        Settings by which it lets one in; by default it asks for nothing.

    Returns
    -------
    dict[str, Any]
        What `per_one` says of this checkout; with `beside` also `beside`, the same of the other one, and `ratio`.

    Raises
    ------
    SettingsError
        If `beside` is no checkout.
    ServiceError
        If Redis does not run, or a process has failed.
    """
    if beside is not None and not (beside / CHECKED).is_file():
        raise SettingsError(
            f"--beside {beside}: there is no {CHECKED} in it. Give the folder of a checkout of Freshet, which holds "
            "app, agents, tables and models."
        )
    with TemporaryDirectory(prefix="freshet-memory-") as temporary, shown(enabled=show_progress) as progress:
        made, path = MemoryLog(items), Path(temporary) / "log.jsonl"
        bar = Bar(progress, "made", len(made))
        with path.open("wb") as log:
            for event in made:
                log.write(event + b"\n")
                bar.advance()
        bar.show(len(made))
        with _redis(Path(temporary), redis_url, access) as settings:
            variables = {**environment(settings), f"{PREFIX}CONFIG": os.devnull}
            command = ["-m", "app.bench.memory_lists", str(path)]
            result = per_one(folded(HERE, command, variables, Bar(progress, "folded", len(made)).show))
        if beside is not None:
            command = ["-P", memory_fold.__file__, str(path)]
            theirs = folded(beside.resolve(), command, {}, Bar(progress, "beside", len(made)).show)
            result = compared(result, per_one(theirs))
        return result


@contextmanager
def _redis(folder: Path, url: str | None, access: Mapping[str, Any] | None) -> Iterator[Settings]:
    """Settings by which to reach a Redis, in a namespace that is removed afterwards."""
    with LocalStack(folder / "stack", with_kafka=False, with_redis=url is None) as stack:
        there = {**(access or {}), "redis_url": url or stack.redis_url, "namespace": f"memory-{uuid4().hex[:12]}"}
        settings = Settings.model_construct(**there)
        try:
            yield settings
        finally:
            asyncio.run(remove_keys(settings.redis, settings.keys))


def folded(
    code: Path, command: list[str], variables: Mapping[str, str], advance: Callable[[int], None]
) -> dict[str, Any]:
    """What a program says that folds by the code in a folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    figures: dict[str, Any] | None = None
    with (
        TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, *command],
            env={**inherited, **variables, "PYTHONPATH": str(code)},
            cwd=code,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                told = orjson.loads(line)
                figures = told.get("figures", figures)
                if "folded" in told:
                    advance(told["folded"])
            process.wait()
        finally:
            process.kill()
        errors.seek(0)
        log = errors.read().decode(errors="replace")[-LOG_BYTES:].strip()
    if process.returncode or figures is None:
        raise ServiceError(f"the fold by {code} ended with code {process.returncode}. Its log ends with:\n{log}")
    for name in figures["files"]:
        if not Path(name).resolve().is_relative_to(code.resolve()):
            raise ServiceError(f"{code} is no whole checkout: the fold used {name}, and there is nothing to compare.")
    return figures


def per_one(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a fold by item, by user and by listed item, bytes.

    Returns
    -------
    dict[str, Any]
        The names in `COMPARED`; `items`, `users`, `events`: how many there are; `parts`: bytes per item of whatever
        holds one or more. `resident_bytes_per_item` is None where the system does not say what a process takes. Where
        lists were published also `lists`, `redis_bytes_per_list` and `redis_bytes_per_listed_item`.
    """
    n_items, n_users = figures["n_items"], figures["n_users"]
    resident, users = figures["resident_bytes"], sum(figures["users"].values())
    result: dict[str, Any] = {
        "items": n_items,
        "users": n_users,
        "events": figures["n_events"],
        "bytes_per_item": round(sum(figures["items"].values()) / n_items, 1),
        "resident_bytes_per_item": None if resident is None else round((resident - users) / n_items, 1),
        "rest_bytes_per_item": round(sum(figures["rest"].values()) / n_items, 1),
        "view_bytes_per_item": round(sum(figures["view"].values()) / n_items, 1),
        "checkpoint_bytes_per_item": round(figures["checkpoint_items"] / n_items, 1),
        "bytes_per_user": round(users / n_users, 1),
        "checkpoint_bytes_per_user": round(figures["checkpoint_users"] / n_users, 1),
    }
    if "lists" in figures:
        result["lists"] = figures["lists"]
        result["redis_bytes_per_list"] = round(figures["redis"] / figures["lists"], 1)
        result["redis_bytes_per_listed_item"] = round(figures["redis"] / figures["listed"], 1)
    parts = {name: round(n_bytes / n_items, 1) for name, n_bytes in figures["items"].items() if n_bytes >= n_items}
    return {**result, "parts": parts}


def compared(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Ours, theirs beside it, and how many times as much ours takes.

    Raises
    ------
    ServiceError
        If they hold other items or users, so that a ratio would say nothing.
    """
    for name in ("items", "users", "events"):
        if ours[name] != theirs[name]:
            raise ServiceError(f"{name}: {ours[name]} are held here, {theirs[name]} beside it, of the same log.")
    ratio = {name: round(ours[name] / theirs[name], 3) for name in COMPARED if ours[name] and theirs[name]}
    return {**ours, "beside": theirs, "ratio": ratio}
