"""Predicted ratings: what a user is expected to rate highest, of what pairs name and of what is popular."""

from typing import Final

from models.list_ratings import propose_rated
from models.proposals import Proposals
from models.source_names import RATINGS
from tables.sources.source import Asked


class Rated:
    """The rating model's word (biased matrix factorization, `models.factorization`), from rows of the own share.

    Its scores are a softmax of predicted ratings. Users without ratings get nothing. It counts nothing unless settings
    say so: who would rate an item highest is not who takes it next.
    """

    names: Final = (RATINGS,)

    def propose(self, asked: Asked, rows: Proposals) -> None:
        """As of `Source`; no item of the history led to it alone."""
        view, number, user = asked.view, asked.number, asked.user.factors
        if user is None:
            rows.counts[0] = 0
            return
        share = view.shares[number]
        rows.counts[0] = propose_rated(
            view.pairs()[0],
            list(view.shares).index(number),
            (view.hashes, view.keys, view.known_norm, view.candidate_norm, view.allowed),
            view.sums(),
            (share.hashes, share.ratings.rows, share.ratings.has_row),
            share.n_slots,
            user,
            asked.recent,
            asked.weights,
            asked.seen,
            view.settings.decay,
            asked.look,
            asked.filler.popular.items,
            rows.items[0],
            rows.scores[0],
        )
