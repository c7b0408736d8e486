"""The local stack with real Kafka and real Redis, on a PATH without Java, Maven and Redis."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from app.local import child
from app.local.stack import LocalStack
from models.errors import ServiceError

pytestmark = pytest.mark.timeout(600)  # the first start of all downloads Kafka

ROOT = Path(__file__).parents[2]
HOLD_A_STACK = """
import sys, time
from pathlib import Path
from app.local import child
from app.local.stack import LocalStack
stack = LocalStack(Path(sys.argv[1]))
stack.start()
print(stack.broker, stack.kafka.pid, stack.redis.pid, flush=True)
time.sleep(300)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack of this module's own, started with an empty PATH."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))
        with LocalStack(tmp_path_factory.mktemp("stack")) as started:
            yield started


async def create_topic(broker: str, topic: str) -> None:
    """Make a topic of one partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def send(broker: str, topic: str, value: bytes) -> None:
    """Send one record and await its acknowledgement."""
    async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def read_first(broker: str, topic: str) -> bytes:
    """The first record of a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")
    async with consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        record = await asyncio.wait_for(consumer.getone(), 20)
        value: bytes = record.value
        return value


def is_alive(pid: int) -> bool:
    """Whether a process of that pid runs; one that has ended and waits for its parent does not."""
    return child.process_command(pid) is not None


def test_record_goes_in_and_comes_out(stack: LocalStack) -> None:
    """A topic can be made, a record sent with all acknowledgements, and read back."""

    async def scenario() -> bytes:
        await create_topic(stack.broker, "roundtrip")
        await send(stack.broker, "roundtrip", b"water")
        return await read_first(stack.broker, "roundtrip")

    assert asyncio.run(scenario()) == b"water"


def test_transaction_commits_on_one_node(stack: LocalStack) -> None:
    """Transactions work: the transaction log needs no second broker."""

    async def scenario() -> bytes:
        await create_topic(stack.broker, "transacted")
        producer = AIOKafkaProducer(bootstrap_servers=stack.broker, transactional_id="one")
        async with producer, producer.transaction():
            await producer.send_and_wait("transacted", b"all or nothing")
        return await read_first(stack.broker, "transacted")

    assert asyncio.run(scenario()) == b"all or nothing"


def test_topics_are_not_made_by_accident(stack: LocalStack) -> None:
    """Sending to a topic that nobody made fails."""

    async def scenario() -> None:
        async with AIOKafkaProducer(bootstrap_servers=stack.broker, request_timeout_ms=2000) as producer:
            await producer.send_and_wait("misspelt", b"x")

    with pytest.raises(UnknownTopicOrPartitionError):
        asyncio.run(scenario())


def test_redis_answers_and_forgets_at_a_restart(stack: LocalStack) -> None:
    """SET and GET work; after a kill the same port serves an empty server with functions."""
    with redis.Redis.from_url(stack.redis_url) as client:
        client.set("local-stack:key", "value")
        assert client.get("local-stack:key") == b"value"

        stack.redis.kill()
        stack.redis.start()

        assert client.get("local-stack:key") is None
        assert client.function_list() == []


def test_killed_broker_comes_back_with_its_records(stack: LocalStack) -> None:
    """After `kill -9` the next start uses the same port, and what was acknowledged is still there."""
    broker = stack.broker

    async def before() -> None:
        await create_topic(broker, "kept")
        await send(broker, "kept", b"still here")

    asyncio.run(before())
    first = stack.kafka.pid
    stack.kafka.kill()
    assert not stack.kafka.is_ready()

    stack.kafka.start()

    assert stack.kafka.pid != first
    assert stack.broker == broker
    assert asyncio.run(read_first(broker, "kept")) == b"still here"


def test_folder_of_a_living_stack_is_refused(stack: LocalStack) -> None:
    """A second stack on the same folder fails at once and leaves the first one alone."""
    with pytest.raises(ServiceError, match=f"in use by a local stack that runs in process {os.getpid()}"):
        LocalStack(stack.folder).start()

    assert stack.kafka.is_ready()
    assert stack.redis.is_ready()


def test_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    """Damaged data make the start fail within seconds; the error quotes the log, and nothing stays behind."""
    stack = LocalStack(tmp_path)
    (tmp_path / "kafka" / "data").mkdir(parents=True)
    (tmp_path / "kafka" / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=7\n")
    (tmp_path / "kafka" / "cluster.id").write_text("x")

    with pytest.raises(ServiceError) as caught:
        stack.start()

    assert str(tmp_path / "kafka" / "kafka.log") in str(caught.value)
    assert "node" in str(caught.value)
    assert not stack.redis.running
    assert not list(tmp_path.glob("*/*.pid"))


def test_durable_redis_keeps_its_data_unless_told_to_start_empty(tmp_path: Path) -> None:
    """A durable server has its keys after a stop, and none after a start with `empty`."""
    with LocalStack(tmp_path, durable=True, with_kafka=False) as stack:
        with redis.Redis.from_url(stack.redis_url) as client:
            client.set("key", "value")
        stack.redis.stop()
        stack.redis.start()
        with redis.Redis.from_url(stack.redis_url) as client:
            assert client.get("key") == b"value"
        stack.redis.kill()
        stack.redis.start(empty=True)
        with redis.Redis.from_url(stack.redis_url) as client:
            assert client.dbsize() == 0


def test_folder_of_a_killed_parent_starts_anew(tmp_path: Path) -> None:
    """After `kill -9` of the process that holds a stack its servers end, and the folder serves the next one."""
    command = [sys.executable, "-c", HOLD_A_STACK, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        try:
            assert parent.stdout is not None
            broker, kafka_pid, redis_pid = parent.stdout.readline().split()
            asyncio.run(create_topic(broker, "inherited"))
            asyncio.run(send(broker, "inherited", b"from before"))
        finally:
            parent.send_signal(signal.SIGKILL)

    before = time.monotonic()
    with LocalStack(tmp_path) as stack:
        assert time.monotonic() - before < 30
        assert not is_alive(int(kafka_pid))
        assert not is_alive(int(redis_pid))
        assert asyncio.run(read_first(stack.broker, "inherited")) == b"from before"
