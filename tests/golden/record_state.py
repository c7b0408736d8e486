"""Records state as the checked-out commit saves it, for tests that later ones can read it.

Run by hand in a worktree of the commit, with its own environment; it needs nothing that 31c1283 did not have:

    git worktree add /tmp/old 31c1283 && cd /tmp/old && make setup
    .venv/bin/python .../tests/golden/record_state.py 31c1283 .../tests/golden/state-31c1283.json.gz
"""

import gzip
import json
import sys
from base64 import b64encode
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))  # the worktree's packages

from tables.digest import digests
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tests.logs import log_sha256, made_log
from tests.saved import Topics

SEED, N_EVENTS, N_PARTITIONS = 1107, 300, 2


def main(commit: str, path: Path) -> None:
    """Fold a made log in two partitions, save it in two cuts, and write down what the topics then hold."""
    log = made_log(SEED, N_EVENTS, n_users=10, n_items=30)
    states = [PartitionState(number, N_PARTITIONS, FoldSettings()) for number in range(N_PARTITIONS)]
    records = []
    for state in states:
        topics = Topics()
        state.fold_many(log[: N_EVENTS // 2])
        topics.save(state.cut(-1))
        state.fold_many(log[N_EVENTS // 2 :])
        topics.save(state.cut(log[-1].offset))
        records.append([(topic, text(key), text(value)) for (topic, key), value in topics.latest.items()])
    recorded = {
        "commit": commit,
        "fingerprint": FoldSettings().fingerprint(),
        "log": log_sha256(log),
        "digests": digests(states),
        "partitions": records,
    }
    path.write_bytes(gzip.compress(json.dumps(recorded).encode(), 9, mtime=0))


def text(data: bytes | None) -> str | None:
    """Bytes as JSON can hold them."""
    return None if data is None else b64encode(data).decode()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
