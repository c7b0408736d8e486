"""What a replay prints besides its digest: counters, and the settings that shaped the state."""

import orjson

from app.replay.inline import replay_inline
from app.replay.records import LogRecord
from app.replay.show import settings_line
from models.cooccurrence import CooccurrenceSettings
from tables.fold_settings import FoldSettings
from tests.logs import REPLAY_MS, made_log

SMALL = FoldSettings(cooccurrence=CooccurrenceSettings(n_history=7), max_users=10, max_items=32)


def records(n: int) -> list[LogRecord]:
    """A log of 40 users and 90 items, some of it malformed."""
    return [LogRecord(each.key or b"", each.value or b"", None) for each in made_log(3, n, 40, 90)]


def test_counters_say_what_had_to_go() -> None:
    """Every counter of the fold is there, summed over partitions; those of evictions also at 0."""
    result = replay_inline(records(900), SMALL, partitions=2, start_ms=REPLAY_MS).as_json()
    empty = replay_inline([], SMALL, partitions=2).as_json()

    counters = result["counters"]
    reasons = {name: n for name, n in counters.items() if name.startswith("dead_letters.")}
    assert sum(reasons.values()) == result["dead_letters"] > 0
    assert counters["users_evicted"] > 10 and counters["items_evicted"] > 10
    assert result["events"] + result["duplicates"] + result["dead_letters"] == 900
    assert empty["counters"] == {"items_evicted": 0, "users_evicted": 0, "users_expired": 0, "waiting_evicted": 0}


def test_settings_that_shaped_the_state_are_printed() -> None:
    """All of them as plain JSON, with their fingerprint; other settings are another fingerprint."""
    result = replay_inline([], SMALL).as_json()

    assert result["fingerprint"] == SMALL.fingerprint() != FoldSettings().fingerprint()
    settings = orjson.loads(orjson.dumps(result["settings"]))
    assert settings == result["settings"]
    assert settings.keys() == set(FoldSettings.__slots__)
    assert settings["cooccurrence"] == {
        "n_history": 7, "n_keep": 200, "decay": 0.9, "known_exponent": 0.7, "candidate_exponent": 0.35,
    }  # fmt: skip
    assert settings["rules"]["types"]["purchase"]["polarity"] == 1
    assert settings_line(settings).startswith("history 7, decay 0.9, exponents 0.7 and 0.35, 200 neighbours")
