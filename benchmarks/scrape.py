"""What a scrape of a worker's metrics takes of its event loop: `python -m benchmarks.scrape [PARTITIONS]`.

The parts are a real worker's, over a store in memory, with so many partitions.
"""

import sys
from time import perf_counter

from app.worker.owned import OwnedPartition
from tables.partition import PartitionState
from tests.unit.app.metrics.stage import Measured

N = 200


def main(n_partitions: int) -> None:
    """Print the median and the longest of many scrapes."""
    worker = Measured()
    writer = worker.stage.partition.writer
    others = [PartitionState(number, n_partitions, worker.settings.fold) for number in range(1, n_partitions)]
    worker.ownership.owned |= {state.number: OwnedPartition(state, writer) for state in others}
    worker.since.own((number, each.state.metrics) for number, each in worker.ownership.owned.items())
    took_ms = []
    for _ in range(N):
        began = perf_counter()
        body = worker.answers.metrics("").body
        took_ms.append(1000 * (perf_counter() - began))
    took_ms.sort()
    print(
        f"{n_partitions} partitions, {len(body)} bytes: {took_ms[N // 2]:.2f} ms at p50, {took_ms[-1]:.2f} ms at most"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
