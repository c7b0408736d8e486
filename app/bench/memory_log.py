"""The log of `freshet bench memory`: made from a seed, every item of the catalogue touched at least once."""

from collections.abc import Iterator
from itertools import accumulate
from random import Random

import orjson

from app.bench.workload import DAY_MS, START_MS, TYPES

N_USERS = 5000
LEAST_MORE = 20_000
ITEM_EXPONENT = 0.8


class MemoryLog:
    """A view of each item, in random order, then as many events again (20,000 at least) as people are.

    They fall into one day. Items differ in popularity, users do not; ids of users and items are short.

    Parameters
    ----------
    n_items
        Size of the catalogue.
    """

    def __init__(self, n_items: int, n_users: int = N_USERS, seed: int = 0) -> None:
        self._n_items = n_items
        self._n_users = n_users
        self._seed = seed

    def __len__(self) -> int:
        return self._n_items + max(self._n_items, LEAST_MORE)

    def __iter__(self) -> Iterator[bytes]:
        """Each event, JSON; equal arguments give equal bytes."""
        random, n_more = Random(self._seed), len(self) - self._n_items
        popularity = list(accumulate((rank + 1) ** -ITEM_EXPONENT for rank in range(self._n_items)))
        touched = random.sample(range(self._n_items), self._n_items)
        more = random.choices(range(self._n_items), cum_weights=popularity, k=n_more)
        types = random.choices(list(TYPES), list(TYPES.values()), k=n_more)
        for number, (item, event_type) in enumerate(zip([*touched, *more], ["view"] * self._n_items + types)):
            event: dict[str, object] = {
                "user_id": f"u{random.randrange(self._n_users)}",
                "item_id": f"i{item}",
                "event_type": event_type,
                "timestamp": START_MS + number * DAY_MS // len(self),
                "event_id": f"e{number}",
            }
            if event_type == "rating":
                event["value"] = random.randint(1, 5)
            yield orjson.dumps(event)
