"""The sources of lists by their names, and what they may count."""

from typing import Final

CO_OCCURRENCE, HISTORY, POPULARITY, RATINGS = "co_occurrence", "history", "popularity", "ratings"
LAST_ITEM, DIRECTED = "last_item", "directed"
AGAIN_LAST, AGAIN_OFTEN = "again_last", "again_often"
SOURCE_NAMES: Final = (CO_OCCURRENCE, HISTORY, POPULARITY, LAST_ITEM, DIRECTED, RATINGS, AGAIN_LAST, AGAIN_OFTEN)
TRENDING = "trending"
"""What trends: no source of lists that a history leads to, but of those of newcomers."""

MAX_WEIGHT: Final = 1e6
