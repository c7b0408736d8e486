"""Co-occurrence of all shares, and the history factors of the user's own: two sources by one compiled call."""

from typing import Final

from models.list_kernel import ListNumbers, propose
from models.list_reasons import reasons_of
from models.proposals import Proposals
from models.source_names import CO_OCCURRENCE, HISTORY
from tables.sources.source import Asked, Because, Ints


class Learned:
    """What partitions learn from events.

    Co-occurrence (Sarwar et al. 2001, doi:10.1145/371920.372071, over a decayed history) is summed over the shares of
    all partitions; the softmax factor model of the history is the own partition's.
    """

    names: Final = (CO_OCCURRENCE, HISTORY)

    def propose(self, asked: Asked, rows: Proposals) -> Because:
        """As of `Source`; explained by the items of the history that give most."""
        view, number = asked.view, asked.number
        share = view.shares[number]
        history, settings = share.history, share.history.settings
        pairs, place_of = view.pairs()
        own = list(view.shares).index(number)
        context = propose(
            pairs,
            own,
            (view.hashes, view.keys, view.known_norm, view.candidate_norm, view.allowed),
            view.sums(),
            (share.hashes, share.keys, history.rows, history.blocks, history.live, history.stale, share.offered),
            share.n_slots,
            asked.recent,
            asked.weights,
            asked.seen,
            asked.n_seen,
            ListNumbers(
                view.settings.decay,
                settings.decay,
                settings.n_history,
                settings.n_factors,
                asked.look,
                len(view.hidden),
            ),
            asked.filler.popular.items,
            *rows,
        )

        def because(items: Ints, places: Ints, reasons: Ints) -> None:
            size, decay = settings.n_factors, settings.decay
            reasons_of(pairs, own, history.rows, size, decay, context, items, places, place_of, reasons)

        return because
