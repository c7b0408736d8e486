"""The evaluation of a log: what is tested, on which lists, and that plain scripts find the same."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import nan

import numpy as np
import orjson
import pytest

import app.evaluate.run
import tables.evaluator
from app.evaluate.lists import SERVED, Made, PublishedLists
from app.evaluate.result import result_of
from app.evaluate.run import EvaluationSettings
from app.replay.inline import replay_inline
from app.replay.records import LogRecord
from models.errors import InvalidEvent
from models.events import Event, EventRules, decode
from tables.digest import digests
from tables.fold_lists import FOLD_LISTS
from tables.fold_settings import FoldSettings
from tables.list_settings import ListSettings
from tables.user_state import UserState
from tables.view import Filler, ItemView
from tests.evaluations import evaluated, log_records
from tests.logs import REPLAY_MS, START_MS, made_log, record

SETTINGS = FoldSettings()


LOG = log_records(made_log(11, 1500, 30, 200))


class Naive:
    """Popularity and last item, with dicts and sorting, over events in order."""

    def __init__(self) -> None:
        self.histories: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.popular: Counter[str] = Counter()
        self.words: dict[tuple[str, str], tuple[int, bool]] = {}
        self.follows: dict[str, Counter[str]] = defaultdict(Counter)
        self.seen: dict[str, list[str]] = defaultdict(list)
        self.frozen: dict[str, tuple[int, list[list[str]]]] = {}
        self.ids: set[tuple[str, str]] = set()
        self.n, self.n_hits = 0, [0, 0]

    def run(self, records: Sequence[LogRecord]) -> "Naive":
        rules = EventRules()
        for each in records:
            try:
                event = decode(each.key, each.value, REPLAY_MS, rules)
            except InvalidEvent:
                continue
            if event.event_id is not None:
                if (event.user_id, event.event_id) in self.ids:
                    continue
                self.ids.add((event.user_id, event.event_id))
            self.take(event, rules)
        return self

    def take(self, event: Event, rules: EventRules) -> None:
        user, item = event.user_id, event.item_id
        seen = self.seen[user]
        if self.frozen.get(user, (None,))[0] != event.timestamp_ms:
            last = self.last(user)
            both = (self.popular, self.follows[last] if last is not None else Counter())
            self.frozen[user] = event.timestamp_ms, [self.best(counts, seen) for counts in both]
        if rules.is_positive(event) and item not in seen:
            self.n += 1
            for place, names in enumerate(self.frozen[user][1]):
                self.n_hits[place] += item in names
        if rules.is_seen(event):
            if item not in seen:
                seen.append(item)
            before_ms, was_for = self.words.get((user, item), (0, False))
            if event.timestamp_ms >= before_ms:
                self.words[user, item] = event.timestamp_ms, rules.is_positive(event)
                self.popular[item] += rules.is_positive(event) - was_for
            last, took = self.last(user), rules.weight(event) > 0 and not rules.is_negative(event)
            if took and last not in (None, item):
                self.follows[last or ""][item] += 1
            if event.timestamp_ms >= before_ms and rules.weight(event) >= 0:
                others = [entry for entry in self.histories[user] if entry[1] != item]
                if not rules.is_negative(event):
                    place = sum(time_ms <= event.timestamp_ms for time_ms, _ in others)
                    others = [*others[:place], (event.timestamp_ms, item), *others[place:]][-20:]
                self.histories[user] = others

    def last(self, user: str) -> str | None:
        return self.histories[user][-1][1] if self.histories[user] else None

    @staticmethod
    def best(counts: Counter[str], seen: list[str]) -> list[str]:
        return sorted(
            (item for item, n in counts.items() if n and item not in seen), key=lambda item: (-counts[item], item)
        )[:10]


def test_a_plain_script_finds_the_same_baselines() -> None:
    """Popularity and last item have the hit rates that dicts and sorting give, within .001."""
    log = log_records(made_log(12, 3000, 40, 80))
    result = result_of(evaluated(log))
    naive = Naive().run(log)

    assert result["tests"] == naive.n > 300
    popularity, last_item = (n / naive.n for n in naive.n_hits)
    assert result["lists"]["popularity"]["hr@10"] == pytest.approx(popularity, abs=0.001)
    assert result["lists"]["last_item"]["hr@10"] == pytest.approx(last_item, abs=0.001)
    assert min(naive.n_hits) > 20


class FilledByPopularity(PublishedLists):
    """Published lists with the filler of the fold's lists."""

    def filler(self, view: ItemView, as_of_ms: int) -> Filler:
        return view.popularity(1000)


