"""A log without times: said by a flag, its events get times in the order of the file."""

from collections.abc import Callable

import orjson
import pytest

from app.replay import EventLog, OrderedLog
from app.replay.timeless import FIRST_MS
from models.errors import LogError, SettingsError

Open = Callable[..., EventLog]

TABLE = b"user_id,item_id,rating\nu,a,4\nv,b\nu,b,5\n"


def test_each_row_is_a_second_later_than_the_one_before_it(open_made: Open) -> None:
    """From a fixed time on, so that the same bytes give the same log; a broken row takes its second and no time."""
    log = open_made("log.csv", TABLE, event_type="rating", timestamp_unit="none")
    first, broken, last = log
    expected = {"user_id": "u", "item_id": "a", "event_type": "rating", "timestamp": FIRST_MS, "value": 4}
    assert (first.value, first.timestamp_ms) == (orjson.dumps(expected), FIRST_MS)
    assert orjson.loads(broken.value) == {"_row": ["v", "b"]}
    assert last.timestamp_ms == FIRST_MS + 2000
    assert list(OrderedLog(log)) == [first, broken, last]


def test_lines_of_json_without_times(open_made: Open) -> None:
    """The same; a field called timestamp is none, if that is said."""
    content = b'{"user_id":"u","item_id":"a","event_type":"view","timestamp":"soon","value":2}\nno json\n'
    event, broken = open_made("log.jsonl", content, timestamp_unit="none")
    fields = {"user_id": "u", "item_id": "a", "event_type": "view", "timestamp": FIRST_MS, "value": 2}
    assert (event.value, event.key, broken.value) == (orjson.dumps(fields), b"u", b"no json")


def test_a_table_without_times_names_the_flag(open_made: Open) -> None:
    """Nobody's times are made up unless asked for."""
    with pytest.raises(LogError, match=r"no column 'timestamp'; .* a log without times needs --timestamp-unit none"):
        list(open_made("log.csv", TABLE, event_type="rating"))


def test_a_column_of_times_contradicts_it(open_made: Open) -> None:
    """Which of the two is meant has to be said."""
    with pytest.raises(SettingsError, match="none says that the log has no times, --column timestamp=at"):
        open_made("log.csv", TABLE, columns={"timestamp": "at"}, event_type="rating", timestamp_unit="none")
