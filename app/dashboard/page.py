"""What a page is, and what it is drawn from."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from htpy import Node

from app.dashboard.board import Board
from app.dashboard.clicks import Clicks
from app.dashboard.letters import Letters
from app.dashboard.lookup import Lookup
from app.settings import Settings

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where all pages get what they show."""

    settings: Settings
    board: Board
    lookup: Lookup
    clicks: Clicks
    letters: Letters


@dataclass(frozen=True, slots=True)
class Asked:
    """What one page is asked for.

    Parameters
    ----------
    form
        What each form that changes something has to hold.
    """

    sources: Sources
    query: Query
    form: str

    def text(self, name: str) -> str:
        """A parameter of the query; empty if it is not there."""
        return self.query.get(name, "").strip()


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Parameters
    ----------
    about
        What it answers, in one sentence.
    parameters
        Of its query; others are ignored.
    head
        What stands above and is not kept up to date: forms above all.
    parts
        What is kept up to date, by name, in order.
    lively
        Whether it shows events as they come.
    """

    path: str
    title: str
    icon: str
    about: str
    parts: Callable[[Asked], Awaitable[Mapping[str, Node]]]
    head: Callable[[Asked], Node] = lambda asked: None
    parameters: tuple[str, ...] = ()
    lively: bool = False

    def query(self, given: Query) -> Query:
        """The parameters that it knows."""
        return {name: given[name] for name in self.parameters if given.get(name)}
