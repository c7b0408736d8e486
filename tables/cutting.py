"""A cut in the making: encoded slice by slice while events go on.

Whatever a new event is about to change is encoded first, so every value is as it was when the cut began.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tables.marker import Marker

Entry = tuple[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Cut:
    """One consistent cut: every dirty value (None: gone) and the marker that belongs to them."""

    marker: Marker
    users: list[Entry]
    items: list[Entry]
    n_bytes: int


class Cutting:
    """What is still to be encoded, and what has been.

    Parameters
    ----------
    users, slots
        Keys of the values that had changed when the cut began.
    gone
        Entries of items that are no more.
    tail
        Entries that end the users' part: counters and marker.
    encode_user, encode_item
        Give the entry of a key, as it is now; None for a slot that is free.
    """

    def __init__(
        self,
        marker: Marker,
        users: dict[str, None],
        slots: set[int],
        gone: list[Entry],
        tail: tuple[Entry, ...],
        encode_user: Callable[[str], Entry],
        encode_item: Callable[[int], Entry | None],
    ) -> None:
        self.marker = marker
        self.users = users
        self.slots = dict.fromkeys(sorted(slots))
        self._done_users: list[Entry] = []
        self._done_items = gone
        self._tail = tail
        self._encode_user = encode_user
        self._encode_item = encode_item

    def save_user(self, user_id: str) -> None:
        """Encode a user now, if that is still to be done."""
        if user_id in self.users:
            del self.users[user_id]
            self._done_users.append(self._encode_user(user_id))

    def save_items(self, slots: Iterable[int]) -> None:
        """Encode those of the slots that are still to be done."""
        for slot in slots:
            if slot in self.slots:
                del self.slots[slot]
                entry = self._encode_item(slot)
                if entry is not None:
                    self._done_items.append(entry)

    def go_on(self, n: int) -> bool:
        """Encode up to `n` more; whether all is done."""
        self.save_items(list(self.slots)[:n] if len(self.slots) > n else list(self.slots))
        if not self.slots:
            for user_id in list(self.users)[:n]:
                self.save_user(user_id)
        return not (self.slots or self.users)

    def finish(self) -> Cut:
        """The cut; whatever is left is encoded first."""
        while not self.go_on(1000):
            pass
        entries = (*self._done_users, *self._done_items)
        n_bytes = sum(len(key) + len(value or b"") for key, value in entries)
        return Cut(self.marker, [*self._done_users, *self._tail], self._done_items, n_bytes)
