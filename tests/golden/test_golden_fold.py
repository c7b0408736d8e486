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

SCENARIOS = {
    # the default settings, one partition: nothing is cut or forgotten
    "fold-0001": Scenario(
        seed=1001,
        n_events=400,
        log="a6a6380812456e538480b857944387aaeeeccc69b213bb9c0bb0886d17c18c4a",
        expected={
            "all": "81ac39a71622e55e35afcf006e6c1af32f1c4461143dbf04c533ebacdaf080b9",
            "users": "802dd169e92451ab94b81412f417c90f0abe3f49c8c69975601d7ad4722f7493",
            "items": "3f35637b6d0c8ee07104f957f2569b0a6a8b53b2e3b9a3db6bc58df3b7bf811a",
            "metrics": "0fed5a3d6869a478f89bdf0587ca7656f315720715d9db2a3d2153600fdbaec6",
            "lists": "3cd0d10d6596187ec2c4dabcb5191b4b1d655588ef849731d7d04281b6e8c27e",
        },
    ),
    # small bounds: rows are cut, users and items evicted and expired
    "fold-0002": Scenario(
        seed=1002,
        n_events=600,
        log="dc2bf77303d214f42d307b671f5e92404e1dd1807eda46438e92b347992d8f93",
        expected={
            "all": "4f5a811df99d56f7937bb8a5013318da621e4677443ea4c0f5bd8af55bf3c2ee",
            "users": "2d91dc0d0e75d9c34bdf6b28a6f377ca006d67b9126e9c4dffc84c3293a6afe5",
            "items": "3aad74b2b1f4bb1597523ac5efec35a1e9b4e9df98513893e0c8a7b831268cc0",
            "metrics": "ad2df27f5a36b2212e0575b493e5ad621a8c5a5e3687e1932c8de9e13dd64b0e",
            "lists": "41461513ff7b2a497a1718f894ef86f1b35a6d6e1d40e2490b24cb6d1e409676",
        },
        settings=SMALL,
    ),
    # two partitions that each refuse the other's users
    "fold-0003": Scenario(
        seed=1003,
        n_events=400,
        log="e73c4b6af262ba1625abbccfa1e6dda59e4f78503b251af0911522b303c7f9a8",
        expected={
            "all": "d240efe54ff13489006cd5326ef29b87f0c8989107a593859372cace07bef14d",
            "users": "4817a4398a419ca849aacc7eceae784d55ad91092e024f835055a4d2d290e7c5",
            "items": "b0b4d7abb9aa2f9e249ec33974b32afcdbbbbf60b166420790e93ce2d279be78",
            "metrics": "79e2826a59c72ee3659f43e08d0c91f76766743c78cd606218eb57da9152a484",
            "lists": "8a530027fd0ec1ef1cb5e45114616dc71470f3eeed95595fce620d2b8730eaff",
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
