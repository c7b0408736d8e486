"""Every user's list at the end of a log, as a file of JSON lines: what Redis would hold, without Redis."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from app.evaluate.files import whole_file
from app.evaluate.run import Evaluation
from tables.list_encoding import shown_items


def final_lists(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """The list of every user that is known, partition by partition, the user touched longest ago first."""
    for state in evaluation.states:
        view, filler = evaluation.reading(state.number)
        for user_id in state.users:
            user = state.users.reader(user_id)
            assert user is not None, user_id
            items = evaluation.lists.served(view, state.number, user, filler)
            yield {"user_id": user_id, "items": shown_items(items)}


def write_lists(evaluation: Evaluation, path: Path) -> int:
    """Write `final_lists` as JSON lines; the file appears complete or not at all. Returns how many.

    Raises
    ------
    LogError
        If it cannot be written.
    """
    n = 0
    with whole_file("--lists", path) as file:
        for each in final_lists(evaluation):
            file.write(orjson.dumps(each) + b"\n")
            n += 1
    return n
