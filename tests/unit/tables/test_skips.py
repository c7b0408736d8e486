"""Records of what was stepped over: read back as they were written, or refused."""

import pytest

from models.errors import StateError, UnknownVersion
from tables.skips import Skip

SKIP = Skip("user_events", 3, 1200, 1260, "ab" * 32, "EOFError: ended early", 4711, 1_700_000_000_000)


def test_what_is_written_is_read() -> None:
    """All fields; the key names the place, so that a later record of the same place replaces it."""
    assert Skip.decode(SKIP.encode()) == SKIP
    assert SKIP.key == b"user_events/3/1200"


@pytest.mark.parametrize("damaged", [SKIP.encode()[:-1], SKIP.encode()[:1], b"\x01[]", b'\x01{"topic": "t"}'])
def test_damage_is_told(damaged: bytes) -> None:
    """Bytes that are no record of this version."""
    with pytest.raises(StateError, match="a record of what was stepped over is damaged"):
        Skip.decode(damaged)


def test_another_version_is_refused() -> None:
    """A newer Freshet wrote it."""
    with pytest.raises(UnknownVersion, match="version 9, this Freshet knows version 1"):
        Skip.decode(b"\x09" + SKIP.encode()[1:])
