"""A cut in the making: encoded slice by slice while events go on.

Items are copied when the cut begins; a user whom a new event is about to change is encoded first. So every value is as
it was when the cut began.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from tables.marker import Marker

Entry = tuple[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Cut:
    """One consistent cut: every dirty value (None: gone), the marker that belongs to them, and the lessons up to it."""

    marker: Marker
    users: list[Entry]
    items: list[Entry]
    n_bytes: int
    lessons: list[bytes] = field(default_factory=list)


class Cutting:
    """What is still to be encoded, and what has been.

    Parameters
    ----------
    users
        Ids of the users who had changed when the cut began.
    n_items
        How many items had.
    gone
        Entries of items that are no more.
    tail
        Entries that end the users' part: counters and marker.
    encode_user, encode_item
        Give the entry of a user as it is now, and of the n-th item as it was copied.
    lessons
        What the events since the last cut have taught.
    """

    def __init__(
        self,
        marker: Marker,
        users: dict[str, None],
        n_items: int,
        gone: list[Entry],
        tail: tuple[Entry, ...],
        encode_user: Callable[[str], Entry],
        encode_item: Callable[[int], Entry],
        lessons: list[bytes],
    ) -> None:
        self.marker = marker
        self.users = users
        self._n_items = n_items
        self._n_encoded = 0
        self._done_users: list[Entry] = []
        self._done_items = gone
        self._tail = tail
        self._encode_user = encode_user
        self._encode_item = encode_item
        self._lessons = lessons

    def save_user(self, user_id: str) -> None:
        """Encode a user now, if that is still to be done."""
        if user_id in self.users:
            del self.users[user_id]
            self._done_users.append(self._encode_user(user_id))

    def go_on(self, n: int) -> bool:
        """Encode up to `n` more; whether all is done."""
        until = min(self._n_items, self._n_encoded + n)
        self._done_items += map(self._encode_item, range(self._n_encoded, until))
        self._n_encoded = until
        if until == self._n_items:
            for user_id in list(islice(reversed(self.users), n)):
                self.save_user(user_id)
        return until == self._n_items and not self.users

    def finish(self) -> Cut:
        """The cut; whatever is left is encoded first."""
        while not self.go_on(1000):
            pass
        entries = (*self._done_users, *self._done_items)
        n_bytes = sum(len(key) + len(value or b"") for key, value in entries) + sum(map(len, self._lessons))
        return Cut(self.marker, [*self._done_users, *self._tail], self._done_items, n_bytes, self._lessons)