@pytest.mark.parametrize("max_waiting", [1024, 3])
def test_with_one_partition_it_is_the_evaluation_of_the_fold(monkeypatch: pytest.MonkeyPatch, max_waiting: int) -> None:
    """Given the fold's filler and weights, the published list has every number of `replay --inline`, ratings too."""
    monkeypatch.setattr(app.evaluate.run, "FILLER_EVERY", 0)
    for module in (app.evaluate.run, tables.evaluator):
        monkeypatch.setattr(module, "MAX_WAITING", max_waiting)
    folded = replay_inline(LOG, SETTINGS, start_ms=REPLAY_MS).as_json()

    result = result_of(evaluated(LOG, lists=FilledByPopularity(FOLD_LISTS, 30)))

    served = result["lists"][SERVED]
    for metric in ("hr@10", "hr@20", "ndcg@10", "mrr@10"):
        assert served[metric] == folded["prequential"][metric]
    assert result["tests"] == folded["prequential"]["n"]
    assert result["ratings"] == folded["ratings"] and result["ratings"]["n"]
    assert result["left_out"]["dead_letter"] == folded["dead_letters"] > 0
    assert result["left_out"]["duplicate"] == folded["duplicates"] > 0


def test_every_record_is_tested_or_left_out_for_a_reason() -> None:
    """The reasons and the tests add up to the records; positive events on known items are repeats, apart."""
    evaluation = evaluated(LOG, EvaluationSettings(sample=0.5))

    result = result_of(evaluation)
    assert result["tests"] + sum(result["left_out"].values()) == result["records"] == len(LOG)
    assert all(result["left_out"].values())
    assert sum(result["dead_letters"].values()) == result["left_out"]["dead_letter"]
    assert len(result["dead_letters"]) > 5
    assert result["first_dead_letter"].split(": ")[0] == next(iter(result["dead_letters"]))
    assert result["repeat_share"] == round(
        result["left_out"]["repeat"] / (result["left_out"]["repeat"] + result["tests"]), 5
    )


def test_a_sample_tests_some_users_and_learns_from_all() -> None:
    """The state is that of the whole; the tests are those of the sampled users."""
    whole, part = evaluated(LOG), evaluated(LOG, EvaluationSettings(sample=0.4))

    assert digests(part.states) == digests(whole.states)
    assert 0 < len(part.users) < len(whole.users)
    assert set(part.users) <= set(whole.users)
    sampled = np.isin(whole.tests.column("user"), [whole.users[user] for user in part.users])
    for name in ("co_occurrence alone", "history alone", "popularity", "recency", "last_item"):  # no filler in them
        assert part.tests.ranks(name).tolist() == whole.tests.ranks(name)[sampled].tolist()


def test_the_same_log_gives_the_same_numbers() -> None:
    """In one partition and in four, intervals included."""
    for partitions in (1, 4):
        settings = EvaluationSettings(partitions, shares_every=50)
        once, again = result_of(evaluated(LOG[:600], settings)), result_of(evaluated(LOG[:600], settings))
        assert once == again


def test_more_partitions_test_the_same_events_on_lists_of_less_knowledge() -> None:
    """Targets, repeats and baselines are those of one partition; the list finds no more when others are out of sight.

    Seeing the others at once, co-occurrence finds what one partition finds.
    """
    one = result_of(evaluated(LOG))
    blind = result_of(evaluated(LOG, EvaluationSettings(4, shares_every=10**9)))
    seeing = result_of(evaluated(LOG, EvaluationSettings(4, shares_every=1)))

    for other in (blind, seeing):
        assert (other["tests"], other["left_out"]) == (one["tests"], one["left_out"])
        assert other["lists"]["popularity"] == one["lists"]["popularity"]
    rates = [found["lists"]["co_occurrence alone"]["hr@20"] for found in (blind, seeing, one)]
    assert rates[0] < rates[1] == pytest.approx(rates[2], abs=0.02)


def test_events_of_one_timestamp_are_tested_on_one_list() -> None:
    """What the first of them teaches does not help the second; the next timestamp has a list of its own."""
    taught = [record(n, f"u{n % 9}", f"i{n % 2}", at_ms=START_MS + n) for n in range(90)]
    same = [
        record(0, "u", "i0", at_ms=START_MS + 5000),
        record(1, "u", "i1", at_ms=START_MS + 5000),
        record(2, "u", "i2", at_ms=START_MS + 5001),
    ]

    before = evaluated(log_records(taught)).tests.n_lists
    tests = evaluated(log_records([*taught, *same])).tests

    assert tests.column("list").tolist()[-3:] == [before, before, before + 1]
    assert sorted(tests.ranks("popularity").tolist()[-3:]) == [0, 1, 2]
    assert tests.ranks("last_item").tolist()[-3:-1] == [0, 0]


