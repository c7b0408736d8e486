"""Names of Redis keys and Kafka topics: the part of Freshet's contract that a client needs."""

import re
from dataclasses import dataclass
from typing import Final

from freshet_client.errors import SettingsError

TRENDING_WINDOWS: Final = ("1h", "1d", "7d")
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9._-]{0,64}")


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of one namespace, as bytes.

    Parameters
    ----------
    namespace
        `FRESHET_NAMESPACE` of the workers.
    prefix
        Their `FRESHET_KEY_PREFIX`.

    Raises
    ------
    SettingsError
        If no worker can have such a namespace.

    Examples
    --------
    >>> Keys("shop-a").user_list("u1")
    b'shop-a:recs:user:u1'
    """

    namespace: str = ""
    prefix: str = ""

    def __post_init__(self) -> None:
        check_namespace(self.namespace)

    def _key(self, name: str) -> bytes:
        own = f"{self.prefix}{self.namespace}:" if self.namespace else self.prefix
        # An id that is no UTF-8 (a lone surrogate out of JSON) makes a key that does not exist, not an exception.
        return f"{own}{name}".encode("utf-8", "surrogatepass")

    def user_list(self, user_id: str) -> bytes:
        """A user's list."""
        return self._key(f"recs:user:{user_id}")

    def segment_list(self, segment: str) -> bytes:
        """The list of a segment."""
        return self._key(f"recs:segment:{segment}")

    def default_list(self) -> bytes:
        """The list for everybody else."""
        return self._key("recs:default")

    def item_similarity(self, item_id: str) -> bytes:
        """An item's neighbours."""
        return self._key(f"item_similarity:{item_id}")

    def trending(self, window: str, category: str | None) -> bytes:
        """What trends in a window, over all items or in one category.

        Raises
        ------
        SettingsError
            If there is no such window.
        """
        if window not in TRENDING_WINDOWS:
            raise SettingsError(
                f"Trending window {window!r} does not exist: use one of {', '.join(TRENDING_WINDOWS)}, e.g. '1h'."
            )
        return self._key(f"trending:{window}" if category is None else f"trending:{window}:{category}")

    def user_features(self, user_id: str) -> bytes:
        """A user's features."""
        return self._key(f"user_features:{user_id}")

    def item_features(self, item_id: str) -> bytes:
        """An item's features and catalogue fields."""
        return self._key(f"item_features:{item_id}")


def topic(name: str, namespace: str, prefix: str) -> str:
    """A topic's name in a namespace.

    Examples
    --------
    >>> topic("user_events", "shop", "")
    'shop.user_events'
    """
    check_namespace(namespace)
    return f"{prefix}{namespace}.{name}" if namespace else f"{prefix}{name}"


def check_namespace(namespace: str) -> None:
    """Refuse a namespace that no worker can have.

    Raises
    ------
    SettingsError
        If it has other characters than allowed, or too many.
    """
    if not _NAMESPACE.fullmatch(namespace):
        raise SettingsError(
            f"Namespace {namespace!r} cannot prefix names: only letters, digits, '.', '_' and '-', at most 64 "
            "characters. Use that of the workers, e.g. 'shop-a', or '' for none."
        )
