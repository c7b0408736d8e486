"""Co-occurrence of all shares, and the history factors: two sources by one compiled call."""

from typing import Final

from models.list_kernel import ListNumbers, propose
from models.list_reasons import reasons_of
from models.proposals import Proposals
from models.source_names import CO_OCCURRENCE, HISTORY
from tables.sources.source import Asked, Because, Ints


class Learned:
    """What partitions learn from events.

    Co-occurrence (Sarwar et al. 2001, doi:10.1145/371920.372071, over a decayed history) is summed over the shares of
    all partitions; the softmax factor model of the history is the one learner's, which learns from all of them.
    """

    names: Final = (CO_OCCURRENCE, HISTORY)

    def propose(self, asked: Asked, rows: Proposals) -> Because:
        """As of `Source`; explained by the items of the history that give most."""
        view, factors = asked.view, asked.view.factors(asked.number)
        pairs, place_of = view.pairs()
        context = propose(
            pairs,
            factors.links,
            (view.hashes, view.keys, view.known_norm, view.candidate_norm, view.allowed),
            view.sums(),
            factors.arrays,
            factors.n_slots,
            asked.recent,
            asked.weights,
            asked.seen,
            asked.n_seen,
            ListNumbers(
                view.settings.decay,
                factors.decay,
                factors.n_history,
                factors.n_factors,
                asked.look,
                len(view.hidden),
            ),
            asked.filler.popular.items,
            *rows,
        )

        def because(items: Ints, places: Ints, reasons: Ints) -> None:
            slot_in, rows = factors.links[0], factors.arrays[2]
            size, decay = factors.n_factors, factors.decay
            reasons_of(pairs, slot_in, rows, size, decay, context, items, places, place_of, reasons)

        return because
