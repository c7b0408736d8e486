"""The sources of lists by their names, and what they may count."""

from typing import Final

CO_OCCURRENCE, HISTORY, POPULARITY, RATINGS = "co_occurrence", "history", "popularity", "ratings"
LAST_ITEM, DIRECTED = "last_item", "directed"
SOURCE_NAMES: Final = (CO_OCCURRENCE, HISTORY, POPULARITY, LAST_ITEM, DIRECTED, RATINGS)
MAX_WEIGHT: Final = 1e6
