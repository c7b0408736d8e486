"""How varied lists are, in an evaluation, beside plain Python."""

from collections import defaultdict
from itertools import combinations
from math import nan, sqrt
from pathlib import Path

import numpy as np
import orjson
import pytest

import app.evaluate.run
from app.evaluate.catalogue import categories_of_file, categories_of_log
from app.evaluate.result import result_of
from app.evaluate.run import EvaluationSettings
from app.evaluate.spread import Spread
from app.replay.movielens import MovieLensLog
from app.settings import Settings
from models.errors import LogError
from models.item_distances import DistancesByCategories, DistancesByUsers, Floats, Ints
from tests.evaluations import evaluated, log_records
from tests.logs import made_log, record

LOG = log_records(made_log(31, 1500, 30, 120))


def test_a_list_has_the_mean_of_its_pairs_and_lists_the_mean_of_theirs() -> None:
    """Of the first ten items; pairs without a representation are left out, counted, and no list of the mean."""
    ids = ["p", "q", "r", "s"]
    spread = Spread(["list", "other"], DistancesByCategories({"p": ["a"], "q": ["a", "b"], "r": ["c"]}, ids))

    spread.add({"list": [0, 1, 2], "other": [3, 0]})
    spread.add({"list": [0, 1, 3], "other": []})
    spread.add({"list": [3, 0], "other": [2]})

    assert spread.diversity("list") == pytest.approx(((0.5 + 1 + 1) / 3 + 0.5) / 2)
    assert (spread.pairs("list"), spread.pairs("other")) == ((7, 3), (1, 1))
    assert spread.diversity("other") is None

    deep = Spread(["list"], DistancesByCategories({"p": ["a"], "r": ["c"]}, ids))
    deep.add({"list": [0] * 10 + [2] * 10})
    assert (deep.diversity("list"), deep.pairs("list")) == (0.0, (45, 0))


class ExactUsers(DistancesByUsers):
    """The very sets."""

    def __init__(self) -> None:
        self.sets: defaultdict[int, set[int]] = defaultdict(set)

    def took(self, item: int, user_hash: int) -> None:
        assert user_hash not in self.sets[item]
        self.sets[item].add(user_hash)

    def between(self, items: Ints) -> Floats:
        sets = [[self.sets[item] if item >= 0 else set() for item in row] for row in items.tolist()]
        return np.array(
            [
                [1 - len(a & b) / sqrt(len(a) * len(b)) if a and b else nan for a, b in combinations(row, 2)]
                for row in sets
            ]
        )


def test_by_users_it_is_what_sets_in_plain_python_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each list within .02, popularity's the least varied of the baselines; a user is in an item's set once."""
    found = result_of(evaluated(LOG))
    monkeypatch.setattr(app.evaluate.run, "DistancesByUsers", ExactUsers)
    exact = result_of(evaluated(LOG))

    assert found["diversity"] == exact["diversity"]
    assert found["diversity"]["by"] == "users"
    assert 0 < found["diversity"]["pairs_left_out"] < found["diversity"]["pairs"] / 2
    for name, of_list in found["lists"].items():
        assert of_list["diversity@10"] == pytest.approx(exact["lists"][name]["diversity@10"], abs=0.02), name
    assert exact["lists"]["popularity"]["diversity@10"] < exact["lists"]["recency"]["diversity@10"] - 0.02


def test_by_categories_other_numbers_stay_as_they_are() -> None:
    """Diversity alone goes by what the catalogue says; items all alike have none."""
    plain = result_of(evaluated(LOG))
    alike = result_of(evaluated(LOG, EvaluationSettings(categories={f"i{n}": ("one",) for n in range(120)})))

    assert alike["diversity"]["by"] == "categories"
    assert {of_list["diversity@10"] for of_list in alike["lists"].values()} <= {0.0, None}
    for name, of_list in plain["lists"].items():
        assert of_list | {"diversity@10": 0} == alike["lists"][name] | {"diversity@10": 0}


def test_lists_without_a_pair_have_no_diversity() -> None:
    """One item, one user: nothing to compare, and a result that can be written."""
    log = log_records([record(0, "u", "a"), record(1, "v", "a")])

    result = result_of(evaluated(log))
    assert result["tests"] == 2
    assert {of_list["diversity@10"] for of_list in result["lists"].values()} == {None}
    assert orjson.loads(orjson.dumps(result))["diversity"]["pairs"] == 0


def test_a_data_set_brings_its_categories(tmp_path: Path) -> None:
    """The genres of its movies; a set whose movies are missing brings none."""
    (tmp_path / "ratings.dat").write_text("1::1::5::1000\n")
    log = MovieLensLog(tmp_path)
    assert categories_of_log(log) == {}

    (tmp_path / "movies.dat").write_text("1::Heat (1995)::Action|Crime\n2::Nothing::\n", "latin-1")
    assert categories_of_log(log) == {"1": ("Action", "Crime"), "2": ()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.jsonl", '{"item_id": "a", "categories": ["x", "y"]}\n{"item_id": 7, "categories": []}\n'),
        ("c.csv", "item_id,categories,price\na,x|y,3\n7,,4\n"),
    ],
)
def test_a_catalogue_is_read_as_items_are(tmp_path: Path, name: str, text: str) -> None:
    """JSON lines, or a table with | between categories."""
    path = tmp_path / name
    path.write_text(text)

    assert categories_of_file(path, Settings()) == {"a": ("x", "y"), "7": ()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"item_id": "a", "categories": 5}\n', "row 1: bad_type"),
        ('{"item_id": "a", "title": "A"}\n', "no item has categories"),
        ('{"categories": ["x"]}\n', "row 1: missing_field"),
        (None, "cannot be read"),
    ],
)
def test_a_catalogue_of_no_use_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    """With the row, or with what it lacks."""
    path = tmp_path / "c.jsonl"
    if text is not None:
        path.write_text(text)

    with pytest.raises(LogError, match=said):
        categories_of_file(path, Settings())
