"""What a state takes: every byte once, by where it is held."""

from collections import OrderedDict
from pathlib import Path
from sys import getsizeof

import numpy as np

from app.bench.memory_fold import footprint, measured, records
from app.bench.memory_log import MemoryLog
from tables.marker import MARKER_KEY, METRICS_KEY

N_ITEMS, N_USERS = 60, 40


class Slotted:
    """An object without a dictionary."""

    __slots__ = ("empty", "values")

    def __init__(self) -> None:
        self.values = np.zeros(100)


class Holder:
    """An object with arrays, views of them, and what shares them."""

    def __init__(self) -> None:
        self.array = np.zeros((50, 2), np.int32)
        self.view = self.array[10:]
        self.inner = Slotted()
        self.again = self.inner.values.reshape(10, 10)
        self.names = OrderedDict({"a" * 100: 1000})
        self.code = len


def test_arrays_count_once_whatever_looks_at_them() -> None:
    """Views count nothing more, a container with what it holds, code nothing."""
    holder = Holder()
    name = next(iter(holder.names))

    found = footprint(holder, set())

    assert sum(found.get(path, 0) for path in ("array", "view")) == holder.array.nbytes
    assert sum(found.get(path, 0) for path in ("inner.values", "again")) == holder.inner.values.nbytes
    assert found["names"] == getsizeof(holder.names) + getsizeof(name) + getsizeof(1000)
    assert "code" not in found and "inner.empty" not in found


def test_what_is_known_counts_no_more() -> None:
    """So that what two parts of a state share belongs to the first of them."""
    holder, known = Holder(), set[int]()
    first = footprint(holder.inner, known)

    second = footprint(holder, known)

    assert first["values"] == 800
    assert "inner.values" not in second and second.get("again", 0) == 0


def test_a_state_is_its_arrays(tmp_path: Path) -> None:
    """Bytes of known arrays are exact, all of the log is folded, and a cut is weighed whole, each entry on its side."""
    log = tmp_path / "log"
    log.write_bytes(b"".join(event + b"\n" for event in MemoryLog(N_ITEMS, N_USERS)))
    told: list[int] = []

    state, figures = measured(log, told.append)

    assert (figures["n_items"], figures["n_users"], figures["n_events"]) == (N_ITEMS, N_USERS, N_ITEMS + 20_000)
    assert told[-1] == state.next_offset == N_ITEMS + 20_000
    assert figures["items"]["history.rows"] == state.items.history.rows.nbytes
    assert figures["items"]["pairs.rows.values"] == state.items.pairs.weights.nbytes
    assert figures["users"]["recent"] == state.users.recent.nbytes
    assert not any(path.startswith(("items", "users")) for path in figures["rest"])
    assert figures["view"]["to_item"] > 4 * N_ITEMS
    values = dict(map(state._encode_user, state.users))
    assert not values.keys() & {MARKER_KEY, METRICS_KEY}
    assert figures["checkpoint_users"] == sum(len(key) + len(value or b"") for key, value in values.items())
    ids = [item_id for item_id in state.items.ids if item_id is not None]
    n_bytes = sum(len(item_id) + len(state.items.encode(state.items.slots[item_id])) for item_id in ids)
    assert figures["checkpoint_items"] == n_bytes


def test_records_are_numbered_lines() -> None:
    """The key is the event's user."""
    lines = [b'{"user_id":"u1"}\n', b'{"user_id":"\xc3\xbc"}\n']

    (first, second) = records(lines)

    assert (first.offset, first.key, first.value) == (0, b"u1", lines[0].strip())
    assert (second.offset, second.key) == (1, "\u00fc".encode())
