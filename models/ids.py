"""Numbers made of ids: a hash to recognise one by, and a key to order by."""

from hashlib import blake2b


def hash64(text: str) -> int:
    """BLAKE2b of the UTF-8 bytes, first 8 bytes, little endian; never 0, which marks an empty cell."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") or 1


def order_key(text: str) -> tuple[int, int]:
    """The first 16 bytes of an id as two numbers that compare as the bytes do: (bytes 0 to 7, bytes 8 to 15)."""
    raw = text.encode()[:16].ljust(16, b"\0")
    return int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:], "big")
