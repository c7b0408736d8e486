"""Where real clients put keys, the formulas put them, too (`python -m tools.producers --vectors` wrote the file)."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from models.partitioner import CLIENTS, PARTITIONERS, fitting, partition_of

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("partitioners.json").read_text("utf-8"))
KEYS = [key.encode() for key in VECTORS["keys"]]
PLACED = {client["client"]: client for client in VECTORS["clients"]}
PARTITIONS = (6, 8)


@pytest.mark.parametrize("client", PLACED)
@pytest.mark.parametrize("n_partitions", PARTITIONS)
def test_a_key_lands_where_the_client_sent_it(client: str, n_partitions: int) -> None:
    """Each key of every length and alphabet, by the partitioner that the client is said to have."""
    ours = [partition_of(key, n_partitions, PLACED[client]["partitioner"]) for key in KEYS]

    assert "".join(map(str, ours)) == PLACED[client][str(n_partitions)]


@pytest.mark.parametrize("client", PLACED)
def test_no_other_formula_fits_at_six(client: str) -> None:
    """The keys tell all formulas apart."""
    placed = [(key, int(number)) for key, number in zip(KEYS, PLACED[client]["6"], strict=True)]

    assert fitting(placed, 6) == [PLACED[client]["partitioner"]]


def test_every_formula_has_a_client_and_every_client_a_version() -> None:
    """The vectors reach all there is, from clients whose versions are written down."""
    assert {client["partitioner"] for client in VECTORS["clients"]} == PARTITIONERS.keys() == CLIENTS.keys()
    assert all(client["version"] for client in VECTORS["clients"])


def test_keys_end_at_every_place_in_a_word() -> None:
    """Lengths have every remainder by 4 in each of the first eight words; some are not ASCII, some are long."""
    lengths = Counter(map(len, KEYS))

    assert set(range(1, 25)) <= lengths.keys()
    assert {n % 4 for n in lengths if n > 100} and max(lengths) > 250
    assert {len(key) % 4 for key in KEYS if not key.isascii()} == {0, 1, 2, 3}
