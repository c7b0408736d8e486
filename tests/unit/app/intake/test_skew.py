"""How far the clocks of producers are from the broker's."""

from app.intake.skew import skew_ms, widest
from app.sources.source import SourceEvent


def _event(fields: bytes | None) -> SourceEvent:
    return SourceEvent(b"k", fields)


def test_the_last_event_counts() -> None:
    """Late is above 0, ahead below."""
    late, ahead = _event(b'{"timestamp": 400}'), _event(b'{"timestamp": 1900}')
    assert skew_ms(1000, {"events": [ahead, late]}) == 600
    assert skew_ms(1000, {"events": [late, ahead]}) == -900


def test_without_an_event_nothing_is_said() -> None:
    """Entries of the catalogue have no time, deletions no fields, and some records come to nothing."""
    assert skew_ms(1000, {}) is None
    assert skew_ms(1000, {"events": []}) is None
    assert skew_ms(1000, {"items": [_event(b'{"title": "I"}')]}) is None
    assert skew_ms(1000, {"users": [_event(None)]}) is None


def test_a_topic_has_the_skew_of_its_worst_partition() -> None:
    """Whichever way it goes; one that is in step is said to be."""
    assert widest([("a", 5), ("a", -70), ("a", 60), ("b", 0), ("c", None)]) == {"a": -70, "b": 0}
