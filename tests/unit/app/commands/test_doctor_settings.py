"""What the doctor makes of settings that differ from those of the saved state."""

from app.doctor.made_with import differing
from app.settings import Settings
from tables.marker import Marker


def marker(settings: Settings, topic: str = "user_events") -> Marker:
    """The marker of a state that was made with these settings from this topic."""
    fold = settings.fold
    return Marker(1, 5, 5, 5, (), 2, fold.fingerprint(), fold.described(), topic)


def test_state_made_with_the_same_settings_is_fine() -> None:
    """Nothing is said, nor of settings that may change, of a state that does not say, or of a reset that broke off."""
    assert differing({0: marker(Settings()), 1: marker(Settings(history_size=9))}, Settings()) == []
    assert differing({0: Marker(1, 0, -1, 0, (), 0, "unfinished reset")}, Settings(partitioner="crc32")) == []


def test_another_partitioner_is_wrong_and_named_with_both_values() -> None:
    """One finding for all partitions that were made otherwise."""
    made = marker(Settings())

    (finding,) = differing({0: made, 1: made}, Settings(partitioner="crc32"))

    assert finding.status == "wrong"
    assert "FRESHET_PARTITIONER is crc32 here, and murmur2 where the state of partitions 0, 1" in finding.found
    assert "Set FRESHET_PARTITIONER=murmur2 here as well" in finding.advice
    assert finding.details == {"setting": "partitioner", "here": "crc32", "state": "murmur2", "partitions": [0, 1]}


def test_another_topic_of_events_is_wrong() -> None:
    """The topic counts by its whole name."""
    (finding,) = differing({1: marker(Settings(), "clicks")}, Settings(events_topic="views"))

    assert "FRESHET_EVENTS_TOPIC is views here, and clicks where the state of partition 1 was made" in finding.found
