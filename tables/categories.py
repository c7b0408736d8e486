"""Which category each item is of, as a number."""

from collections.abc import Sequence


def main_category(names: Sequence[str]) -> str | None:
    """The category that counts of all that an item has: the first; None without any."""
    return names[0] if names else None


class Categories:
    """Items and their category; those of items without one are not kept.

    A category's number is given to another one when no item is of it any more, so numbers stay below the most
    categories that there were at once.

    Examples
    --------
    >>> categories = Categories()
    >>> categories.put("sku-1", "light"), categories.put("sku-2", "home"), categories.put("sku-1", None)
    (0, 1, -1)
    >>> categories.of("sku-2"), categories.of("unknown")
    (1, -1)
    """

    def __init__(self) -> None:
        self._of: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._n_items: list[int] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many items have a category."""
        return len(self._of)

    def of(self, item_id: str) -> int:
        """The number of an item's category; -1: it has none."""
        return self._of.get(item_id, -1)

    def put(self, item_id: str, category: str | None) -> int:
        """Say which category an item is of, None: of none; returns its number."""
        before = self._of.pop(item_id, -1)
        if before >= 0:
            self._n_items[before] -= 1
            if not self._n_items[before]:
                del self._numbers[self._names[before]]
                self._free.append(before)
        if category is None:
            return -1
        number = self._of[item_id] = self._number(category)
        self._n_items[number] += 1
        return number

    def _number(self, category: str) -> int:
        number = self._numbers.get(category)
        if number is None:
            if self._free:
                number = self._free.pop()
                self._names[number] = category
            else:
                number = len(self._names)
                self._names.append(category)
                self._n_items.append(0)
            self._numbers[category] = number
        return number
