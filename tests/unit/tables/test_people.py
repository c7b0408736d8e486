"""People, words and histories of a whole log, as plain Python counts them."""

from dataclasses import dataclass, field

import pytest

from models.event_types import RATING
from models.events import Event, decode
from models.ids import hash64
from models.words import AGAINST, FOR, NEITHER, stance_of, time_of
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tests.logs import made_log
from tests.saved import folded

SETTINGS = FoldSettings()
RULES = SETTINGS.rules


@dataclass
class Plainly:
    """What each user last said of each item, and the history that follows."""

    words: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    histories: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """One more event."""
        if not RULES.is_seen(event):
            return
        pair = event.user_id, event.item_id
        stance = FOR if RULES.is_positive(event) else AGAINST if RULES.is_negative(event) else NEITHER
        if event.timestamp_ms < self.words.get(pair, (0, 0))[0]:
            return
        self.words[pair] = event.timestamp_ms, stance
        others = [entry for entry in self.histories.get(event.user_id, []) if entry[1] != event.item_id]
        if stance != AGAINST and RULES.weight(event) > 0:
            place = sum(time_ms <= event.timestamp_ms for time_ms, _ in others)
            others = [*others[:place], (event.timestamp_ms, event.item_id), *others[place:]]
            others = others[-SETTINGS.cooccurrence.n_history :]
        self.histories[event.user_id] = others

    def people(self, item_id: str, stance: int) -> int:
        """How many hold it so."""
        return sum(said == stance for (_, of), (_, said) in self.words.items() if of == item_id)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_people_and_histories_are_as_plain_python_has_them(seed: int) -> None:
    """Over late and early events, ratings of all values, likes and dislikes; nothing counts twice."""
    log, plainly = made_log(seed, 3_000, n_users=25, n_items=50), Plainly()
    state, alone = folded(log), PartitionState(0, 1, SETTINGS)
    for each in log:
        if isinstance(alone.fold(*each), str):
            plainly.take(decode(each.key, each.value, each.timestamp, RULES))

    items = state.items
    assert RATING in RULES.types and len(plainly.words) > 500
    for item_id, slot in items.slots.items():
        expected = plainly.people(item_id, FOR), plainly.people(item_id, AGAINST)
        assert (items.n_for[slot], items.n_against[slot]) == expected
        assert items.offered[slot] == (expected[1] <= expected[0])
        assert (items.candidate_norm[slot] > 0) <= items.offered[slot]
    for user_id in state.users:
        user = state.users.get(user_id)
        assert user is not None
        expected_history = plainly.histories.get(user_id, [])
        assert [item_id for item_id, _ in user.recent] == [item_id for _, item_id in expected_history]
        assert user.recent_ms == [time_ms for time_ms, _ in expected_history]
        said = {hash64(item): word for (by, item), word in plainly.words.items() if by == user_id}
        words = zip(user.seen.tolist(), user.words, strict=True)
        assert {item: (time_of(word), stance_of(word)) for item, word in words} == said
