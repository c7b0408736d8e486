"""`models.events.decode`: what becomes an event, what becomes a dead letter and why."""

import orjson
import pytest

from models.errors import InvalidEvent
from models.events import MAX_TIMESTAMP_MS, REASONS, Event, EventRules, decode

RECORD_MS = 1_700_000_000_000
RULES = EventRules()
ABSENT = object()


def text(**changes: object) -> bytes:
    """A valid event of user u1 as bytes, with some fields changed, added or (ABSENT) left out."""
    fields = {"user_id": "u1", "item_id": "i1", "event_type": "view", "timestamp": RECORD_MS} | changes
    return orjson.dumps({name: value for name, value in fields.items() if value is not ABSENT})


def refusal(value: bytes | None, key: bytes | None = b"u1", rules: EventRules = RULES) -> InvalidEvent:
    """What decode raises for a flawed event."""
    with pytest.raises(InvalidEvent) as caught:
        decode(key, value, RECORD_MS, rules)
    return caught.value


def test_an_event_with_all_fields_is_taken_as_it_is() -> None:
    """Every contract field arrives; a whole number as value becomes a float; unknown fields are ignored."""
    context = {"device": "phone", "position": 3, "dwell_s": 1.5, "signed_in": True, "list_id": None}
    value = text(event_type="rating", event_id="e1", value=4, context=context, colour="blue", deep=[[{}]])
    event = decode(b"u1", value, RECORD_MS, RULES)
    assert event == Event("u1", "i1", "rating", RECORD_MS, "e1", 4.0, context)
    assert type(event) is Event
    assert type(event.value) is float


def test_absent_and_null_optional_fields_are_the_same() -> None:
    """Null for event_id, value or context counts as absent, and absent is None."""
    absent = decode(b"u1", text(), RECORD_MS, RULES)
    assert absent == Event("u1", "i1", "view", RECORD_MS, None, None, None)
    assert decode(b"u1", text(event_id=None, value=None, context=None), RECORD_MS, RULES) == absent


def test_an_integer_as_an_id_is_its_digits() -> None:
    """77 is "77", as user, item and event_id, up to 64 bits, and the key is these digits."""
    value = text(user_id=77, item_id=2**64 - 1, event_id=-5)
    event = decode(b"77", value, RECORD_MS, RULES)
    assert (event.user_id, event.item_id, event.event_id) == ("77", "18446744073709551615", "-5")
    assert event == decode(b"77", text(user_id="77", item_id=str(2**64 - 1), event_id="-5"), RECORD_MS, RULES)


