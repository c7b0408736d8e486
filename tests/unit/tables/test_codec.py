"""What every stored value is made of, and what damaged ones lead to."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import StateError, UnknownVersion
from tables.codec import check_version, pack_strings, unpack_strings
from tables.items import ItemShares
from tables.marker import Marker, decode_metrics, encode_metrics
from tables.partition import PartitionState
from tables.user_state import UserState
from tables.users import Users
from tests.logs import made_log
from tests.saved import folded

TEXTS = st.lists(st.text(max_size=20) | st.sampled_from(("", "ü" * 128, "x" * 65_535)), max_size=6)


@given(strings=TEXTS, before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_strings_round_trip(strings: list[str], before: bytes, after: bytes) -> None:
    """Strings are read from the middle of other bytes, and the position behind them is told."""
    packed = pack_strings(strings)

    assert unpack_strings(memoryview(before + packed + after), len(before)) == (strings, len(before) + len(packed))


@given(strings=TEXTS)
def test_strings_that_end_too_early_are_damaged(strings: list[str]) -> None:
    """No shorter bytes read as these strings: a clear error, never a shortened string."""
    packed = pack_strings(strings)
    for size in {0, 1, len(packed) // 2, len(packed) - 1} - {len(packed)}:
        with pytest.raises(StateError, match=r"damaged.*freshet reset"):
            unpack_strings(memoryview(packed[:size]), 0)


def test_strings_that_are_no_utf8_are_damaged() -> None:
    """Half a character is no text."""
    with pytest.raises(StateError, match="damaged"):
        unpack_strings(memoryview(b"\x01\x00\x01\x00\xff"), 0)


def test_versions() -> None:
    """The right one passes; the message names the thing, both versions, and what to do."""
    check_version(b"\x03abc", 3, "a thing")
    with pytest.raises(UnknownVersion, match=r"a thing was written in version 7.*version 3.*freshet reset"):
        check_version(b"\x07abc", 3, "a thing")
    with pytest.raises(UnknownVersion, match="nothing"):
        check_version(b"", 3, "a thing")


def _state() -> PartitionState:
    return folded(made_log(4, 200))


def read_user(data: bytes) -> None:
    """As a load does it: taken, put in order, decoded when touched."""
    users = Users()
    users.apply("u1", data)
    users.sort()
    users.get("u1")


def read_item(data: bytes) -> None:
    """As a load does it; windows are decoded when touched."""
    shares = ItemShares()
    shares.apply("i1", data)
    shares.finish_load()
    shares.windows_of(shares.slots["i1"])


STORED: dict[str, tuple[Callable[[PartitionState], bytes], Callable[[bytes], object]]] = {
    "user": (lambda state: (state.users.get("u1") or UserState()).encode(), read_user),
    "item": (lambda state: state.items.encode(state.items.slots["i1"]), read_item),
    "marker": (lambda state: state.marker(5).encode(), Marker.decode),
    "metrics": (lambda state: encode_metrics(state.metrics, state.evaluator.stored()), decode_metrics),
}


@pytest.mark.parametrize("kind", STORED)
def test_truncated_values_are_a_clear_error(kind: str) -> None:
    """Whatever length is left, the answer is a StateError, neither an error of some library nor a value."""
    write, read = STORED[kind]
    data = write(_state())
    read(data)
    wrong: dict[int, str] = {}
    for size in range(len(data)):
        try:
            read(data[:size])
        except StateError:
            continue
        except Exception as error:  # noqa: BLE001  # what comes instead is the finding
            wrong[size] = type(error).__name__
        else:
            wrong[size] = "read as if it were whole"
    found = sorted(set(wrong.values()))
    assert not wrong, f"{len(wrong)} of {len(data)} lengths end in {found}, e.g. {min(wrong)} bytes"


@pytest.mark.parametrize("kind", STORED)
def test_values_with_more_behind_them_are_a_clear_error(kind: str) -> None:
    """Bytes that nobody wrote do not pass unnoticed: lengths inside must add up to the whole."""
    write, read = STORED[kind]
    with pytest.raises(StateError):
        read(write(_state()) + b"\x00")
