"""Dead letters by reason."""

from app.dashboard.letters import N_SAMPLES, _Taken
from app.settings import Settings
from models.partitioner import partition_of
from tests.unit.app.dashboard.test_pages import letter


def test_newest_samples_and_what_to_set() -> None:
    """The most frequent reason first, a few samples of each, advice by what their bytes let one guess."""
    taken = _Taken(Settings(), 2)
    for n in range(20):
        taken.take(letter(b'{"event_type": "glance"}')._replace(offset=n, sent_ms=n))
    taken.take(letter()._replace(reason="not_json", value=b"\0\0\0\0\1{}"))
    first, second = taken.reasons()
    assert (first.name, first.n, [sample.offset for sample in first.samples]) == (
        "unknown_event_type", 20, [19, 18, 17, 16, 15]
    )  # fmt: skip
    assert len(first.samples) == N_SAMPLES
    assert '{"glance":[1.0,1]}' in first.advice and "serializer" in second.advice


def test_misplaced_users_name_their_partitioner() -> None:
    """By keys and places, as `freshet doctor` does."""
    taken = _Taken(Settings(), 6)
    keys = [b"u%d" % n for n in range(200)]
    for key in keys:
        place = partition_of(key, 6, "crc32")
        if place != partition_of(key, 6, "murmur2"):
            wrong = letter()._replace(reason="wrong_partition", key=key, partition=place, sent_ms=4_000_000_000_000)
            taken.take(wrong)
    (reason,) = taken.reasons()
    assert "crc32" in reason.advice
