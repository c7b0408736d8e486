"""The made log: the same for the same seed, with everything in it that could be folded wrong."""

from app.bench.oracle import Oracle
from app.bench.verdict import Verdict
from app.bench.workload import Workload
from models.cooccurrence import CooccurrenceSettings
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState

NOW = 1_760_000_000_000
N = 12_000


def test_equal_seeds_give_equal_bytes() -> None:
    """And another seed another log of the same length."""
    logs = [list(Workload(500, seed).records()) for seed in (1, 1, 2)]

    assert logs[0] == logs[1] != logs[2]
    assert [len(log) for log in logs] == [500, 500, 500]


def test_a_made_log_is_folded_as_the_oracle_says() -> None:
    """Noticed and unnoticed duplicates, late events, dead letters and full histories are all in it, and all exact."""
    oracle = Oracle()
    state = PartitionState(0, 1, FoldSettings(cooccurrence=CooccurrenceSettings(n_keep=2000)))
    log = list(Workload(N, 3).records())
    for offset, (key, value) in enumerate(log):
        oracle.add(NOW, key, value)
        state.fold(offset, NOW, key, value)
    verdict = Verdict()
    verdict.judge(oracle, state)

    assert verdict.differences == []
    assert verdict.exact and verdict.counted == oracle.n_events
    assert N * 0.01 < oracle.n_duplicates < N - len(set(log))
    assert oracle.n_late > N * 0.002
    assert oracle.n_dead_letters > N * 0.003
    assert sum(len(user.history) == 20 for user in oracle.users.values()) > 20
    assert len(oracle.users) > 100 and len(oracle.items) > 350
    days = {bucket // 8 for user in oracle.users.values() for bucket in user.counts.buckets["7d"]}
    assert len(days) > 5
    assert oracle.n_events + oracle.n_duplicates + oracle.n_dead_letters == N


def test_rows_stay_below_the_cap() -> None:
    """So that the oracle, which never cuts a row, can be exact: fewer items than neighbours kept."""
    assert Workload(1).n_items < 2000
