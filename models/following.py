"""What follows an item: directed pairs over each user's last interactions, in bounded rows.

Every interaction with item j adds, for each of the user's last `n_back` other items i, `step` back,

    weight * other's weight * decay^step      to the pair i -> j, in the row of i

which is cut to its `n_keep` heaviest followers whenever it has grown to twice as many. A row read alone is the
transition from an item; rows of a user's last items, summed, are a sequence model of order one that forgives a detour.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import kernels
from models.compiled import lean
from models.cooccurrence import room_for
from models.errors import StateError
from models.rows import FIRST, RowArrays, RowPool, size_class

Copied = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], list[int]]


@dataclass(frozen=True, slots=True)
class FollowingSettings:
    """What shapes the directed pairs.

    Parameters
    ----------
    n_back
        Items before an interaction that it follows; 0: none, nothing is learned.
    decay
        Weight per step back.
    n_keep
        Followers kept per item when a row is cut.
    """

    n_back: int = 0
    decay: float = 0.8
    n_keep: int = 50

    def __post_init__(self) -> None:
        for name, legal, allowed in (
            ("n_back", 0 <= self.n_back <= 1000, "0 (off) to 1000, e.g. 10"),
            ("decay", 0.0 < self.decay <= 1.0, "above 0, at most 1, e.g. 0.8"),
            ("n_keep", 1 <= self.n_keep <= 100_000, "1 to 100000, e.g. 50"),
        ):
            if not legal:
                raise ValueError(f"{name} has value {getattr(self, name)!r}. Use {allowed}.")

    @property
    def cells_per_event(self) -> int:
        """The most cells of the pool that one event can take."""
        return self.n_back * (FIRST << size_class(2 * self.n_keep))


@lean(cache=True, nogil=True)
def learn_following(
    rows: RowArrays, slot: int, others: kernels.Array, amounts: kernels.Array, n_back: int, decay: float, n_keep: int
) -> None:
    """Let a slot follow the last `n_back` of `others` (oldest first, none twice); the pool must have the cells."""
    n, factor = others.shape[0], 1.0
    for place in range(n - 1, max(-1, n - 1 - n_back), -1):
        other, amount = others[place], amounts[place] * factor
        factor *= decay
        if not amount > 0.0:
            continue
        first = rows.start[other]
        found = kernels.find_in(rows.keys[first : first + rows.length[other]], slot)
        if found >= 0:
            rows.values[first + found] += np.float32(amount)
            continue
        if rows.length[other] == rows.room[other]:
            room_for(rows, other, 1, n_keep)
        kernels.append(rows.keys, rows.values, rows.start, rows.length, other, slot, amount, n_keep)


class Following:
    """Rows of followers by slot; a model of slots whose rows are a section of their own in stored items.

    Parameters
    ----------
    settings
        What shapes the rows.
    """

    tag = 1

    def __init__(self, settings: FollowingSettings | None = None) -> None:
        self.settings = settings or FollowingSettings()
        self.rows = RowPool(np.int32, np.float32)

    def grow(self, n_slots: int) -> None:
        """Make room for slots up to `n_slots`."""
        self.rows.grow(n_slots)

    def spare(self) -> None:
        """Have room for one event."""
        self.rows.spare(self.settings.cells_per_event)

    def clear(self, slot: int) -> None:
        """Forget a slot's own row."""
        self.rows.clear(slot)

    def drop(self, gone: npt.NDArray[np.bool_], n_slots: int) -> npt.NDArray[np.bool_]:
        """Remove every mention of slots that are gone (a mask); returns a mask of the rows that changed."""
        rows = self.rows
        changed: npt.NDArray[np.bool_] = kernels.drop_slots(
            rows.keys, rows.values, rows.start, rows.length, n_slots, gone
        )
        return changed

    def copied(self, slots: npt.NDArray[np.int64]) -> Copied:
        """Copies of some rows, for `section`."""
        return self.rows.copied(slots)

    def section(self, copies: Copied, place: int) -> bytes:
        """The bytes of one of the copied rows: i32 slots of the followers, then f32 amounts; little endian."""
        keys, values, ends = copies
        first, end = ends[place - 1] if place else 0, ends[place]
        return keys[first:end].astype("<i4").tobytes() + values[first:end].astype("<f4").tobytes()

    def set_section(self, slot: int, data: bytes) -> None:
        """Take a stored row; one that was saved with longer rows is cut.

        Raises
        ------
        StateError
            If it cannot be one.
        """
        n = len(data) // 8
        keys, values = np.frombuffer(data, "<i4", n).copy(), np.frombuffer(data, "<f4", n, 4 * n).copy()
        if len(data) % 8 or (keys < 0).any() or not ((values > 0.0) & np.isfinite(values)).all():
            raise StateError(f"The followers of slot {slot} are damaged. Load the state from its topic again.")
        if n >= 2 * self.settings.n_keep:
            n = kernels.cut_row(keys, values, 0, n, self.settings.n_keep)
        self.rows.set_row(slot, keys[:n], values[:n])

    def canonical(self, slot: int, ids: list[str | None]) -> list[object]:
        """A row as the digest reads it, by ids."""
        keys, values = self.rows.row(slot)
        return [
            *sorted((ids[other] or "", amount) for other, amount in zip(keys.tolist(), values.tolist(), strict=True))
        ]
