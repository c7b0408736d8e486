"""The pages, in the order of the menu."""

from typing import Final

from app.dashboard.page import Page
from app.dashboard.pages.items import ITEMS
from app.dashboard.pages.letters import LETTERS
from app.dashboard.pages.overview import OVERVIEW
from app.dashboard.pages.people import PEOPLE
from app.dashboard.pages.quality import QUALITY
from app.dashboard.pages.settings import SETTINGS
from app.dashboard.pages.stream import STREAM
from app.dashboard.pages.trending import TRENDING

PAGES: Final[tuple[Page, ...]] = (OVERVIEW, STREAM, QUALITY, PEOPLE, ITEMS, TRENDING, LETTERS, SETTINGS)
