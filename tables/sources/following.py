"""What follows: the transition from the user's last item, and directed pairs with the last ten."""

from typing import Final

from models.list_following import name_reasons, propose_following
from models.proposals import Proposals
from models.source_names import DIRECTED, LAST_ITEM
from tables.sources.source import Asked, Because, Ints


class Follows:
    """Directed pairs of all shares (`models.following`), read from the last item alone and from the last ones."""

    names: Final = (LAST_ITEM, DIRECTED)

    def propose(self, asked: Asked, rows: Proposals) -> Because:
        """As of `Source`; explained by the items of the history that the proposed one follows."""
        view = asked.view
        settings = view.shares[asked.number].following.settings
        shares, place_of = view.following()
        context = propose_following(
            shares,
            (view.hashes, view.keys, view.known_norm, view.candidate_norm, view.allowed),
            view.sums(),
            asked.recent,
            asked.weights,
            settings.n_back,
            settings.decay,
            asked.seen,
            asked.n_seen + len(view.hidden),
            *rows,
        )

        def because(items: Ints, places: Ints, reasons: Ints) -> None:
            name_reasons(shares, context, items, places, place_of, reasons)

        return because
