"""A dead letter fits its topic, whatever record it is made of."""

import pytest
from aiokafka import ConsumerRecord
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from app.worker.dead_letters import LEAST_LIMIT_BYTES, Letter, letter_of
from app.worker.preflight import check_dead_letters
from models.errors import InvalidEvent, ValueTooLarge
from tables.names import Names

SIZES = st.integers(0, 300_000) | st.sampled_from((15_999, 16_000, 24_576, 24_577, 65_536, 65_537, 3_000_000))
LIMITS = st.sampled_from((LEAST_LIMIT_BYTES, 50_000, 200_000, 2 * 1_048_588))
LONGEST_TOPIC = "t" * 249


def letter(key: bytes | None, value: bytes | None, limit: int, message: str = "no") -> Letter:
    """The letter of a record that is no event."""
    record = ConsumerRecord(LONGEST_TOPIC, 2**31 - 1, 2**63 - 1, 2**63 - 1, 0, key, value, None, 1, 1, ())
    return letter_of(record, InvalidEvent("unknown_event_type", message), limit)


@given(st.none() | SIZES, st.none() | SIZES, LIMITS, st.integers(0, 20_000))
def test_a_letter_fits_its_topic(key_size: int | None, value_size: int | None, limit: int, n_chars: int) -> None:
    """With headers and all that Kafka adds, under the longest names and numbers and any message."""
    key, value = (None if size is None else b"x" * size for size in (key_size, value_size))

    made = letter(key, value, limit, "\u20ac" * n_chars)

    batch = DefaultRecordBatchBuilder.estimate_size_in_bytes(made.key, made.value, list(made.headers))
    assert batch <= limit
    assert ((made.key is None), (made.value is None)) == ((key is None), (value is None))


@pytest.mark.parametrize(("key", "value"), [(None, None), (b"", b""), (b"u1", b"x" * 24_574), (b"k" * 24_576, None)])
def test_what_fits_is_whole(key: bytes | None, value: bytes | None) -> None:
    """As it came, to the last byte that fits, and no header says otherwise."""
    made = letter(key, value, LEAST_LIMIT_BYTES)

    assert (made.key, made.value) == (key, value)
    assert dict(made.headers)["message"] == b"no"
    assert not {"key_bytes", "value_bytes"} & dict(made.headers).keys()


@pytest.mark.parametrize(
    ("n_key", "n_value", "left"),
    [
        (2, 3_000_000, (2, 65_536)),
        (3_000_000, 2, (65_536, 2)),
        (1_500_000, 1_500_000, (65_536, 65_536)),
        (65_536, 2_100_000, (65_536, 65_536)),
    ],
)
def test_what_does_not_fit_is_cut_and_says_so(n_key: int, n_value: int, left: tuple[int, int]) -> None:
    """The beginning is kept; a header has the size that it had, the message names both sizes."""
    key, value = bytes(range(250)) * (n_key // 250 + 1), bytes(range(250)) * (n_value // 250 + 1)
    key, value = key[:n_key], value[:n_value]

    made = letter(key, value, 2 * 1_048_588)

    headers = {name: text.decode() for name, text in made.headers}
    assert (made.key, made.value) == (key[: left[0]], value[: left[1]])
    for name, size, kept in (("key", n_key, left[0]), ("value", n_value, left[1])):
        said = f"Here are the first {kept} of the {size} bytes of its {name}."
        assert (headers.get(f"{name}_bytes"), said in headers["message"]) == (
            (str(size), True) if kept < size else (None, False)
        )


def test_the_topics_as_we_make_them_are_accepted() -> None:
    """By the check at the start; one that takes less than any letter may have is named."""
    limits = {spec.name: int(spec.config.get("max.message.bytes", 0)) for spec in Names("shop").topics(1)}
    dead_letters = Names("shop").dead_letters
    check_dead_letters({dead_letters: limits[dead_letters]})

    with pytest.raises(ValueTooLarge, match=rf"topic {dead_letters} takes messages of 32767 bytes.*to 32768 or more"):
        check_dead_letters({dead_letters: LEAST_LIMIT_BYTES - 1})
