"""What was last written to each hash, so that only changed fields go out."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from app.store.connect import Value
from app.store.functions import HashChange
from models.errors import StateError

STAMP: Final = "updated_at_ms"


class WrittenHashes:
    """The hashes written last, at most `max_hashes`, the least recently written dropped first.

    It may be wrong about the server, at the price of one more call: a change names the `updated_at_ms` it builds on,
    and does not fit a hash that carries another.
    """

    def __init__(self, max_hashes: int) -> None:
        self._max_hashes = max_hashes
        self._written: OrderedDict[str, Mapping[str, Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._written)

    def change(self, key: str, fields: Mapping[str, Value]) -> HashChange:
        """From what was written last to `fields`; the whole hash if nothing is known.

        Raises
        ------
        StateError
            If `fields` has no `updated_at_ms`.
        """
        if STAMP not in fields:
            raise StateError(f"Hash {key!r} has no field {STAMP!r}, by which its writers tell versions apart. Add it.")
        before = self._written.get(key)
        if before is None:
            return whole(key, fields)
        changed = {field: value for field, value in fields.items() if field not in before or before[field] != value}
        gone = [field for field in before if field not in fields]
        return HashChange(key, str(before[STAMP]), changed, gone)

    def wrote(self, key: str, fields: Mapping[str, Value]) -> None:
        """Remember `fields` as what the server now holds."""
        self._written[key] = dict(fields)
        self._written.move_to_end(key)
        if len(self._written) > self._max_hashes:
            self._written.popitem(last=False)

    def forget(self, keys: Iterable[str]) -> None:
        """Know no more about these hashes: a write of them failed, and may have been applied all the same."""
        for key in keys:
            self._written.pop(key, None)

    def forget_all(self) -> None:
        """Know no more about any hash: the server was emptied."""
        self._written.clear()


def whole(key: str, fields: Mapping[str, Value]) -> HashChange:
    """Replace whatever is stored by `fields`."""
    return HashChange(key, "", fields, ())
