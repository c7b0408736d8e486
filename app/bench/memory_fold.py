"""What the state of a partition takes in memory, and in checkpoints: a log is folded, then its objects are walked.

It runs by the code of any checkout, this one's or an older one's, so it imports nothing but `tables`:

    PYTHONPATH=CHECKOUT python -P memory_fold.py LOG

LOG has an event, JSON, on each line. Lines of JSON come out: how far it is, then the figures.
"""

import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np
import orjson

from tables.fold_settings import FoldSettings
from tables.marker import MARKER_KEY, METRICS_KEY
from tables.partition import PartitionState
from tables.view import ItemView

SETTINGS = FoldSettings(evaluate_fraction=0.05, max_items=10_000_000)
RECORD_MS = 2**41  # no event is ahead of it
CHUNK = 1000
N_WARM_UP = 2000
CODE = ("models.", "tables.")
STATM = Path("/proc/self/statm")
SMALL = range(-5, 257)  # Python has one object for each of these

_CODE = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType)
_ELEMENTS = (list, tuple, set, frozenset)


class Record(NamedTuple):
    """One record of the log."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes


def measured(log: Path, said: Callable[[int], None]) -> tuple[PartitionState, dict[str, Any]]:
    """The state of a log, and what it takes.

    Parameters
    ----------
    said
        Told now and then how many events have been folded.

    Returns
    -------
    tuple[PartitionState, dict[str, Any]]
        `files`: whose code it was; `n_events`, `n_items`, `n_users`; `resident_bytes`: what the process has grown by,
        None where the system does not say; `items`, `users`, `rest`, `view`: bytes by where they are held, each
        counted once; `checkpoint_items`, `checkpoint_users`: bytes of all keys and values, saved at once.
    """
    with log.open("rb") as lines:
        warm = PartitionState(0, 1, SETTINGS)  # compiled code is loaded before anything is counted
        warm.fold_many(records(islice(lines, N_WARM_UP)))
        warm.cut(-1)
    del warm
    before = resident_bytes()
    state = PartitionState(0, 1, SETTINGS)
    with log.open("rb") as lines:
        left = records(lines)
        while some := list(islice(left, CHUNK)):
            state.fold_many(some)
            said(state.next_offset)
    after = resident_bytes()
    known: set[int] = set()
    held = {name: footprint(part, known) for name, part in (("items", state.items), ("users", state.users))}
    held["rest"] = footprint(state, known)
    view = ItemView(SETTINGS.cooccurrence)
    view.set_share(0, state.items)
    view.sync()
    held["view"] = footprint(view, known)
    cut = state.cut(-1)
    users = [entry for entry in cut.users if entry[0] not in (MARKER_KEY, METRICS_KEY)]
    figures: dict[str, Any] = {
        "files": [module.__file__ for name, module in sys.modules.items() if name.startswith(CODE)],
        "n_events": state.metrics.counts["events"],
        "n_items": len(state.items),
        "n_users": len(state.users),
        "resident_bytes": None if before is None or after is None else after - before,
        **held,
        "checkpoint_items": stored_bytes(cut.items),
        "checkpoint_users": stored_bytes(users),
    }
    return state, figures


def records(lines: Iterable[bytes]) -> Iterator[Record]:
    """The records of a log, in order."""
    for offset, line in enumerate(lines):
        yield Record(offset, RECORD_MS, orjson.loads(line)["user_id"].encode(), line.rstrip(b"\n"))


def stored_bytes(entries: Iterable[tuple[bytes, bytes | None]]) -> int:
    """Bytes of keys and values.

    >>> stored_bytes([(b"key", b"value"), (b"gone", None)])
    12
    """
    return sum(len(key) + len(value or b"") for key, value in entries)


def resident_bytes() -> int | None:
    """The resident set of this process, garbage collected before; None where the system does not say."""
    gc.collect()
    if not STATM.exists():
        return None
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def footprint(root: object, known: set[int]) -> dict[str, int]:
    """Bytes that an object holds, by the attributes that lead there.

    An array counts with all of its memory, used or spare, however many views of it there are.

    Parameters
    ----------
    known
        Objects that count no more, by id; what is counted now is added.
    """
    found: Counter[str] = Counter()
    left: list[tuple[str, object]] = [("", root)]
    while left:
        path, each = left.pop()
        while isinstance(each, np.ndarray) and isinstance(each.base, np.ndarray):
            each = each.base
        if id(each) in known or is_code(each) or (isinstance(each, int) and each in SMALL):
            continue
        known.add(id(each))
        found[path] += each.nbytes if isinstance(each, np.ndarray) else sys.getsizeof(each)
        left += [(path, one) for one in elements(each)]
        left += [(f"{path}.{name}" if path else name, one) for name, one in attributes(each)]
    return {path: n for path, n in found.most_common() if n}


def is_code(each: object) -> bool:
    """Whether something is no data: a function, a class, a module, a compiled kernel."""
    return each is None or isinstance(each, _CODE) or type(each).__module__.startswith("numba")


def elements(each: object) -> Iterable[object]:
    """What a container holds."""
    if isinstance(each, dict):
        return [*each.keys(), *each.values()]
    return each if isinstance(each, _ELEMENTS) else ()


def attributes(each: object) -> Iterator[tuple[str, object]]:
    """The attributes of an object of a class of ours, in `__dict__` or in slots."""
    yield from getattr(each, "__dict__", {}).items()
    for kind in type(each).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(each, name):
                yield name, getattr(each, name)


def say(**fields: object) -> None:
    """Write a line of JSON."""
    print(json.dumps(fields), flush=True)


def main() -> None:
    """Measure, and write the figures."""
    _, figures = measured(Path(sys.argv[1]), lambda n: say(folded=n))
    say(figures=figures)


if __name__ == "__main__":
    main()
