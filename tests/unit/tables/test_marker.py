"""The marker and the counters: their round trip, their keys, their versions."""

from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import StateError, UnknownVersion
from tables.fold_settings import FoldSettings
from tables.marker import MARKER_KEY, METRICS_KEY, Marker, Metrics, decode_metrics, encode_metrics
from tables.partition import PartitionState

NUMBERS = st.integers(-1, 2**62)


@given(
    marker=st.builds(
        Marker,
        epoch=NUMBERS,
        next_offset=NUMBERS,
        published_offset=NUMBERS,
        n_events=NUMBERS,
        latest=st.lists(st.tuples(NUMBERS, st.text(max_size=9)), max_size=3).map(tuple),
        n_partitions=NUMBERS,
        fingerprint=st.text(max_size=16),
        settings=st.none() | st.dictionaries(st.text(max_size=9), st.text(max_size=9) | NUMBERS, max_size=3),
        topic=st.text(max_size=9),
        revision=NUMBERS,
    )
)
def test_marker_round_trip(marker: Marker) -> None:
    """Equal after reading, with tuples where tuples were; the same marker has one form in bytes."""
    decoded = Marker.decode(marker.encode())

    assert decoded == marker
    assert decoded.encode() == marker.encode()


SUMS = st.dictionaries(st.text(max_size=9), st.floats(allow_nan=False, allow_infinity=False), max_size=4)


@given(counts=st.dictionaries(st.text(max_size=9), st.integers(0, 2**62), max_size=6), sums=SUMS)
def test_metrics_round_trip(counts: dict[str, int], sums: dict[str, float]) -> None:
    """Every bit of a sum comes back; the order in which counters were first counted leaves no trace in the bytes."""
    data = encode_metrics(Metrics(counts), {"sums": sums})
    reverse = encode_metrics(Metrics(dict(reversed(counts.items()))), {"sums": dict(reversed(sums.items()))})
    metrics, evaluation, beside = decode_metrics(data)
    assert beside == {}

    assert metrics == Metrics(counts)
    assert {name: value.hex() for name, value in evaluation["sums"].items()} == {
        name: value.hex() for name, value in sums.items()
    }
    assert reverse == data


def test_metrics_count_and_sum() -> None:
    """Counters start at 0; a prefix sums its kind."""
    metrics = Metrics()
    for reason in ("not_json", "not_json", "too_large"):
        metrics.add(f"dead_letters.{reason}")
    metrics.add("items_evicted", 12)

    assert metrics.counts == {"dead_letters.not_json": 2, "dead_letters.too_large": 1, "items_evicted": 12}
    assert (metrics.total("dead_letters."), metrics.total("none")) == (3, 0)


@pytest.mark.parametrize(("decode", "what"), [(Marker.decode, "marker.* 2"), (decode_metrics, "counters.* 2")])
def test_an_unknown_version_is_refused(decode: Callable[[bytes], object], what: str) -> None:
    """The message says what was found, what is known, and what to do."""
    for data in (b"", b"{}", b"\x03{}"):
        with pytest.raises(UnknownVersion, match=rf"{what}.*freshet reset"):
            decode(data)


@pytest.mark.parametrize("fields", [b"[]", b'{"epoch":1}', b"null"])
def test_a_marker_of_another_shape_is_damaged(fields: bytes) -> None:
    """JSON that is no marker is a StateError that says so."""
    with pytest.raises(StateError):
        Marker.decode(b"\x01" + fields)
    with pytest.raises(StateError):
        Marker.decode(b"\x02" + fields)


FIRST = b"""{"epoch":3,"fingerprint":"f","latest":[[5,"u"]],"n_events":9,"n_partitions":4,"next_offset":8,
"published_offset":7}"""


def test_the_first_version_is_read() -> None:
    """Its fields are all there; what came later is at its default."""
    assert Marker.decode(b"\x01" + FIRST) == Marker(3, 8, 7, 9, ((5, "u"),), 4, "f")


def test_what_is_at_its_default_is_not_written() -> None:
    """So that a Freshet which does not know a field reads a marker that does not use it."""
    plain = Marker(3, 8, 7, 9, ((5, "u"),), 4, "f")

    assert orjson.loads(plain.encode()[1:]) == orjson.loads(FIRST)
    assert orjson.loads(Marker(3, 8, 7, 9, (), 4, "f", topic="clicks").encode()[1:])["topic"] == "clicks"


def test_a_field_of_a_newer_freshet_is_refused_by_name() -> None:
    """It would be lost with the next checkpoint: a later field is named, with what to do."""
    newer = b"\x02" + FIRST[:-1] + b',"stepped_over":[17]}'

    with pytest.raises(UnknownVersion, match=r"newer Freshet: it holds stepped_over, .*Run the newer.*freshet reset"):
        Marker.decode(newer)


@pytest.mark.parametrize(
    "fields",
    [
        b"[]",
        b'{"counts":{}}',
        b'{"counts":{},"evaluation":[1]}',
        b'{"counts":{},"evaluation":{}}',
        b'{"counts":{},"evaluation":{"prequential":{"x":1},"ratings":{},"rating_mean":[0.0,0.0]}}',
        b'{"counts":{},"evaluation":{"prequential":{},"ratings":{},"rating_mean":[0.0]}}',
    ],
)
def test_counters_of_another_shape_are_damaged(fields: bytes) -> None:
    """A load of JSON that is no counters is a StateError that says so, whichever part is wrong."""
    with pytest.raises(StateError):
        PartitionState(0, 1, FoldSettings()).apply_user(METRICS_KEY, b"\x02" + fields)


def test_no_user_can_have_their_keys() -> None:
    """Both begin with a control character, which is forbidden in ids."""
    assert MARKER_KEY != METRICS_KEY
    assert {MARKER_KEY[0], METRICS_KEY[0]} == {0}
