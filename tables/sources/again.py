"""Again: what the user has had, by when and by how often, of the types of events that settings let return."""

from typing import Final

from models.list_again import had_before, propose_again
from models.proposals import Proposals
from models.source_names import AGAIN_LAST, AGAIN_OFTEN
from tables.sources.source import Asked


class Again:
    """The user's own items, of types with `allow_repeats`: the last ones, and those had most often.

    What was said against, or taken back, does not return. Without such types both propose nothing.
    """

    names: Final = (AGAIN_LAST, AGAIN_OFTEN)

    def propose(self, asked: Asked, rows: Proposals) -> None:
        """As of `Source`, but of items that the user has seen; each is its own reason."""
        view, user, kinds = asked.view, asked.user, asked.again
        if not kinds.any() or not user.n_seen:
            rows.counts[:] = 0
            return
        share = view.shares[asked.number]
        had = had_before(
            user.seen[: user.n_seen],
            user.words[: user.n_seen],
            kinds,
            (*share.indexed, view.to_item[asked.number]),
            (view.hashes, view.allowed),
        )
        propose_again(*had, view.keys, *rows)
