"""Who placed these keys: what records in unexpected partitions say of their producers, and what to set."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from models.partitioner import CLIENTS, PARTITIONERS, fitting

MIXED_KEYS = 10  # two formulas side by side fit fewer keys too often by chance
REDRIVE = "Until then `freshet dead-letters redrive` sends each event to where it belongs."
RESET_FIRST = (
    "In this order: set it, `freshet reset`, then `freshet dead-letters redrive` for what is left. What is re-driven "
    "before a reset lies in the log twice, and may count twice"
)
KEYLESS = (
    "kafka-go's Writer by default (round robin: set its Balancer to &kafka.Murmur2Balancer{} or &kafka.Hash{}), "
    "records sent with a partition of the producer's choice, or keys set after the partition was chosen. Place by the "
    "key, or let the intake place them"
)


class Diagnosis(NamedTuple):
    """What was found out about keys, and what to do; `names` are the partitioners that fit, none if none does."""

    names: tuple[str, ...]
    found: str
    advice: str


def diagnose(placed: Iterable[tuple[bytes, int]], n_partitions: int, ours: str) -> Diagnosis:
    """Name the partitioners that explain where keys lie, with their clients and the setting.

    Parameters
    ----------
    placed
        Keys, each with the partition it lay in; repeats count once.
    ours
        The partitioner of the settings.

    Examples
    --------
    >>> diagnose([(b"user-1", 0), (b"user-2", 3), (b"user-3", 2)], 6, "murmur2").found
    'all 3 keys fit fnv1a: IBM/sarama, segmentio/kafka-go Hash, librdkafka with partitioner=fnv1a_random'
    """
    pairs = sorted(set(placed))
    n = len(pairs)
    all_keys = f"all {n} keys fit" if n > 1 else "the key fits"
    if not pairs:
        return Diagnosis((), "no key to tell the partitioner by", "")
    fits = tuple(fitting(pairs, n_partitions))
    if len(fits) == 1:
        (name,) = fits
        return Diagnosis(fits, f"{all_keys} {_with_clients(name)}", _advice(name, ours))
    if fits:
        found = f"{all_keys} {' and '.join(_with_clients(name) for name in fits)}"
        return Diagnosis(fits, found, f"More keys would tell which to set. {RESET_FIRST}.")
    for mixed in combinations(PARTITIONERS, 2):
        if n >= MIXED_KEYS and not list(_misfits(pairs, n_partitions, mixed)):
            found = f"all {n} keys fit one of {' and '.join(_with_clients(name) for name in mixed)}"
            there = [_there(name, ours) for name in mixed if name != ours]
            advice = f"Producers differ: give all of them one partitioner ({'; '.join(each for each in there if each)})"
            return Diagnosis(mixed, found, f"{advice.removesuffix(' ()')}. {REDRIVE}")
    best, n_fit = Counter(
        {name: n - len(list(_misfits(pairs, n_partitions, (name,)))) for name in PARTITIONERS}
    ).most_common(1)[0]
    found = f"no function of the key ({best} fits best: {n_fit} of {n} keys, {n // n_partitions} would by chance)"
    return Diagnosis((), found, f"So do {KEYLESS}. {REDRIVE}")


def hint(key: bytes, partition: int, n_partitions: int) -> str:
    """Name the partitioners that put one key where it was found, with what to do, in short."""
    fits = fitting([(key, partition)], n_partitions)
    if not fits:
        return "No partitioner that Freshet knows puts it there: is it sent without its key, or round robin?"
    known = ", or ".join(_with_clients(name) for name in fits)
    return f"It fits {known}. One key may do so by chance: `freshet doctor` tests all, and says what to set."


def _misfits(pairs: Iterable[tuple[bytes, int]], n: int, names: Iterable[str]) -> Iterator[bytes]:
    hashes = [PARTITIONERS[name] for name in names]
    return (key for key, partition in pairs if all(hashed(key) % n != partition for hashed in hashes))


def _with_clients(name: str) -> str:
    return f"{name}: {', '.join(CLIENTS[name])}"


def _advice(name: str, ours: str) -> str:
    if name == ours:
        return "They lie where FRESHET_PARTITIONER says."
    there = _there(name, ours)
    change = f", or have them place by {ours} ({there})" if there else ""
    said = f"If all your producers place so, set FRESHET_PARTITIONER={name} and run `freshet reset`{change}."
    return f"{said} {RESET_FIRST}."


def _there(name: str, ours: str) -> str:
    """What the clients that place by one name are to set to place by ours."""
    clients = {client.split()[0] for client in CLIENTS[name]}
    return ", ".join(client for client in CLIENTS[ours] if client.split()[0] in clients)