FOREIGN: dict[str, tuple[bytes | None, bytes, str]] = {
    "Confluent's frame": (b"u1", b"\x00\x00\x00\x00\x11" + text(), "schema id 17). Use a serializer of plain JSON"),
    "Connect's envelope": (b"u1", orjson.dumps({"schema": {}, "payload": {}}), "Kafka Connect's JsonConverter"),
    "a structured CloudEvent": (
        b"u1",
        orjson.dumps({"specversion": "1.0", "source": "/s", "id": "1", "type": "view", "data": {}}),
        'format = "cloudevents"',
    ),
    "a change of Debezium": (b"u1", orjson.dumps({"op": "c", "after": {}, "before": None, "source": {}}), "Debezium"),
    "a key in quotes": (b'"u1"', text(), "The key is JSON, in quotes"),
    "a key of 8 bytes": (b"\0\0\0\0\0\0\0\x4d", text(user_id=77), "a binary number of 8 bytes"),
    "a framed key": (b"\x00\x00\x00\x00\x11u1", text(), "The key has the 5-byte frame"),
    "no key": (None, text(), "The record has no key"),
    "a type in capitals": (b"u1", text(event_type="Click"), 'FRESHET_EXTRA_EVENT_TYPES, e.g. {"Click": [1.0, 1]}'),
    "a type of GA4": (b"u1", text(event_type="view_item"), "[sources.<name>] types"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_the_message_names_the_serializer_or_the_setting(case: str) -> None:
    """What another serializer wrote, or another shop calls so, is a dead letter that says what to change."""
    key, value, part = FOREIGN[case]
    assert part in refusal(value, key).message


def test_the_last_of_repeated_fields_counts() -> None:
    """A field that comes twice is no error: the last one counts."""
    value = text()[:-1] + b',"item_id":"i2"}'
    assert decode(b"u1", value, RECORD_MS, RULES).item_id == "i2"


@pytest.mark.parametrize(
    "changes",
    [
        {"item_id": "i" * 256},
        {"item_id": "é" * 128},
        {"item_id": "\U0001f600" * 64},
        {"item_id": " "},
        {"item_id": "a:b/c\u00a0\u2028\u202e[]"},
        {"event_id": "e" * 64},
        {"event_id": "é" * 32},
        {"event_id": "{\n}"},
        {"timestamp": 10**11},
        {"timestamp": RECORD_MS + 300_000},
        {"value": -0.0},
        {"value": 1.7976931348623157e308},
        {"value": 2**53 + 2},
        {"context": {}},
        {"context": {"": ""}},
    ],
    ids=lambda changes: ascii(changes)[:40],
)
def test_what_lies_on_a_limit_is_valid(changes: dict[str, object]) -> None:
    """The limits themselves are allowed: bytes of ids, times, numbers, the empty context."""
    event = decode(b"u1", text(**changes), RECORD_MS, RULES)
    (name,) = changes
    assert getattr(event, "timestamp_ms" if name == "timestamp" else name) == changes[name]


def test_the_longest_event_is_valid_and_one_byte_more_is_not() -> None:
    """65,536 bytes are allowed, 65,537 are too_large, before anything is parsed."""
    value = text(note="")
    longest = text(note="x" * (65_536 - len(value)))
    assert len(longest) == 65_536
    assert decode(b"u1", longest, RECORD_MS, RULES).user_id == "u1"
    assert refusal(longest + b" ").reason == "too_large"
    assert refusal(b"[" * 65_537).reason == "too_large"


REFUSED: dict[str, tuple[bytes | None, str, str]] = {
    "null": (None, "not_json", "value is null"),
    "empty": (b"", "not_json", "b''"),
    "cut short": (text()[:-1], "not_json", 'b\'{"user_id"'),
    "two documents": (text() + text(), "not_json", "a JSON object"),
    "invalid UTF-8": (text().replace(b"i1", b"\xff\xfe"), "not_json", "a JSON object"),
    "UTF-8 of a surrogate": (text().replace(b"i1", b"\xed\xa0\x80"), "not_json", "a JSON object"),
    "a lone surrogate": (text().replace(b"i1", b"\\ud800"), "not_json", "a JSON object"),
    "a raw control character": (text().replace(b"i1", b"\x01"), "not_json", "a JSON object"),
    "byte order mark": (b"\xef\xbb\xbf" + text(), "not_json", "a byte order mark"),
    "UTF-16": (text().decode().encode("utf-16"), "not_json", "b'\\xff"),
    "NaN": (text(value=0).replace(b":0}", b":NaN}"), "not_json", "a JSON object"),
    "Infinity": (text(value=0).replace(b":0}", b":-Infinity}"), "not_json", "a JSON object"),
    "1e400": (text(value=0).replace(b":0}", b":1e400}"), "not_json", "a JSON object"),
    "an integer of 400 digits": (
        text(timestamp=0).replace(b":0}", b":" + b"9" * 400 + b"}"),
        "not_json",
        "a JSON object",
    ),
    "nested 30,000 deep": (b"[" * 30_000 + b"]" * 30_000, "not_json", "a JSON object"),
    "array": (b"[1, 2]", "not_object", "an array of 2 elements"),
    "array as deep as is parsed": (b"[" * 1000 + b"]" * 1000, "not_object", "an array of 1 elements"),
    "string": (b'"view"', "not_object", "'view'"),
    "number": (b"17", "not_object", "17"),
    "true": (b"true", "not_object", "true"),
    "JSON null": (b"null", "not_object", "null"),
    "no fields": (b"{}", "missing_field", "user_id is missing"),
    "no user_id": (text(user_id=ABSENT), "missing_field", "user_id is missing"),
    "no item_id": (text(item_id=ABSENT), "missing_field", "item_id is missing"),
    "no event_type": (text(event_type=ABSENT), "missing_field", "event_type is missing"),
    "no timestamp": (text(timestamp=ABSENT), "missing_field", "timestamp is missing"),
    "a rating without value": (text(event_type="rating"), "missing_field", "value is missing"),
    "a rating of null": (text(event_type="rating", value=None), "missing_field", "value is missing"),
    "user_id null": (text(user_id=None), "bad_type", "user_id has value null: not a string or an integer"),
    "user_id true": (text(user_id=True), "bad_type", "user_id has value true: not a string or an integer"),
    "user_id 77.0": (text(user_id=77.0), "bad_type", "user_id has value 77.0: has a fraction"),
    "item_id of 20 digits": (
        text(item_id=0).replace(b":0,", b":12345678901234567890123,"),
        "bad_type",
        "more digits than 64 bits hold",
    ),
    "item_id object": (text(item_id={}), "bad_type", "an object of 0 fields"),
    "event_type array": (text(event_type=["view"]), "bad_type", "an array of 1 elements"),
    "timestamp true": (text(timestamp=True), "bad_type", "timestamp has value true: not an integer"),
    "timestamp float": (text(timestamp=1e12), "bad_type", "not an integer"),
    "timestamp text": (text(timestamp="2023-11-14"), "bad_type", "'2023-11-14'"),
    "timestamp of 30 digits": (text(timestamp=0).replace(b":0}", b":" + b"9" * 30 + b"}"), "bad_type", "1e+30"),
    "event_id number": (text(event_id=1.5), "bad_type", "event_id has value 1.5"),
    "value text": (text(value="4"), "bad_type", "value has value '4': not a finite number"),
    "value true": (text(event_type="rating", value=True), "bad_type", "value has value true"),
    "context array": (text(context=[]), "bad_type", "not a flat object"),
    "context with an object": (text(context={"geo": {}}), "bad_type", "'geo' is an object"),
    "context with an array": (text(context={"a": 1, "tags": [1]}), "bad_type", "'tags' is an array"),
    "context nested 900 deep": (
        text(context={"a": 0}).replace(b":0}", b":" + b"[" * 900 + b"]" * 900 + b"}"),
        "bad_type",
        "'a' is an array of 1 elements",
    ),
    "user_id empty": (text(user_id=""), "out_of_range", "0 bytes. Send 1 to 256"),
    "item_id of 257 bytes": (text(item_id="i" * 257), "out_of_range", "257 bytes. Send 1 to 256"),
    "item_id of 129 two-byte characters": (text(item_id="é" * 129), "out_of_range", "258 bytes"),
    "event_id empty": (text(event_id=""), "out_of_range", "0 bytes. Send 1 to 64"),
    "event_id of 65 bytes": (text(event_id="e" * 63 + "é"), "out_of_range", "65 bytes. Send 1 to 64"),
    "brace in user_id": (text(user_id="u{1}"), "out_of_range", "'u{1}': send no control characters"),
    "brace in item_id": (text(item_id="i}"), "out_of_range", "no braces"),
    "newline in item_id": (text(item_id="i\n1"), "out_of_range", r"'i\n1'"),
    "DEL in item_id": (text(item_id="i\x7f"), "out_of_range", r"'i\x7f'"),
    "C1 in user_id": (text(user_id="u\x85"), "out_of_range", r"'u\x85'"),
    "NUL in user_id": (text(user_id="\x00"), "out_of_range", r"'\x00'"),
    "timestamp 0": (text(timestamp=0), "out_of_range", "timestamp has value 0"),
    "timestamp negative": (text(timestamp=-RECORD_MS), "out_of_range", ": send Unix milliseconds UTC, 100000000000 ("),
    "timestamp 1": (text(timestamp=1), "out_of_range", "timestamp has value 1: looks like seconds. Send Unix"),
    "timestamp below 10^11": (text(timestamp=10**11 - 1), "out_of_range", "looks like seconds"),
    "seconds": (
        text(timestamp=1_700_000_000),
        "out_of_range",
        "timestamp has value 1700000000: looks like seconds. Send Unix milliseconds UTC, 100000000000 (March 1973) or "
        "later, here 1700000000000.",
    ),
    "seconds with a fraction": (
        text(timestamp=1_700_000_000.25),
        "bad_type",
        "looks like seconds. Send an integer in Unix milliseconds UTC, here 1700000000250.",
    ),
    "unknown event_type": (text(event_type="share"), "unknown_event_type", "'share': unknown. Send one of impression"),
    "event_type empty": (text(event_type=""), "unknown_event_type", "''"),
    "event_type in capitals": (text(event_type="VIEW"), "unknown_event_type", "'VIEW'"),
    "five minutes and a millisecond ahead": (
        text(timestamp=RECORD_MS + 300_001),
        "future_timestamp",
        "300000 ms ahead",
    ),
    "microseconds": (text(timestamp=RECORD_MS * 1000), "future_timestamp", "Unix milliseconds"),
    "too large": (text(note="x" * 65_536), "too_large", "send at most 65536"),
    "another user's key": (text(user_id="u2"), "wrong_key", "key is b'u1', its user_id 'u2'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_flaw_has_its_reason_and_its_message(case: str) -> None:
    """A flawed event is refused with the reason code of its flaw, and a message that shows the value."""
    value, reason, part = REFUSED[case]
    error = refusal(value)
    assert error.reason == reason
    assert part in error.message


def test_every_reason_code_has_an_example() -> None:
    """The examples reach every code but wrong_partition, which needs the record's partition."""
    assert {reason for _, reason, _ in REFUSED.values()} | {"wrong_partition"} == set(REASONS)
    assert len(set(REASONS)) == len(REASONS) == 10


@pytest.mark.parametrize("record_ms", [MAX_TIMESTAMP_MS, 1_700_000_000_000_000_000, 2**63 - 1])
def test_no_time_beyond_the_calendar_even_if_the_record_is_stamped_as_late(record_ms: int) -> None:
    """A record stamped in nanoseconds, say, lets no such event time pass: what numbers can hold is never exceeded."""
    assert decode(b"u1", text(timestamp=MAX_TIMESTAMP_MS), record_ms, RULES).timestamp_ms == MAX_TIMESTAMP_MS
    for timestamp in (MAX_TIMESTAMP_MS + 1, 1_700_000_000_000_000_000, 2**63 - 1, 2**63, 2**63 + 1000, 2**64 - 1):
        with pytest.raises(InvalidEvent) as caught:
            decode(b"u1", text(timestamp=timestamp), record_ms, RULES)
        is_ahead = timestamp > record_ms + RULES.max_ahead_ms
        assert caught.value.reason == ("future_timestamp" if is_ahead else "out_of_range")
        assert f"timestamp has value {timestamp}: " in caught.value.message


@pytest.mark.parametrize("control", [*range(0x20), *range(0x7F, 0xA0), ord("{"), ord("}")])
def test_no_control_character_and_no_brace_in_an_id(control: int) -> None:
    """Each C0 and C1 character, DEL and each brace is refused, in both ids, at any place."""
    for place in ("{}x", "x{}", "x{}x"):
        flawed = place.replace("{}", chr(control))
        assert refusal(text(user_id=flawed), flawed.encode()).reason == "out_of_range"
        assert refusal(text(item_id=flawed)).reason == "out_of_range"


@pytest.mark.parametrize("key", [None, b"", b"u", b"u1 ", b"U1", b"\xff\xfe", b"x" * 10_000])
def test_the_key_is_the_user_id_in_utf_8(key: bytes | None) -> None:
    """Any other key is wrong_key; so is none."""
    assert refusal(text(), key).reason == "wrong_key"
    assert decode("é€😀".encode(), text(user_id="é€😀"), RECORD_MS, RULES).user_id == "é€😀"


def test_deep_nesting_is_refused_also_when_long_events_are_allowed() -> None:
    """A million brackets are a dead letter, whatever max_bytes says: no RecursionError."""
    rules = EventRules(max_bytes=10_000_000)
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        assert refusal(opening * 1_000_000, rules=rules).reason == "not_json"
        assert refusal(opening * 1_000_000 + b"1" + closing * 1_000_000, rules=rules).reason == "not_json"


@pytest.mark.parametrize(
    "value",
    [
        b"\x1b[31m" * 9000,
        text(item_id="\x1b]0;\u202e\x85" * 5000),
        text(timestamp="\x00\r\n" * 3000),
        b'"%s"' % (b"y" * 60_000),
    ],
    ids=["bytes", "id", "text", "string"],
)
def test_messages_are_short_and_on_one_line(value: bytes) -> None:
    """A quoted value is cut to 80 characters and escaped, so that no terminal obeys it; nothing else is kept."""
    error = refusal(value)
    assert error.message.isprintable()
    assert len(error.message) < 250
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert str(error) == error.message
