"""What each partition sees of the items: its own share as it is, the others' and the factors as they were before."""

from collections.abc import Mapping, Sequence

import numpy as np

from tables.categories import main_category
from tables.factor_rows import FactorRows
from tables.fold_settings import FoldSettings
from tables.item_codec import encode_item
from tables.items import ItemShares
from tables.learner import LearnerState
from tables.linked_factors import LinkedFactors
from tables.partition import PartitionState
from tables.view import ItemView


class LaggingShare:
    """A copy of a partition's share, as a reader of its checkpoints has it."""

    def __init__(self, share: ItemShares, settings: FoldSettings) -> None:
        self._share = share
        models = (settings.cooccurrence, settings.ratings, settings.history, settings.following)
        self.copy = ItemShares(*models, learned=False)

    def catch_up(self) -> None:
        """Take over all that has changed, through the very bytes that checkpoints hold."""
        share, copy = self._share, self.copy
        for item_id in copy.slots.keys() - share.slots.keys():
            copy.apply(item_id, None)
        changed = share.copies(share.take_dirty())
        for place, slot in enumerate(changed.slots.tolist()):
            copy.apply(share.ids[slot] or "", encode_item(changed, place))


class LaggingFactors:
    """The one learner of several partitions, and its rows as a reader of its checkpoints has them.

    Partitions hand over, the learner learns and readers read one after the other, each at its own pace: so rows are
    read at an exchange as they were at the one before.
    """

    def __init__(self, states: Sequence[PartitionState], settings: FoldSettings) -> None:
        self._states = states
        self._learner = LearnerState(settings)
        self.copy = FactorRows(settings.history)

    def catch_up(self) -> None:
        """Read what is learned, then learn what partitions have handed over since, in their order."""
        for key, row in self._learner.take_changed():
            self.copy.apply(key.decode(), row)
        for state in self._states:
            for lessons in state.take_lessons():
                self._learner.take(lessons)


class PartitionViews:
    """The item view of every partition, in lockstep.

    Lagging copies are shared by all views that read them: what partitions cost here is one copy of each share, and in
    each view a few numbers per item and share. Of several partitions the factors are one learner's.

    Parameters
    ----------
    every
        Events of the log after which what others did becomes visible.
    """

    def __init__(self, states: Sequence[PartitionState], settings: FoldSettings, every: int) -> None:
        self._every = every
        self._due = every
        self._lagging = [LaggingShare(state.items, settings) for state in states] if len(states) > 1 else []
        self._factors = LaggingFactors(states, settings) if len(states) > 1 else None
        self._views = [ItemView(settings.cooccurrence) for _ in states]
        for number, view in enumerate(self._views):
            shares = {other: lagging.copy for other, lagging in enumerate(self._lagging)}
            view.set_shares(shares | {number: states[number].items})
            if self._factors is not None:
                view.learned = LinkedFactors(self._factors.copy)

    def categorize(self, categories: Mapping[str, Sequence[str]]) -> None:
        """Tell every view of which category each item is."""
        for view in self._views:
            for item_id, names in categories.items():
                view.categorize(item_id, main_category(names))

    def view(self, number: int) -> ItemView:
        """A partition's view, up to date with its own share."""
        view = self._views[number]
        view.sync()
        return view

    def advance(self, n_events: int) -> None:
        """Say how many events of the log are folded; lets views see the others' progress when it is time."""
        if self._lagging and n_events >= self._due:
            self._due = n_events + self._every
            self.exchange()

    def exchange(self) -> None:
        """Let every view see all shares as they are now, and the factors as they were the last time."""
        if self._factors is not None:
            self._factors.catch_up()
        for lagging in self._lagging:
            lagging.catch_up()
        changed = [np.flatnonzero(lagging.copy.touched) for lagging in self._lagging]
        for view in self._views:  # each takes the marks away
            for lagging, slots in zip(self._lagging, changed, strict=True):
                lagging.copy.touched[slots] = True
            view.sync()
