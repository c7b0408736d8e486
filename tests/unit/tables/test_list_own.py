"""How much of a list is its user's own."""

import pytest

from models.evaluation import CO_OCCURRENCE, HISTORY
from tables.list_json import ListItem
from tables.view import POPULARITY, TRENDING, n_own


@pytest.mark.parametrize(
    ("sources", "n"),
    [
        ([], 0),
        ([CO_OCCURRENCE, HISTORY], 2),
        ([CO_OCCURRENCE, TRENDING, POPULARITY], 1),
        ([TRENDING, HISTORY, POPULARITY, CO_OCCURRENCE], 2),
        ([TRENDING] * 3, 0),
    ],
)
def test_items_of_the_filler_do_not_count(sources: list[str], n: int) -> None:
    """Whatever stands where, and whatever scores what."""
    assert n_own([ListItem(f"i{place}", 1.0, source, ()) for place, source in enumerate(sources)]) == n
