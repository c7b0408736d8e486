"""API keys: how one is made, how the settings hold it, and who a request comes from."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.gateway_settings import KEY_FORM, SCOPES
from models.errors import SettingsError

BEGINNING = "fsk_"
"""What every key begins with, so that scanners for leaked secrets can find it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request.

    Parameters
    ----------
    name
        The name of the key; None where the gateway has no keys.
    """

    name: str | None
    scopes: frozenset[str]


EVERYBODY = Caller(None, frozenset(SCOPES))
"""The caller of a gateway without keys."""


def new_key(name: str, scopes: Sequence[str]) -> tuple[str, str]:
    """A random key of 256 bits, and the entry of `gateway_keys` that lets it in.

    Raises
    ------
    SettingsError
        If the entry could not be used.
    """
    key = BEGINNING + secrets.token_urlsafe(32)
    entry = f"{name}:{'+'.join(scopes)}:{digest(key)}"
    if KEY_FORM.fullmatch(entry) is None:
        raise SettingsError(
            f"a key named {name!r} with the scopes {', '.join(scopes) or 'none'} cannot be: use 1 to 64 letters, "
            f"digits, '.', '_' and '-' for the name, e.g. shop-1, and scopes of {', '.join(SCOPES)}."
        )
    return key, entry


def digest(key: str) -> str:
    """What is kept of a key: nothing slower than SHA-256 is needed for 256 random bits."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class Keyring:
    """The keys of the settings."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._keys: list[tuple[bytes, Caller]] = []
        for entry in entries:
            name, scopes, hashed = entry.split(":")
            self._keys.append((hashed.encode(), Caller(name, frozenset(scopes.split("+")))))

    def __bool__(self) -> bool:
        return bool(self._keys)

    def caller(self, authorization: str) -> Caller | None:
        """Whose key an Authorization header holds; None if it is nobody's. Every key is compared, in constant time."""
        scheme, _, key = authorization.partition(" ")
        hashed = digest(key.strip()).encode()
        found = None
        for known, caller in self._keys:
            if hmac.compare_digest(known, hashed):
                found = caller
        return found if scheme.lower() == "bearer" else None
