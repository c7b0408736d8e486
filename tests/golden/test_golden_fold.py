"""Recorded digests: a fold that gives other numbers than it once did fails here.

Each scenario has a permanent id. A digest is never mended in passing: re-recording one is a commit of its own that says
why the numbers changed, and raises `STATE_VERSION` in tables/fold_settings.py if stored state is concerned. A new case
gets a new id. To print what the code gives now: python -m tests.golden.test_golden_fold
"""

from dataclasses import dataclass, field

import pytest

from models.cooccurrence import CooccurrenceSettings
from tables.digest import digests
from tables.fold_settings import FoldSettings
from tests.logs import DAY_MS, Record, log_sha256, made_log
from tests.saved import folded


@dataclass(frozen=True)
class Scenario:
    """A log from a seed, folded with these settings in this many partitions, and what came out."""

    seed: int
    n_events: int
    log: str
    expected: dict[str, str]
    n_partitions: int = 1
    settings: FoldSettings = field(default_factory=FoldSettings)

    def records(self) -> list[Record]:
        """The log."""
        return made_log(self.seed, self.n_events, n_users=12, n_items=60)

    def found(self) -> dict[str, str]:
        """The digests that the code gives now."""
        states = [folded(self.records(), self.settings, n, self.n_partitions) for n in range(self.n_partitions)]
        return digests(states)


SMALL = FoldSettings(
    cooccurrence=CooccurrenceSettings(n_history=4, n_keep=5),
    max_seen=16,
    max_users=8,
    max_items=32,
    max_idle_ms=3 * DAY_MS,
)

# recorded anew with state version 2: the fold learns ratings and history factors and evaluates; errors of ratings off
# the scale are measured from its nearest end
# a time below 10^11 is refused: the malformed record under another's key has a real one now; the digests are the same
# with state version 4 an id may be an integer: the malformed record that had one has 7.5 now; other logs, same digests
# recorded anew with state version 6: words on items, people instead of events as popularity, histories by event time;
# ratings of the logs are at least 0.5, the lowest of the usual scale
SCENARIOS = {
    # the default settings, one partition: nothing is cut or forgotten
    "fold-0001": Scenario(
        seed=1001,
        n_events=400,
        log="d8b40ebba19758273bedc4dec6f3f025e2cc3c51457ad1e8c52421ec9d74bbef",
        expected={
            "all": "1b404dd317e992373e1611c9b0256d29718781c32480f6950a0178bc197ab7c3",
            "users": "0f8da470b2d6a7d37a1acbe5becd5400e46e6dbbbe5d406098c22a049759d353",
            "items": "9d64b85baa90ad16b3b791b81c8351349fbe9c353252a122de44123d24eaedc5",
            "metrics": "02ef1c12e1a2071f745259449c7ae63967828972d9e1713ed84df8bd8e2200c5",
            "lists": "2c9de8401b4a5c4e7859fd3ba6e946286ca6d92e845cfd592a1d6055e2ed40d7",
        },
    ),
    # small bounds: rows are cut, users and items evicted and expired; recorded anew with state version 3: items go in
    # another order, those first that are idle longest for the number of their events
    "fold-0002": Scenario(
        seed=1002,
        n_events=600,
        log="6579d8350d42ece38e97b6c69d360ec301ce47cf025fa12c53afec1f2cb15632",
        expected={
            "all": "80ebc424d8211528df5ba1da996faa69d36af1be2b456cbfc4fdcddcfd7b3174",
            "users": "5b3dd0827586dc2b22289dd896c3fbacb6b4b5f72f0092d00d16259c7cf4921c",
            "items": "1cea721856754615985d6ce17146baf1f10050612adbaba0c488e7ff6e891750",
            "metrics": "c68e5174f3313987f1708a6e76f5af8826e54191af22820c4f0b4341fd74f0f6",
            "lists": "318b7e6e658449505fffb6263977b8526169d8792b1af1062528cd02e026a8c0",
        },
        settings=SMALL,
    ),
    # two partitions that each refuse the other's users; recorded anew with state version 7: of several partitions none
    # learns factors, so items, lists and the lists that wait have none
    "fold-0003": Scenario(
        seed=1003,
        n_events=400,
        log="add2fd6f98a94c175e166083de19da8c0397d65da3c4789c05acfdc40534fea3",
        expected={
            "all": "f92e220bbe81fae2c36b2b2f62fd1626b65206059abcb0015e24a0f085e7cd71",
            "users": "068ccf0fbb0000e767953ab9bbc1c9f176f17254a0a4d869516a072dc2d07f6b",
            "items": "4d21f4d4b19a73b483c5df86cefd947df97b3feac22702e881a0491c6c70567e",
            "metrics": "5b3933f3ff0dfb4cc08aab2ffb5d7baeec9e2e2b2a933862f1c992595e59a46b",
            "lists": "859772a6960fd7ad8b64092ac42949241fec5e9ef4f0dc1f9865e58106266bdd",
        },
        n_partitions=2,
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_the_log_is_the_recorded_one(scenario: Scenario) -> None:
    """If this fails the generator of logs has changed, not the fold."""
    assert log_sha256(scenario.records()) == scenario.log


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_the_fold_gives_the_recorded_digests(scenario: Scenario) -> None:
    """Users, items, metrics and lists, bit for bit."""
    assert scenario.found() == scenario.expected


if __name__ == "__main__":
    for name, each in SCENARIOS.items():
        print(name, log_sha256(each.records()), each.found())
