"""Small pieces that every stored value is made of: a version byte in front, strings with their length."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import StateError, UnknownVersion

_LENGTH = struct.Struct("<H")


def check_version(data: bytes, expected: int, what: str) -> None:
    """Refuse bytes of another version.

    Raises
    ------
    UnknownVersion
        Saying which version was found, which one is known, and what to do.
    """
    if not data or data[0] != expected:
        found = data[0] if data else "nothing"
        raise UnknownVersion(
            f"{what} was written in version {found}, this Freshet knows version {expected}. "
            "Run the Freshet that wrote it, or rebuild all state from the log with `freshet reset`."
        )


@contextmanager
def undamaged(what: str) -> Iterator[None]:
    """Turn whatever decoding damaged bytes raises into one clear error.

    Raises
    ------
    StateError
        Saying what is damaged, how, and what to do.
    """
    try:
        yield
    except (struct.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise StateError(f"{what} is damaged: {error}. Restore it, or run `freshet reset` to fold it anew.") from error


def all_read(at: int, data: bytes) -> None:
    """Refuse bytes behind the end of a value.

    Raises
    ------
    ValueError
        Saying how many there are.
    """
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes stand behind its end")


def pack_strings(strings: list[str]) -> bytes:
    """u16 count, then u16 length and UTF-8 bytes of each."""
    parts = [_LENGTH.pack(len(strings))]
    for text in strings:
        raw = text.encode()
        parts += (_LENGTH.pack(len(raw)), raw)
    return b"".join(parts)


def unpack_strings(data: memoryview, at: int) -> tuple[list[str], int]:
    """Read what `pack_strings` wrote at `at`; returns the strings and the position behind them.

    Raises
    ------
    StateError
        If the bytes end too early.
    """
    try:
        (n,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        strings = []
        for _ in range(n):
            (size,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            if at + size > len(data):
                raise ValueError(f"a string of {size} bytes is cut off")
            strings.append(bytes(data[at : at + size]).decode())
            at += size
    except (struct.error, ValueError) as error:
        raise StateError(
            f"a stored value is damaged at byte {at}: {error}. Restore it, or run `freshet reset`."
        ) from error
    return strings, at
