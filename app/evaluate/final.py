"""Every user's list at the end of a log, as a file of JSON lines: what Redis would hold, without Redis."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from app.evaluate.run import Evaluation
from models.errors import LogError
from tables.list_json import rounded


def refuse_unwritable(path: Path) -> None:
    """Refuse a file that cannot be written, before hours of work.

    Raises
    ------
    LogError
        With what is wrong.
    """
    folder = path.parent
    if path.is_dir() or not folder.is_dir():
        what = "it is a folder" if path.is_dir() else "its folder is not there"
        raise LogError(f"--lists {path}: cannot be written ({what}). Name a file in a folder that exists.")
    if not os.access(folder, os.W_OK):
        raise LogError(f"--lists {path}: cannot be written (no permission). Name a file in a folder of yours.")


def final_lists(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """The list of every user that is known, partition by partition, the user touched longest ago first."""
    for state in evaluation.states:
        view, filler = evaluation.reading(state.number)
        for user_id in state.users:
            user = state.users.reader(user_id)
            assert user is not None, user_id
            items = evaluation.lists.served(view, state.number, user, filler)
            yield {
                "user_id": user_id,
                "items": [
                    {"id": item_id, "score": rounded(score), "source": source, "because": because}
                    for item_id, score, source, because in items
                ],
            }


def write_lists(evaluation: Evaluation, path: Path) -> int:
    """Write `final_lists` as JSON lines; the file appears complete or not at all. Returns how many.

    Raises
    ------
    LogError
        If it cannot be written.
    """
    n, beside = 0, path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            for each in final_lists(evaluation):
                file.write(orjson.dumps(each) + b"\n")
                n += 1
        beside.replace(path)
    except OSError as error:
        raise LogError(f"--lists {path}: cannot be written ({error.strerror or error}). Check the disk.") from error
    finally:
        beside.unlink(missing_ok=True)
    return n
