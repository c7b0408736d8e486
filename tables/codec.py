"""Small pieces that every stored value is made of: a version byte in front, strings with their length."""

import struct

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
            strings.append(bytes(data[at : at + size]).decode())
            at += size
    except (struct.error, UnicodeDecodeError) as error:
        raise StateError(
            f"a stored value is damaged at byte {at}: {error}. Restore it, or run `freshet reset`."
        ) from error
    return strings, at
