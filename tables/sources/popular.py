"""Popularity: the items that most people are for, the same for everybody but for what a user has seen.

A user of whom nothing is known gets none of it: the filler is made for such users (`tables.newcomers`).
"""

from typing import Final

from models.list_candidates import unseen
from models.proposals import Proposals
from models.source_names import POPULARITY
from tables.sources.source import Asked


class Popular:
    """The most popular items of `Asked.filler`, scored by how many people are for them."""

    names: Final = (POPULARITY,)

    def propose(self, asked: Asked, rows: Proposals) -> None:
        """As of `Source`; nothing of the user's own led to it."""
        view, popular = asked.view, asked.filler.popular
        if not len(asked.recent):
            rows.counts[0] = 0
            return
        rows.counts[0] = unseen(
            popular.items, popular.scores, view.hashes, view.allowed, asked.seen, rows.items[0], rows.scores[0]
        )
