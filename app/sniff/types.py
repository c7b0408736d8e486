"""What other people call the types of events."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from models.event_types import DEFAULT_TYPES

_OURS: Final[Mapping[str, str]] = {
    name: ours
    for ours, names in {
        "impression": "impression impressions shown show display viewitemlist productlistviewed",
        "view": "view views pv detail detailview viewitem productviewed productview viewed listen play watch",
        "click": "click clicks clicked clickout clickoutitem selectitem productclicked open",
        "add_to_cart": "addtocart cart carts addcart basket addtobasket productadded addedtocart",
        "purchase": "purchase purchased buy buys order orders ordercompleted transaction transactions",
        "rating": "rating rate rated review stars",
        "like": "like liked fav favorite favourite favorited wishlist addtowishlist save saved bookmark upvote",
        "dislike": "dislike disliked downvote",
        "skip": "skip skipped",
    }.items()
    for name in names.split()
}


def aliases(types: Iterable[str]) -> dict[str, str]:
    """Their type -> ours, where it is not called so; "" where no meaning is known for it."""
    return {theirs: _ours(theirs) for theirs in types if theirs not in DEFAULT_TYPES}


def _ours(theirs: str) -> str:
    """By the whole of the name, else by what stands behind its last dot."""
    names = (re.sub(r"[^a-z0-9]", "", part.lower()) for part in (theirs, theirs.rpartition(".")[2]))
    return next((_OURS[name] for name in names if name in _OURS), "")
