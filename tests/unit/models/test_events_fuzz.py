"""`models.events.decode` under generated input: whatever comes is a valid event or an `InvalidEvent`."""

import json
import math
import random
import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidEvent
from models.events import DEFAULT_TYPES, REASONS, Event, EventRules, decode

RECORD_MS = 1_700_000_000_000
RULES = EventRules()
N_MUTANTS = 30_000

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
CHARACTERS = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="{}")
IDS = st.text(CHARACTERS, min_size=1).filter(lambda text: len(text.encode()) <= 256)
VALID = st.builds(
    Event,
    user_id=IDS,
    item_id=IDS,
    event_type=st.sampled_from(sorted(DEFAULT_TYPES)),
    timestamp_ms=st.integers(10**11, RECORD_MS + 300_000),
    event_id=st.none() | st.text(min_size=1, max_size=16),
    value=st.floats(0.5, 5),
    context=st.none() | st.dictionaries(st.text(max_size=8), SCALARS | st.text(max_size=8), max_size=4),
)
JSON = st.recursive(
    SCALARS | st.text(max_size=8) | st.sampled_from(sorted(DEFAULT_TYPES)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("user_id", "item_id", "event_type", "timestamp", "event_id", "value", "context")

LETTERS = [bytes([code]) for code in b"0123456789 aeiou.{}"]
TOKENS = (
    *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"null", b"true", b"NaN", b"-Infinity", b"1e400", b"-1e-400"),
    *(
        b"\\ud800",
        b"\\udc00",
        b"\\u0000",
        b"\\u007f",
        b"\\u0085",
        b"\xed\xa0\x80",
        b"\xff",
        b"\xc0\xaf",
        b"\xef\xbb\xbf",
    ),
    *(b"-0", b"0.0", b"18446744073709551616", b"9" * 400, b"[" * 2000, b'{"a":' * 1000, b" " * 70_000, b"\x00", b"/*"),
    *(
        b'"user_id":"u1"',
        b'"timestamp":1700000000000',
        b'"context":{"a":[]}',
        b'"event_id":""',
        b'"value":1e999',
        b'"":0',
    ),
)


def encoded(event: Event) -> bytes:
    """The event as a producer sends it."""
    fields = event._asdict()
    return orjson.dumps({"timestamp": fields.pop("timestamp_ms")} | fields)


def check(event: Event, key: bytes | None, value: bytes | None) -> None:
    """Hold an accepted event against the contract, read anew from the bytes by another parser."""
    assert value is not None
    assert len(value) <= 65_536
    fields = json.loads(value)
    sent = [fields.get(name) for name in ("user_id", "item_id", "event_id")]
    assert [event.user_id, event.item_id, event.event_id] == [str(each) if type(each) is int else each for each in sent]
    assert (event.event_type, event.context) == (fields["event_type"], fields.get("context"))
    assert event.user_id.encode() == key
    for text in (event.user_id, event.item_id):
        assert 1 <= len(text.encode()) <= 256
        assert not any(char in "{}" or unicodedata.category(char) == "Cc" for char in text)
    assert event.event_type in DEFAULT_TYPES
    assert type(event.timestamp_ms) is int
    assert event.timestamp_ms == fields["timestamp"]
    assert 10**11 <= event.timestamp_ms <= RECORD_MS + 300_000
    assert event.event_id is None or 1 <= len(event.event_id.encode()) <= 64
    assert (event.value is None) == (fields.get("value") is None)
    assert event.value is None or (type(event.value) is float and math.isfinite(event.value))
    assert event.value is not None or event.event_type != "rating"
    assert not any(isinstance(scalar, dict | list) for scalar in (event.context or {}).values())


def outcome(key: bytes | None, value: bytes | None) -> str:
    """`valid` or the reason code, each checked; any other exception fails the test."""
    try:
        event = decode(key, value, RECORD_MS, RULES)
    except InvalidEvent as invalid:
        refused = invalid
    else:
        check(event, key, value)
        return "valid"
    assert refused.reason in REASONS
    assert refused.message.isprintable()
    assert len(refused.message) < 600
    return refused.reason


@given(VALID)
def test_valid_events_come_back_as_they_were_sent(event: Event) -> None:
    """Encode, decode: the same event, whatever its ids, numbers and context are."""
    value = encoded(event)
    decoded = decode(event.user_id.encode(), value, RECORD_MS, RULES)
    assert decoded == event
    check(decoded, event.user_id.encode(), value)


@given(JSON)
def test_any_json_is_an_event_or_a_dead_letter(document: object) -> None:
    """No JSON document whatever makes decode fail in another way."""
    assert outcome(b"u1", orjson.dumps(document)) in {"not_object", "missing_field", "bad_type"}


@given(VALID, st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1))
def test_any_json_in_any_field_is_an_event_or_a_dead_letter(event: Event, changes: dict[str, object]) -> None:
    """An event with fields of any content is taken only if all of them obey the contract."""
    outcome(event.user_id.encode(), orjson.dumps(orjson.loads(encoded(event)) | changes))


@given(st.none() | st.binary(max_size=64), st.none() | st.binary(max_size=256))
def test_any_bytes_are_an_event_or_a_dead_letter(key: bytes | None, value: bytes | None) -> None:
    """Neither key nor value need be text."""
    outcome(key, value)


def mutate(value: bytes, draw: random.Random) -> bytes:
    """The bytes with one flip, cut, repetition, exchange or token put in."""
    at, end = sorted((draw.randrange(len(value) + 1), draw.randrange(len(value) + 1)))
    match draw.randrange(6):
        case 0:
            letter = draw.choice((draw.randbytes(1), draw.choice(LETTERS)))
            return value[:at] + letter + value[at + 1 :]
        case 1:
            return value[:at] + value[min(end, at + draw.randrange(1, 9)) :]
        case 2:
            return value[:end] + value[at:]
        case 3:
            return value[:at] + draw.choice(TOKENS) + value[at + draw.randrange(3) :]
        case 4:
            token = value.find(b":", at) + 1
            stop = value.find(b",", token)
            return value[:token] + draw.choice(TOKENS) + (value[stop:] if stop > 0 else b"}")
        case _:
            name = draw.choice(FIELDS).encode()
            return value.replace(name, draw.choice(FIELDS).encode())


@pytest.mark.parametrize("seed", range(3))
def test_mutated_bytes_are_an_event_or_a_dead_letter(seed: int) -> None:
    """30,000 valid events with 1 to 3 random mutations: no exception but InvalidEvent, and all codes are met."""
    draw = random.Random(seed)
    full = Event("user_é1", "item_1", "rating", RECORD_MS, "e1", 4.5, {"device": "phone", "position": 3})
    originals = [encoded(event) for event in (full, full._replace(event_type="view", context=None, value=None))]
    key = full.user_id.encode()
    assert [outcome(key, original) for original in originals] == ["valid", "valid"]
    met: dict[str, int] = {}
    for _ in range(N_MUTANTS // 3):
        value = draw.choice(originals)
        for _ in range(draw.randrange(1, 4)):
            value = mutate(value, draw)
        reason = outcome(key, value)
        met[reason] = met.get(reason, 0) + 1
    assert {"valid", *REASONS} - met.keys() <= {"wrong_partition", "not_object"}
    assert met["valid"] > 100
