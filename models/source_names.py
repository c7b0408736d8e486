"""The sources of lists by their names, and what they may count."""

from typing import Final

CO_OCCURRENCE, HISTORY, POPULARITY = "co_occurrence", "history", "popularity"
SOURCE_NAMES: Final = (CO_OCCURRENCE, HISTORY, POPULARITY)
MAX_WEIGHT: Final = 1e6