def test_popularity_alone_is_the_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    """For users with a history: the items with the most events, those of the filler; with nothing behind them."""
    monkeypatch.setattr(app.evaluate.run, "FILLER_EVERY", 0)

    lists = result_of(evaluated(LOG[:800]))["segments"]["warm users"]

    for metric in ("hr@10", "hr@20"):
        assert lists["popularity alone"][metric] == lists["popularity"][metric] > 0.0


class Diverged(PublishedLists):
    """Right lists, one score of which is not a number."""

    def make(self, view: ItemView, number: int, user: UserState, filler: Filler) -> Made:
        made = super().make(view, number, user, filler)
        served = made.items[SERVED]
        spoilt = [item._replace(score=nan) if place == 3 else item for place, item in enumerate(served)]
        return Made({**made.items, SERVED: spoilt}, made.proposals)


def test_a_model_that_has_diverged_never_hits() -> None:
    """A list with a score that is not finite is a miss, whatever stands in it."""
    result = result_of(evaluated(LOG, lists=Diverged(ListSettings(), 30)))

    assert result["lists"][SERVED]["hr@20"] < 0.01 < result["lists"]["without history"]["hr@20"]


def test_rules_by_category_hold_in_evaluated_lists() -> None:
    """By the first category of each item of the catalogue: one of each in a list, while there are others."""
    categories = {f"i{number}": [f"c{number % 5}", "all"] for number in range(200)}
    lists = PublishedLists(ListSettings(max_per_category=1), 5)
    evaluation = evaluated(LOG, EvaluationSettings(categories=categories), lists=lists)
    view, filler = evaluation.reading(0)
    user = evaluation.states[0].users.get("u1")
    assert user is not None
    served = [item.item_id for item in lists.served(view, 0, user, filler)]
    assert len(served) == len({categories[item_id][0] for item_id in served}) == 5


def test_each_source_that_is_asked_has_its_lines() -> None:
    """One alone is the list; one without a weight has none."""
    two, one = (
        result_of(evaluated(LOG, lists=PublishedLists(ListSettings("ranks", weights), 30)))["lists"]
        for weights in ({"co_occurrence": 0.4, "history": 0.6, "popularity": 0.0}, {"history": 0.5})
    )

    baselines = ["last_item", "popularity", "recency"]
    each = ["co_occurrence alone", "history alone", "without co_occurrence", "without history"]
    assert sorted(two) == sorted([SERVED, *each, *baselines])
    assert sorted(one) == sorted([SERVED, "history alone", *baselines])
    assert two["without co_occurrence"] == one[SERVED]
    assert one["history alone"]["hr@20"] <= one[SERVED]["hr@20"]


def test_blends_learn_from_what_users_took_to_in_their_own_lists() -> None:
    """From the tests whose item a source had proposed; and the list without a source learns without it."""
    lists = PublishedLists(ListSettings(), 30)
    weights = result_of(evaluated(LOG, lists=lists))["blend"]

    fixed = result_of(evaluated(LOG, lists=PublishedLists(ListSettings("log_shares"), 30)))
    n_tests = len(evaluated(LOG).tests)
    assert n_tests // 3 < weights["n"] + weights["newcomers"]["n"] <= n_tests
    assert len(set(weights["squares"]["history"].values())) == len(weights["weights"]["history"]) + 1
    assert fixed["blend"] == {}
    without = lists._blended["without history"].as_json()
    assert set(without["weights"]["history"].values()) == {0.0}
    assert without["weights"]["co_occurrence"] != weights["weights"]["co_occurrence"]


def test_a_log_without_tests_has_a_result() -> None:
    """Of nothing, and of impressions alone: counts, and no rates."""
    shown = log_records([record(n, "u", f"i{n}", "impression") for n in range(5)])
    for records, left_out in ((shown, 5), ([], 0)):
        result = result_of(evaluated(records))
        assert (result["tests"], result["left_out"]["not_positive"]) == (0, left_out)
        assert (result["lists"], result["differences"], result["series"]) == ({}, {}, [])
        assert orjson.loads(orjson.dumps(result)) == result
