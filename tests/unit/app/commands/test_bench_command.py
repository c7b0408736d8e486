"""`freshet bench counting`."""

import orjson
import pytest

from app.bench import counting
from tests.command import freshet

EXACT = {"expected": 10, "counted": 10, "lost": 0, "double": 0, "pairs_wrong": 0, "windows_wrong": 0, "stock": None}


@pytest.mark.parametrize(
    ("changes", "code"), [({}, 0), ({"lost": 1}, 1), ({"counted": 11}, 1), ({"pairs_wrong": 2}, 1)]
)
def test_exit_code_says_whether_it_was_exact(
    changes: dict[str, int], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any difference ends with 1; flags arrive as they were given; the result is one line of JSON."""
    calls: list[dict[str, object]] = []

    def run(**arguments: object) -> dict[str, object]:
        calls.append(arguments)
        return {**EXACT, **changes}

    monkeypatch.setattr(counting, "run_counting", run)

    outcome = freshet("bench", "counting", "--events", "2000", "--kills", "1", "--joins", "0", "--no-stock", "--json")

    assert outcome.code == code
    assert orjson.loads(outcome.out) == {**EXACT, **changes, "exact": code == 0}
    (call,) = calls
    assert (call["events"], call["kills"], call["joins"], call["stock"], call["broker"]) == (2000, 1, 0, False, None)
