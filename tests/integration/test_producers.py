"""Real producers with their defaults: every event is counted, at once or with the setting that the doctor names."""

from pathlib import Path

import pytest

from app.local.stack import LocalStack
from tests.scene import Scene
from tools.producers.clients import CLIENTS
from tools.producers.trial import DIRECT, N_EVENTS, batch_codecs, try_client

BY_NAME = {client.name: client for client in CLIENTS}


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
@pytest.mark.parametrize("name", ["java", "aiokafka"])
def test_clients_that_place_as_java_does(name: str, shared: LocalStack, scene: Scene) -> None:
    """Nothing has to be set: all events count at once, sent by default and with lz4."""
    row = try_client(BY_NAME[name], shared, scene, ("lz4",))

    assert (row.sent, row.at_once, row.counted) == (2 * N_EVENTS, 2 * N_EVENTS, 2 * N_EVENTS)
    assert (row.partitioner, row.default_codec, row.by) == ("murmur2", "none", DIRECT)


def test_a_client_that_places_otherwise(shared: LocalStack, scene: Scene) -> None:
    """The doctor names librdkafka and the setting; after a reset with it every event counts, zstd or not."""
    row = try_client(BY_NAME["confluent-kafka"], shared, scene, ("zstd",))

    assert (row.sent, row.counted) == (2 * N_EVENTS, 2 * N_EVENTS)
    assert 0 < row.at_once < N_EVENTS
    assert (row.partitioner, row.by) == ("crc32", "FRESHET_PARTITIONER=crc32")
    assert row.named.startswith(f"all {row.sent - row.at_once} keys fit crc32: librdkafka (confluent-kafka")


def test_codecs_are_read_from_the_brokers_files(tmp_path: Path) -> None:
    """One batch by gzip, one by zstd, then what a broker has allocated ahead."""
    batches = [bytes(8) + (49).to_bytes(4, "big") + bytes(9) + code.to_bytes(2, "big") + bytes(38) for code in (1, 4)]
    path = tmp_path / "segment"
    path.write_bytes(b"".join(batches) + bytes(100))

    assert batch_codecs(path) == {"gzip", "zstd"}
