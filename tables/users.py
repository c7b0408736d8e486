"""All users of a partition in arrays by slot, the user touched longest ago first."""

from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from models import kernels
from models.arrays import longer
from models.fold_arrays import UserArrays
from models.ids import hash64
from models.rows import RowPool
from tables.codec import undamaged
from tables.user_codec import check_user, stamps
from tables.user_state import MAX_EVENT_IDS, UserBounds, UserState
from tables.waiting import WaitingRows

_BY_SLOT = (
    "hashes",
    "n_events",
    "last_offsets",
    "last_ms",
    "event_ids",
    "n_event_ids",
    "recent",
    "recent_weights",
    "recent_ms",
    "n_recent",
    "factors",
    "has_factors",
)
FIRST_SLOTS = 64
SPARE_IDS = 12  # ids of items kept beyond those of a history, before they are looked through


class Users:
    """The users of a partition; stored bytes are decoded when their user is touched.

    Parameters
    ----------
    bounds
        Sizes of one user's state.
    n_factors
        Of the rating model.
    """

    def __init__(self, bounds: UserBounds | None = None, n_factors: int = 10) -> None:
        self.bounds = bounds = bounds or UserBounds()
        n = FIRST_SLOTS
        self.hashes: npt.NDArray[np.uint64] = np.zeros(n, np.uint64)
        self.n_events: npt.NDArray[np.int64] = np.zeros(n, np.int64)
        self.last_offsets: npt.NDArray[np.int64] = np.zeros(n, np.int64)
        self.last_ms: npt.NDArray[np.int64] = np.zeros(n, np.int64)
        self.event_ids: npt.NDArray[np.uint64] = np.zeros((n, MAX_EVENT_IDS), np.uint64)
        self.n_event_ids: npt.NDArray[np.int64] = np.zeros(n, np.int64)
        self.recent: npt.NDArray[np.uint64] = np.zeros((n, bounds.max_recent), np.uint64)
        self.recent_weights: npt.NDArray[np.float64] = np.zeros((n, bounds.max_recent), np.float64)
        self.recent_ms: npt.NDArray[np.int64] = np.zeros((n, bounds.max_recent), np.int64)
        self.n_recent: npt.NDArray[np.int64] = np.zeros(n, np.int64)
        self.factors: npt.NDArray[np.float64] = np.zeros((n, 1 + n_factors), np.float64)
        self.has_factors: npt.NDArray[np.bool_] = np.zeros(n, np.bool_)
        self.recent_ids: list[dict[int, str]] = []  # by hash: those of the history, and some more
        self.seen = RowPool(np.uint64, np.uint64)
        self.totals = RowPool(np.uint64, np.uint64)
        self.buckets = RowPool(np.uint64, np.uint32)
        self.waiting_rows = WaitingRows()
        self._places: OrderedDict[str, int | bytes] = OrderedDict()
        self._free: list[int] = []
        self._crowded: set[int] = set()  # slots with many ids

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def arrays(self) -> UserArrays:
        """For compiled code; taken anew after whatever may grow an array."""
        rows = self.waiting_rows
        return UserArrays(
            self.hashes,
            self.n_events,
            self.last_offsets,
            self.last_ms,
            self.recent,
            self.recent_weights,
            self.recent_ms,
            self.n_recent,
            self.seen.arrays(),
            self.totals.arrays(),
            self.buckets.arrays(),
            self.factors,
            self.has_factors,
            rows.times_ms,
            rows.counts,
            rows.hashes,
        )

    def spare(self) -> None:
        """Have room for the rows of any user to grow."""
        for pool in (self.seen, self.totals, self.buckets):
            pool.spare(4 * int(pool.length.max()) + 1024)

    def get(self, user_id: str) -> UserState | None:
        """A copy of a user's state, or None; the order is left alone.

        Raises
        ------
        StateError
            If the stored bytes are damaged.
        """
        place = self._places.get(user_id)
        if place is None:
            return None
        return UserState.decode(place) if isinstance(place, bytes) else self._read(place)

    def reader(self, user_id: str) -> UserState | None:
        """Of a user's state a copy of what lists are made from: items, events, last offset and time, factors.

        Raises
        ------
        StateError
            If the stored bytes are damaged.
        """
        place = self._places.get(user_id)
        if place is None or isinstance(place, bytes):
            return self.get(user_id)
        state = UserState()
        self._read_items(place, state)
        return state

    def slot(self, user_id: str) -> int | None:
        """The slot of a user, None for an unknown one.

        Raises
        ------
        StateError
            If the stored bytes are damaged.
        """
        place = self._places.get(user_id)
        if isinstance(place, bytes):
            with undamaged(f"the state of user {user_id!r}"):
                return self._put(user_id, UserState.decode(place))
        return place

    def add(self, user_id: str) -> int:
        """A slot for a new user, the last in the order."""
        slot = self._free.pop() if self._free else len(self.recent_ids)
        if slot == len(self.recent_ids):
            self.recent_ids.append({})
            self.waiting_rows.of.append(-1)
            self._grow(slot + 1)
        self.hashes[slot] = hash64(user_id)
        self.last_offsets[slot] = -1
        self._places[user_id] = slot
        return slot

    def touch(self, user_id: str) -> None:
        """Move a user behind all others."""
        self._places.move_to_end(user_id)

    def oldest(self) -> tuple[str, int, int]:
        """The user touched longest ago: id, last offset, last event time."""
        user_id = next(iter(self._places))
        last_offset, last_ms, _ = self._stamps(self._places[user_id])
        return user_id, last_offset, last_ms

    def last_offset(self, user_id: str) -> int:
        """The offset of a user's last folded event."""
        return self._stamps(self._places[user_id])[0]

    def least_ms(self) -> int:
        """The oldest of all users' last event times; 2^63 without users."""
        return min((self._stamps(place)[1] for place in self._places.values()), default=2**63)

    def waiting(self) -> list[str]:
        """Users with lists that wait to be scored, the one touched longest ago first."""
        return [user_id for user_id, place in self._places.items() if self._stamps(place)[2]]

    def is_duplicate(self, slot: int, event_id_hash: int) -> bool:
        """Whether an event id is among a user's newest; remembers it if not."""
        return bool(kernels.remember_id(self.event_ids, self.n_event_ids, slot, np.uint64(event_id_hash)))

    def remember_item(self, slot: int, item_id: str, item_hash: int) -> None:
        """Keep the id of an item that may enter a user's history, beside its hash in `recent`."""
        ids = self.recent_ids[slot]
        ids[item_hash] = item_id
        if len(ids) > self.bounds.max_recent + SPARE_IDS:
            self._crowded.add(slot)

    def prune(self) -> None:
        """Forget the ids of items that are in no history; once what is pending has been folded."""
        for slot in self._crowded:
            ids, recent = self.recent_ids[slot], self.recent[slot, : self.n_recent[slot]].tolist()
            self.recent_ids[slot] = {item_hash: ids[item_hash] for item_hash in recent}
        self._crowded.clear()

    def let_go(self, user_id: str) -> None:
        """Let a user's waiting lists go.

        Raises
        ------
        StateError
            If the stored bytes are damaged.
        """
        slot = self.slot(user_id)
        assert slot is not None, user_id
        self.waiting_rows.drop(slot)

    def remove(self, user_id: str) -> None:
        """Forget a user."""
        place = self._places.pop(user_id)
        if not isinstance(place, bytes):
            self._clear(place)
            self._free.append(place)

    def apply(self, user_id: str, data: bytes | None) -> None:
        """Take a stored value, or None for a user that is gone; call `sort` when all are in.

        Raises
        ------
        UnknownVersion, StateError
            If the bytes are of another version, or too few; what else may be wrong shows when they are decoded.
        """
        if data is not None:
            check_user(data, user_id)
        if user_id in self._places:
            self.remove(user_id)
        if data is not None:
            self._places[user_id] = data

    def sort(self) -> None:
        """Restore the order of touching after a load."""
        self._places = OrderedDict(sorted(self._places.items(), key=lambda entry: self._stamps(entry[1])[0]))

    def _stamps(self, place: int | bytes) -> tuple[int, int, bool]:
        if isinstance(place, bytes):
            return stamps(place)
        return int(self.last_offsets[place]), int(self.last_ms[place]), self.waiting_rows.of[place] >= 0

    def _put(self, user_id: str, state: UserState) -> int:
        slot = self.add(user_id)
        self.n_events[slot], self.last_ms[slot] = state.n_events, state.last_ms
        self.last_offsets[slot] = state.last_offset
        event_ids = np.array(list(state.event_ids)[-MAX_EVENT_IDS:], np.uint64)
        self.event_ids[slot, : len(event_ids)] = event_ids
        self.n_event_ids[slot] = len(event_ids)
        recent = state.recent[-self.bounds.max_recent :]
        hashes = [hash64(item_id) for item_id, _ in recent]
        self.recent[slot, : len(recent)] = np.array(hashes, np.uint64)
        self.recent_weights[slot, : len(recent)] = [weight for _, weight in recent]
        self.recent_ms[slot, : len(recent)] = state.recent_ms[-len(recent) :] if recent else []
        self.n_recent[slot] = len(recent)
        self.recent_ids[slot] = {item_hash: item_id for item_hash, (item_id, _) in zip(hashes, recent, strict=True)}
        self.seen.set_row(slot, state.seen[: state.n_seen], state.words[: state.n_seen])
        self.has_factors[slot] = state.factors is not None
        if state.factors is not None:
            if len(state.factors) != self.factors.shape[1]:
                raise ValueError(f"it has {len(state.factors)} rating factors, not {self.factors.shape[1]}")
            self.factors[slot] = state.factors
        self.totals.set_row(slot, *state.windows.columns(state.windows.totals))
        self.buckets.set_row(slot, *state.windows.columns(state.windows.buckets))
        if state.waiting is not None:
            self.waiting_rows.put(slot, state.waiting)
        return slot

    def _read(self, slot: int) -> UserState:
        state = UserState()
        self._read_items(slot, state)
        state.event_ids = dict.fromkeys(self.event_ids[slot, : self.n_event_ids[slot]].tolist())
        state.waiting = self.waiting_rows.read(slot)
        state.windows.totals = dict(zip(*(column.tolist() for column in self.totals.row(slot)), strict=True))
        state.windows.buckets = dict(zip(*(column.tolist() for column in self.buckets.row(slot)), strict=True))
        return state

    def _read_items(self, slot: int, state: UserState) -> None:
        state.n_events, state.last_offset = int(self.n_events[slot]), int(self.last_offsets[slot])
        state.last_ms = int(self.last_ms[slot])
        n, ids = self.n_recent[slot], self.recent_ids[slot]
        recent = map(ids.__getitem__, self.recent[slot, :n].tolist())
        state.recent = list(zip(recent, self.recent_weights[slot, :n].tolist(), strict=True))
        state.recent_ms = self.recent_ms[slot, :n].tolist()
        seen, words = self.seen.row(slot)
        state.seen, state.words = seen.copy(), words.copy()
        state.n_seen = len(state.seen)
        state.factors = self.factors[slot].copy() if self.has_factors[slot] else None

    def _clear(self, slot: int) -> None:
        self.n_events[slot] = self.n_event_ids[slot] = self.n_recent[slot] = self.last_ms[slot] = 0
        self.has_factors[slot] = False
        self.recent_ids[slot] = {}
        for pool in (self.seen, self.totals, self.buckets):
            pool.clear(slot)
        self.waiting_rows.drop(slot)

    def _grow(self, n_slots: int) -> None:
        if n_slots > len(self.hashes):
            size = max(n_slots, 2 * len(self.hashes))
            for name in _BY_SLOT:
                setattr(self, name, longer(getattr(self, name), size))
        for pool in (self.seen, self.totals, self.buckets):
            pool.grow(n_slots)
