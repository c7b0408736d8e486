"""When a worker says that it serves, and what it says if it cannot."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from app.worker.readiness import PATIENCE_S, Readiness

REDIS_DOWN = "Redis at redis://r cannot be reached."


class Stage:
    """A worker that could serve; tests take away what they like."""

    def __init__(self) -> None:
        self.ownership = SimpleNamespace(ready=True, generation=1, owned={1: None, 0: None}, n_partitions=4)
        self.view = SimpleNamespace(knows_catalogue=True, knows_shares=True, knows_factors=True)
        self.unanswered: set[int] = set()
        self.redis_error: str | None = None
        self.now = 0.0
        self.told: list[dict[str, Any]] = []
        self.readiness = Readiness(
            self.ownership,
            self.view,
            unanswered=lambda: self.unanswered,
            redis_error=lambda: self.redis_error,
            report=lambda event, **fields: self.told.append({"event": event, **fields}),
            clock=lambda: self.now,
        )


def test_serving_is_said_once_a_generation() -> None:
    """As soon as all is there, with the partitions; and again after a rebalance, even one that was not seen."""
    stage = Stage()
    stage.readiness.look()
    stage.readiness.look()
    stage.ownership.generation = 2
    stage.readiness.look()

    assert stage.told == [
        {"event": "serving", "generation": number, "partitions": [0, 1], "n_partitions": 4} for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ({"unanswered": {3, 1}}, "the first fetch of partitions 1, 3"),
        ({"view": SimpleNamespace(knows_catalogue=False, knows_shares=True)}, "the catalogue"),
        ({"view": SimpleNamespace(knows_catalogue=True, knows_shares=False)}, "the item shares of other workers"),
        (
            {"view": SimpleNamespace(knows_catalogue=True, knows_shares=True, knows_factors=False)},
            "the factors that were learned",
        ),
        ({"redis_error": REDIS_DOWN}, REDIS_DOWN),
    ],
)
def test_what_is_lacking_is_told(without: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture) -> None:
    """A loaded worker that cannot serve says why after a while, again and again, and serves once it can."""
    stage = Stage()
    caplog.set_level(logging.WARNING, "freshet")
    for name, value in without.items():
        if name == "view":
            vars(stage.view).update(vars(value))
        else:
            setattr(stage, name, value)
    for stage.now in (0.0, PATIENCE_S - 1, PATIENCE_S, PATIENCE_S + 1, 2 * PATIENCE_S):
        stage.readiness.look()
    assert stage.told == []
    assert len(caplog.messages) == 2
    assert all(words in message for message in caplog.messages)

    stage.unanswered, stage.redis_error = set(), None
    vars(stage.view).update(knows_catalogue=True, knows_shares=True, knows_factors=True)
    stage.readiness.look()

    assert [line["event"] for line in stage.told] == ["serving"]


def test_nothing_is_said_while_partitions_are_away(caplog: pytest.LogCaptureFixture) -> None:
    """Between generations there is nothing to serve, and nothing to wait for."""
    stage = Stage()
    stage.ownership.ready, stage.unanswered = False, {0}
    for stage.now in (0.0, 2 * PATIENCE_S):
        stage.readiness.look()

    assert (stage.told, caplog.messages) == ([], [])
