"""Published lists made step by step in Python over the view's arrays: what `tables.recommend` has to give."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.history_factors import HistoryFactors
from models.ids import hash64, order_key
from models.words import AGAINST, FOR, NEITHER
from tables.items import ItemShares
from tables.list_json import ListItem
from tables.user_state import UserState
from tables.view import Filler, ItemView
from tests import factors
from tests.rank_fusion import RankFusion, fuse
from tests.slow_kernels import accumulate, select
from tests.users import counted

CO_OCCURRENCE, HISTORY = "co_occurrence", "history"


def in_order(item_id: str) -> tuple[int, ...]:
    """What equal scores go by."""
    return *order_key(item_id), hash64(item_id)


@dataclass
class SlowLists:
    """Lists for the users of one share of a view."""

    view: ItemView
    share: ItemShares
    fusion: RankFusion

    def recommend(self, user: UserState, k: int, filler: Filler) -> list[ListItem]:
        """The `k` best items for a user, each with its source and up to two reasons."""
        fusion, depth = self.fusion, self.fusion.depth
        paired = {item.item_id: item for item in self.paired(user, depth)}
        n_asked = depth + min(depth, len(self.view.hidden))  # items unwanted elsewhere alone are not asked for twice
        near = dict([entry for entry in self.near(user, n_asked) if self._may_offer(entry[0])][:depth])
        chosen = []
        weights = (fusion.cooccurrence_weight, fusion.history_weight)
        places = {item_id: place for place, item_id in enumerate(paired)}
        near_places = {item_id: place for place, item_id in enumerate(near)}
        fused = fuse([list(paired), list(near)], weights, depth, 2 * depth)
        for item_id, score in sorted(fused, key=lambda entry: (-entry[1], in_order(entry[0])))[:k]:
            by_pairs = weights[0] * (depth - places.get(item_id, depth))
            by_factors = weights[1] * (depth - near_places.get(item_id, depth))
            known = paired.get(item_id)
            because = known.because if known else self.because(user, near[item_id])
            chosen.append(ListItem(item_id, score, CO_OCCURRENCE if by_pairs >= by_factors else HISTORY, because))
        return self._fill(chosen, user, k, filler)

    def paired(self, user: UserState, k: int) -> list[ListItem]:
        """By co-occurrence alone."""
        view = self.view
        known, factors, because, factor = [], [], [], 1.0
        for item_id, weight in reversed(counted(user)):
            number = view.index.get(item_id)
            if number is not None:
                known.append(number)
                factors.append(factor * weight * float(view.known_norm[number]))
                because.append(item_id)
            factor *= view.settings.decay
        if not known:
            return []
        size, n_touched = len(view.weight), 0
        scores, touched = np.zeros(size, np.float64), np.zeros(size, np.int32)
        best, best_source = np.zeros((size, 2), np.float64), np.zeros((size, 2), np.int32)
        for partition, share in view.shares.items():
            rows, pairs = view.slot_in[partition][known], share.pairs
            n_touched = accumulate(
                pairs.neighbours,
                pairs.weights,
                pairs.start,
                pairs.length,
                rows,
                np.array(factors, np.float64),
                view.to_item[partition],
                scores,
                touched,
                n_touched,
                best,
                best_source,
            )
        items, values = select(
            scores,
            touched,
            n_touched,
            view.candidate_norm,
            view.allowed,
            view.hashes,
            user.seen,
            user.n_seen,
            k,
            np.zeros(1 << max(6, (2 * user.n_seen).bit_length()), np.uint64),
        )
        ranked = sorted(zip(items.tolist(), values.tolist()), key=lambda pair: (-pair[1], in_order(view.ids[pair[0]])))
        return [
            ListItem(
                view.ids[item],
                score,
                CO_OCCURRENCE,
                tuple(because[source] for source in best_source[item].tolist() if source >= 0),
            )
            for item, score in ranked[:k]
        ]

    def near(self, user: UserState, k: int) -> list[tuple[str, int]]:
        """Ids and slots by the factor model alone."""
        slots, weights = self._history(user)
        model, known = self.model, self.slots
        scores = factors.scores(model, slots, weights, max(known.values(), default=0) + 1)
        if not np.isfinite(scores).any():
            return []
        seen = set(user.seen[: user.n_seen].tolist())
        offered = [(item_id, slot) for item_id, slot in known.items() if hash64(item_id) not in seen]
        offered = [entry for entry in offered if self._is_offered(*entry)]
        return sorted(offered, key=lambda entry: (-scores[entry[1]], order_key(entry[0]), entry[1]))[:k]

    @property
    def model(self) -> HistoryFactors:
        """The rows of factors: the learner's, or the share's own."""
        return self.share.history if self.view.learned is None else self.view.learned.rows.factors

    @property
    def slots(self) -> dict[str, int]:
        """The slot of each item that has a row there."""
        if self.view.learned is None:
            return self.share.slots
        slots = self.view.learned.rows.slots
        known = [item_id for number, item_id in enumerate(self.view.ids) if self.view.taken_to[number]]
        return {item_id: slots[hash64(item_id)] for item_id in known if hash64(item_id) in slots}

    def _is_offered(self, item_id: str, slot: int) -> bool:
        if self.view.learned is None:
            return bool(self.share.offered[slot])
        return not self.view.unwanted[self.view.index[item_id]]

    def because(self, user: UserState, slot: int) -> tuple[str, ...]:
        """The two items of the history that speak most for a slot, by the factor model."""
        history, (slots, weights) = self.model, self._history(user)
        n_factors = history.settings.n_factors
        steps = history.settings.decay ** np.arange(len(slots) - 1, -1, -1)
        gains = (history.rows[slots, :n_factors] @ history.rows[slot, :n_factors]) * weights * steps
        best = np.argsort(-gains, kind="stable")[:2]
        ids = {known: item_id for item_id, known in self.slots.items()}
        return tuple(ids[slots[place]] for place in best.tolist() if gains[place] > 0)

    def _history(self, user: UserState) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        slots = self.slots
        known = [(slots[item_id], weight) for item_id, weight in counted(user) if item_id in slots]
        return np.array([slot for slot, _ in known], np.int32), np.array([weight for _, weight in known], np.float64)

    def _may_offer(self, item_id: str) -> bool:
        number = self.view.index.get(item_id)
        return number is not None and bool(self.view.allowed[number])

    def _fill(self, chosen: list[ListItem], user: UserState, k: int, filler: Filler) -> list[ListItem]:
        taken = {item.item_id for item in chosen}
        seen = set(user.seen[: user.n_seen].tolist())
        scale = chosen[-1].score / filler.items[0][1] if chosen and filler.items else 1.0
        for item, score, source in filler.items:
            item_id = self.view.ids[item]
            is_new = item_id not in taken and int(self.view.hashes[item]) not in seen
            if len(chosen) < k and is_new and self._may_offer(item_id):
                chosen.append(ListItem(item_id, scale * score, source, ()))
        known = [(self.view.ids[item], score, source) for item, score, source in filler.items]
        words = dict(zip(user.seen[: user.n_seen].tolist(), user.words[: user.n_seen].tolist(), strict=True))
        again: list[ListItem] = []
        for stances in ((FOR,), (FOR, NEITHER), (FOR, NEITHER, AGAINST)):
            again = again or [
                ListItem(item_id, score, source, ())
                for item_id, score, source in known
                if self._may_offer(item_id) and words.get(hash64(item_id), NEITHER) & 3 in stances
            ]
        return chosen or again[:k]
