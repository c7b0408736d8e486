"""What can be said of a local stack before it starts."""

from pathlib import Path

import pytest

from app.local.kafka import KafkaServer
from app.local.ports import FIRST_PORT, LAST_PORT
from app.local.stack import LocalStack
from models.errors import ServiceError, SettingsError


def test_addresses_are_known_before_the_start(tmp_path: Path) -> None:
    """Ports given are used, and both addresses are of the loopback."""
    stack = LocalStack(tmp_path, kafka_port=20_005, redis_port=20_006)

    assert stack.broker == "127.0.0.1:20005"
    assert stack.redis_url == "redis://127.0.0.1:20006/0"


def test_chosen_ports_lie_below_those_of_outgoing_connections(tmp_path: Path) -> None:
    """A client that retries against a stopped broker can never be given the broker's own port."""
    stack = LocalStack(tmp_path)

    assert FIRST_PORT <= stack.kafka.port <= LAST_PORT
    assert FIRST_PORT <= stack.redis.port <= LAST_PORT
    assert FIRST_PORT <= stack.kafka.controller_port <= LAST_PORT


def test_part_left_out_says_so(tmp_path: Path) -> None:
    """Asking for the address of a part that was left out is an error, not a made-up address."""
    with pytest.raises(SettingsError, match="with_kafka=False"):
        _ = LocalStack(tmp_path, with_kafka=False).broker
    with pytest.raises(SettingsError, match="with_redis=False"):
        _ = LocalStack(tmp_path, with_redis=False).redis_url


def test_folder_that_kafka_would_split_is_refused(tmp_path: Path) -> None:
    """Kafka reads its data folders as a list separated by commas."""
    with pytest.raises(SettingsError, match="comma"):
        KafkaServer(tmp_path / "a,b")


def test_server_that_was_not_started_has_no_pid(tmp_path: Path) -> None:
    """The error names the log, where the reason would be."""
    with pytest.raises(ServiceError, match=r"kafka does not run.*kafka\.log"):
        _ = KafkaServer(tmp_path).pid
