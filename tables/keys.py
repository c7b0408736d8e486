"""Every Redis key name of the view, in one place (a public contract: others read these keys)."""

import re
from dataclasses import dataclass
from typing import Final

from models.errors import SettingsError

TRENDING_WINDOWS: Final = ("1h", "1d", "7d")
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9._-]{0,64}")


@dataclass(frozen=True, slots=True)
class Keys:
    """Key names under one namespace.

    Ids stand as they are, at the end of the key. They carry no braces (events with such ids are dead letters), so
    nobody can steer a Redis Cluster slot.

    Parameters
    ----------
    namespace
        Prefix of every key, followed by a colon; empty for none. Letters, digits, `.`, `_` and `-`, at most 64.
    prefix
        Stands before the namespace, as it is: what a server lets this application have.

    Raises
    ------
    SettingsError
        If the namespace has any other form.

    Examples
    --------
    >>> Keys().user_list("u1")
    'recs:user:u1'
    >>> Keys("shop-a").trending("1h", "books")
    'shop-a:trending:1h:books'
    """

    namespace: str = ""
    prefix: str = ""

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace):
            raise SettingsError(
                f"Namespace {self.namespace!r} cannot prefix Redis keys: only letters, digits, '.', '_' and '-', "
                "at most 64 characters. Use e.g. 'shop-a', or '' for none."
            )

    def _key(self, name: str) -> str:
        return f"{self.own_prefix}{name}"

    @property
    def own_prefix(self) -> str:
        """What every key begins with."""
        return f"{self.prefix}{self.namespace}:" if self.namespace else self.prefix

    def user_list(self, user_id: str) -> str:
        """A user's recommendation list: string, JSON (`tables.list_json`)."""
        return self._key(f"recs:user:{user_id}")

    def segment_list(self, segment: str) -> str:
        """The list of a demographic segment, for its users without a list of their own: string, JSON."""
        return self._key(f"recs:segment:{segment}")

    def default_list(self) -> str:
        """The list for everybody else: string, JSON."""
        return self._key("recs:default")

    def item_similarity(self, item_id: str) -> str:
        """An item's neighbours: sorted set, neighbour item_id -> similarity."""
        return self._key(f"item_similarity:{item_id}")

    def trending(self, window: str, category: str | None = None) -> str:
        """What is popular in a window, over all items or in one category: sorted set, item_id -> score.

        Raises
        ------
        SettingsError
            If `window` is not one of `TRENDING_WINDOWS`.
        """
        if window not in TRENDING_WINDOWS:
            raise SettingsError(
                f"Trending window {window!r} does not exist: use one of {', '.join(TRENDING_WINDOWS)}, e.g. '1h'."
            )
        return self._key(f"trending:{window}" if category is None else f"trending:{window}:{category}")

    def user_features(self, user_id: str) -> str:
        """A user's counts by event type and window: hash."""
        return self._key(f"user_features:{user_id}")

    def item_features(self, item_id: str) -> str:
        """An item's counts and catalogue fields: hash."""
        return self._key(f"item_features:{item_id}")

    def sentinel(self) -> str:
        """The mark by which writers notice that the server was emptied: string; of a cluster's nodes, its beginning."""
        return self._key("freshet:sentinel")

    def doctor_probe(self) -> str:
        """What `freshet doctor` writes and deletes, to see whether it may: string."""
        return self._key("freshet:sentinel:doctor")

    def read_patterns(self) -> tuple[str, ...]:
        """Globs of the keys that readers need, for rules of access."""
        names = ("recs:*", "item_similarity:*", "trending:*", "user_features:*", "item_features:*")
        return tuple(map(self._key, names))

    def written_patterns(self) -> tuple[str, ...]:
        """Globs of all keys here."""
        return (*self.read_patterns(), f"{self.sentinel()}*")
