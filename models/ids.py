"""64-bit hashes of ids: what state keeps of item ids and event ids that it only needs to recognise."""

from hashlib import blake2b


def hash64(text: str) -> int:
    """BLAKE2b of the UTF-8 bytes, first 8 bytes, little endian; never 0, which marks an empty cell."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") or 1
