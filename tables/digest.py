"""Digests of a state: what two runs over the same log must agree on, bit for bit."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import orjson

from tables.partition import PartitionState


def digests(states: Iterable[PartitionState]) -> dict[str, str]:
    """SHA-256 of users, items, metrics and of every user's list made from the partition's own shares.

    Offsets, list ids and measured times stand in none of them; `all` is the digest of the others. Entries are sorted
    by (partition, key).
    """
    parts = {name: sha256() for name in ("users", "items", "metrics", "lists")}
    for state in sorted(states, key=lambda state: state.number):
        for name, entries in _entries(state).items():
            for key in sorted(entries):
                parts[name].update(orjson.dumps([state.number, key, entries[key]], option=orjson.OPT_SORT_KEYS))
    found = {name: part.hexdigest() for name, part in parts.items()}
    return {"all": sha256("".join(found.values()).encode()).hexdigest(), **found}


def _entries(state: PartitionState) -> Mapping[str, Mapping[str, object]]:
    users: dict[str, object] = {}
    lists: dict[str, object] = {}
    for user_id in state.users:
        user = state.users.get(user_id)
        assert user is not None
        users[user_id] = user.canonical()
        found = state.evaluator.lists.sources(user)
        lists[user_id] = {name: [state.items.ids[slot] for slot in slots.tolist()] for name, slots in found.items()}
    return {
        "users": users,
        "items": {item_id: state.items.canonical(slot) for item_id, slot in state.items.slots.items()},
        "metrics": {**state.metrics.counts, **state.evaluator.stored()},
        "lists": lists,
    }
