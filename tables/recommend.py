"""The published list: sources propose, a blend weighs them, the filler stands behind, and stages re-rank."""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Final

import numpy as np
import numpy.typing as npt

from models.blend import BLENDS
from models.list_reasons import N_REASONS
from models.proposals import Proposals, Ranked, space_for
from tables.list_json import ListItem
from tables.list_settings import ListSettings
from tables.sources.again import Again
from tables.sources.following import Follows
from tables.sources.learned import Learned
from tables.sources.popular import Popular
from tables.sources.rated import Rated
from tables.sources.source import Asked, Because, Returns, Source, asked
from tables.stages.behind import Behind
from tables.stages.per_category import PerCategory
from tables.stages.stage import MakeStage
from tables.user_state import UserState
from tables.view import Filler, ItemView

SOURCES: Final[tuple[Source, ...]] = (Learned(), Follows(), Popular(), Rated(), Again())
STAGES: Final[Mapping[str, MakeStage]] = {PerCategory.name: PerCategory.of}
"""In the order that they run: what makes each from settings, None where they do not ask for it."""

N_CANDIDATES: Final = 200  # of the blend for stages, and as many of the filler; or four times the list


class Recommender:
    """Makes lists by some settings; for one thread.

    Parameters
    ----------
    sources
        Those to be asked, if they have a weight.
    stages
        What makes those to be run, if settings ask for them. Without any, the blend ranks no more than the list.

    Attributes
    ----------
    names
        The sources that are asked, in the order of `proposals`.
    proposals
        Of the last list, to be read before the next.
    """

    def __init__(
        self,
        settings: ListSettings,
        sources: Sequence[Source] = SOURCES,
        stages: Mapping[str, MakeStage] = STAGES,
    ) -> None:
        self.settings = settings
        self._sources = [source for source in sources if any(settings.weight(name) > 0.0 for name in source.names)]
        self.names = tuple(name for source in self._sources for name in source.names)
        self._weights = np.array([settings.weight(name) for name in self.names], np.float64)
        self._blend = BLENDS[settings.blend]
        self.proposals = space_for(len(self.names), settings.depth)
        self._rows = self._rows_of_sources()
        self._returns = Returns.of(settings.returning)
        self._stages = [stage for make in stages.values() if (stage := make(settings)) is not None]
        self._behind = Behind(self.names)
        self._place_of: npt.NDArray[np.int32] = np.full(64, -1, np.int32)

    def _rows_of_sources(self) -> list[tuple[Source, int, Proposals]]:
        rows, first = [], 0
        for source in self._sources:
            rows.append((source, first, self.proposals.rows(first, len(source.names))))
            first += len(source.names)
        return rows

    def recommend(
        self,
        view: ItemView,
        number: int,
        user: UserState,
        k: int,
        filler: Filler,
        weights: npt.NDArray[np.float64] | None = None,
    ) -> list[ListItem]:
        """The `k` best items for a user of partition `number`, each with its source and up to two reasons.

        `weights`, shape (number of `names`,), are those of the settings if none are given. Nothing that the user has
        seen is offered, unless settings let it return, or there is nothing else.

        By the weights of `tables.fold_lists`, with one partition and nothing forbidden, it is the fold's own list, down
        to where the filler begins: that is by trend here, and by popularity there. (Ids that begin with the same 16
        bytes and score the same go by hash here, and by slot there.)
        """
        if len(view.weight) > len(self._place_of):
            self._place_of = np.full(len(view.weight), -1, np.int32)
        request = asked(view, number, user, filler, self.settings.look, self._returns)
        speakers: list[tuple[Because, int, int]] = []
        for source, first, rows in self._rows:
            because = source.propose(request, rows)
            if because is not None:
                speakers.append((because, first, first + len(source.names)))
        n_wanted = max(N_CANDIDATES, 4 * k) if self._stages else k
        most = min(n_wanted, len(self.names) * self.settings.depth)
        ranked = self._blend.rank(
            self.proposals, self._weights if weights is None else weights, view.keys, self._place_of, most
        )
        names: Sequence[str] = self.names
        if self._stages:
            ranked, names = self._staged(ranked, request, k, n_wanted), self._behind.labels
        reasons = np.empty((ranked.n, N_REASONS), np.int32)
        reasons.fill(-1)
        for because, first, end in speakers:
            because(ranked.items, np.ascontiguousarray(ranked.places[:, first:end]), reasons)
        recent = user.recent
        columns = (
            map(view.ids.__getitem__, ranked.items.tolist()),
            ranked.scores.tolist(),
            map(names.__getitem__, ranked.sources.tolist()),
            [
                () if one < 0 else (recent[one][0],) if other < 0 else (recent[one][0], recent[other][0])
                for one, other in reasons.tolist()
            ],
        )
        made = list(map(tuple.__new__, repeat(ListItem), zip(*columns, strict=True)))  # the constructor takes a detour
        filled = made if self._stages else view.fill(made, request.seen, k, filler)
        return filled or view.again(user, k, filler)

    def _staged(self, ranked: Ranked, request: Asked, k: int, n_behind: int) -> Ranked:
        """The list that stages make of what the blend ranked and the filler behind it."""
        ranked = self._behind.rank(ranked, request, self._place_of, n_behind)
        for stage in self._stages:
            ranked = stage.rank(ranked, request, k)
        return ranked.first(k)
