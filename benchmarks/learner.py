"""How many lessons the one learner of factors takes a second, and what it costs a partition to hand them over.

Run: `python -m benchmarks.learner`. One process, CPU time; MovieLens 100k in four partitions, several times over.
"""

import time
from dataclasses import replace

import click
import orjson

from app.replay.fit import fit
from app.replay.ordered import OrderedLog
from app.replay.readers import open_log
from models.partitioner import partition_of
from tables.fold_settings import FoldSettings
from tables.learner import LearnerState
from tables.partition import PartitionState

N_PARTITIONS = 4
EVERY = 1000
SETTINGS = replace(FoldSettings(), evaluate_fraction=0.0)


def handed_over(n_partitions: int) -> tuple[list[bytes], float, int]:
    """The lessons of MovieLens 100k, handed over every 1,000 events; what folding took, s of CPU, and its events."""
    log = OrderedLog(open_log(None, dataset="ml-100k", columns={}, event_type=None))
    states = [PartitionState(number, n_partitions, SETTINGS) for number in range(n_partitions)]
    records = [fit(record) for record in log]
    numbers = [partition_of(record.key, n_partitions) for record in records]
    topic: list[bytes] = []
    began = time.process_time()
    for first in range(0, len(records), EVERY):
        for number, record in zip(numbers[first : first + EVERY], records[first : first + EVERY], strict=True):
            state = states[number]
            state.fold(state.next_offset, 2**42, record.key, record.value)
        for state in states:
            topic += state.take_lessons()
    return topic, time.process_time() - began, len(records)


def learned(topic: list[bytes]) -> tuple[float, int, float]:
    """What learning them takes, s of CPU; lessons; and what saving all rows takes, s of CPU."""
    learner = LearnerState(SETTINGS)
    began = time.process_time()
    for value in topic:
        learner.take(value)
    took_s = time.process_time() - began
    began = time.process_time()
    learner.cut()
    return took_s, learner.n_lessons, time.process_time() - began


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True)
def main(rounds: int) -> None:
    """Print the medians."""
    alone, of_four, learning, saving = (list[float]() for _ in range(4))
    topic, n_events, n_lessons = list[bytes](), 0, 0
    for _ in range(rounds):
        _, one_s, n_events = handed_over(1)
        topic, four_s, _ = handed_over(N_PARTITIONS)
        took_s, n_lessons, save_s = learned(topic)
        for found, seconds in ((alone, one_s), (of_four, four_s), (learning, took_s), (saving, save_s)):
            found.append(seconds)
    middle = rounds // 2
    result = {
        "lessons": n_lessons,
        "lessons_per_s": round(n_lessons / sorted(learning)[middle]),
        "us_per_lesson": round(1e6 * sorted(learning)[middle] / n_lessons, 2),
        "bytes_per_lesson": round(sum(map(len, topic)) / n_lessons, 1),
        "us_per_event_of_one_partition": round(1e6 * sorted(alone)[middle] / n_events, 2),
        "us_per_event_of_four": round(1e6 * sorted(of_four)[middle] / n_events, 2),
        "ms_of_saving_all_rows": round(1e3 * sorted(saving)[middle], 2),
    }
    click.echo(orjson.dumps(result).decode())


if __name__ == "__main__":
    main()
