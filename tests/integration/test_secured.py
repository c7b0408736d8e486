"""Kafka with TLS, logins and permissions: everything runs, and what does not says which setting to change."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.kafka import create_topics, partition_counts, writer
from app.kafka_admin import topic_configs
from app.settings import Settings
from models.errors import FreshetError, ServiceError
from models.partitioner import partition_of
from tables.names import TopicSpec
from tests.command import freshet
from tests.exits import wait_exit
from tests.flow import events
from tests.integration.test_commands import crowd, event, json_of, until
from tests.scene import Scene, Sent
from tests.secured import (
    ACL_OPERATIONS,
    PASSWORD,
    SecuredKafka,
    TokenServer,
    bindings_of,
    make_files,
    token_for,
    topics_of,
)
from tests.stack import fresh_scene, require


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """One broker with all its doors, for all tests of this file."""
    server = SecuredKafka(tmp_path_factory.mktemp("secured"))
    try:
        server.start()
    except FreshetError as error:
        require(error)
    yield server
    server.stop()


@pytest.fixture
def scene(secured: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A namespace of this test's own, of one who may do everything."""
    with fresh_scene(secured.kafka.broker, secured.redis.url, tmp_path, monkeypatch) as scene:
        scene.configure(**secured.by_scram())
        yield scene


def refused(**settings: Any) -> str:
    """What somebody with these settings is told."""
    with pytest.raises(ServiceError) as caught:
        asyncio.run(partition_counts(Settings(**settings).kafka, ["user_events"]))
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_what_keeps_one_out_is_named_with_the_setting(secured: SecuredKafka, tmp_path: Path) -> None:
    """Password, CA, host name, mechanism, certificate, protocol: each has its reason and its setting."""
    strangers = make_files(tmp_path)
    plain = {"kafka_username": "", "kafka_password": ""}
    said = {
        "password": refused(**secured.by_scram(kafka_password="wrong")),
        "password, PLAIN": refused(**secured.by_scram(kafka_password="wrong", kafka_mechanism="PLAIN")),
        "unknown CA": refused(**secured.by_scram(kafka_ca_file=secured.files.stranger_ca)),
        "host name": refused(**secured.by_scram(broker=f"localhost:{secured.ports['SCRAM']}")),
        "mechanism": refused(**secured.by_scram(broker=secured.at("TOKENS"))),
        "no certificate": refused(**secured.by_certificate(kafka_certificate_file="", kafka_key_file="")),
        "certificate": refused(
            **secured.by_certificate(kafka_certificate_file=strangers.client, kafka_key_file=strangers.client_key)
        ),
        "plaintext to TLS": refused(broker=secured.at("SCRAM")),
        "no login": refused(**secured.by_scram(kafka_protocol="SSL", **plain)),
        "TLS to plaintext": refused(**secured.by_scram(broker=secured.kafka.broker)),
        "nobody": refused(broker="127.0.0.1:1"),
    }

    expected = {
        "password": ("refuses the login of user 'root' by SCRAM-SHA-512: Authentication failed", "KAFKA_PASSWORD"),
        "password, PLAIN": ("refuses the login of user 'root' by PLAIN: Authentication failed", "KAFKA_PASSWORD"),
        "unknown CA": ("a certificate that is not trusted by FRESHET_KAFKA_CA_FILE=", "Set FRESHET_KAFKA_CA_FILE"),
        "host name": ("a certificate for other hosts: Hostname mismatch", "Set FRESHET_BROKER to a name"),
        "mechanism": ("offers no login by SCRAM-SHA-512, but by OAUTHBEARER.", "Set FRESHET_KAFKA_MECHANISM"),
        "no certificate": ("seems to want a client certificate", "Set FRESHET_KAFKA_CERTIFICATE_FILE and"),
        "certificate": ("refuses the client's certificate", "FRESHET_KAFKA_CERTIFICATE_FILE"),
        "plaintext to TLS": ("speaks TLS and asks for a login", "Set FRESHET_KAFKA_PROTOCOL=SASL_SSL"),
        "no login": ("speaks TLS and asks for a login", "Set FRESHET_KAFKA_PROTOCOL=SASL_SSL"),
        "TLS to plaintext": ("speaks plaintext and asks for no login", "Set FRESHET_KAFKA_PROTOCOL=PLAINTEXT"),
        "nobody": ("cannot be reached: nobody listens at 127.0.0.1:1", "set FRESHET_BROKER"),
    }
    wrong = {name: said[name] for name, words in expected.items() if not all(word in said[name] for word in words)}
    assert wrong == {}


def test_worker_and_doctor_say_why_they_are_not_let_in(scene: Scene, secured: SecuredKafka) -> None:
    """A worker that cannot log in ends with that message, and the doctor finds it."""
    scene.configure(kafka_password="wrong")

    worker = scene.worker(ready=False)

    assert wait_exit(worker, 30) == 1
    log = worker.log_path.read_text()
    assert f"freshet: Kafka at {secured.at('SCRAM')} refuses the login of user 'root' by SCRAM-SHA-512" in log
    assert "Traceback" not in log
    found = json_of(freshet("doctor", "--json", settings=scene.settings))["findings"]
    assert [each["status"] for each in found if each["check"] == "Kafka"] == ["wrong"]
    assert "Check FRESHET_KAFKA_USERNAME and FRESHET_KAFKA_PASSWORD" in found[0]["found"]


def test_everything_runs_over_tls_with_a_login(scene: Scene, tmp_path: Path) -> None:
    """Worker, produce, recs, replay, dead letters, doctor and reset, by SASL_SSL with SCRAM and a password file."""
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    scene.configure(kafka_password="", kafka_password_file=str(tmp_path / "password"), partitions=2)
    (tmp_path / "log.jsonl").write_bytes(crowd())

    def run(*arguments: str, stdin: bytes = b"") -> Any:
        outcome = freshet(*arguments, "--json", settings=scene.settings, stdin=stdin)
        assert outcome.code == 0, outcome
        return json_of(outcome)

    assert set(run("topics")["topics"].values()) == {1, 2}
    worker = scene.worker()
    assert run("produce", stdin=crowd()) == {"sent": 88, "bad": 0}
    assert run("replay", str(tmp_path / "log.jsonl"), "--speed", "max")["sent"] == 88
    scene.n_sent = 176
    scene.send([Sent(b"u1", event("u1", "astray"), 1 - partition_of(b"u1", 2, "murmur2"))])
    scene.await_durable()
    until(lambda: freshet("recs", "u0", "--json", settings=scene.settings), lambda o: json_of(o)["items"])
    assert run("dead-letters", "count")["by_reason"] == {"wrong_partition": 1}
    assert run("dead-letters", "list")["reason"] == "wrong_partition"
    assert run("dead-letters", "redrive", "--yes")["redriven"] == 1
    found = json_of(freshet("doctor", "--json", settings=scene.settings))["findings"]
    assert [each for each in found if each["status"] == "wrong"] == []
    (allowed,) = [each for each in found if each["check"] == "permissions"]
    assert (allowed["status"], allowed["found"]) == ("ok", "all that a worker needs")
    assert worker.stop() == 0
    assert run("reset", "--yes")["n_partitions"] == 2


@pytest.mark.parametrize("way", ["certificate", "token file", "client credentials", "PLAIN on this machine"])
def test_other_ways_in(scene: Scene, secured: SecuredKafka, tmp_path: Path, way: str) -> None:
    """A worker folds by a client certificate, by tokens of either origin, and by PLAIN without TLS on this machine."""
    scene.create(1)
    server = TokenServer()
    scene.configure(kafka_username="", kafka_password="")
    if way == "certificate":
        secured.grant(bindings_of("User:*", prefix=scene.names.own_prefix))
        scene.configure(**secured.by_certificate())
    elif way == "PLAIN on this machine":
        scene.configure(
            broker=secured.at("INTHECLEAR"),
            kafka_protocol="SASL_PLAINTEXT",
            kafka_mechanism="PLAIN",
            kafka_username="root",
            kafka_password=PASSWORD,
            kafka_ca_file="",
        )
    else:
        scene.configure(broker=secured.at("TOKENS"), kafka_mechanism="OAUTHBEARER")
        if way == "token file":
            (tmp_path / "token").write_text(token_for("root"))
            scene.configure(kafka_token_file=str(tmp_path / "token"))
        else:
            login = {"kafka_username": "client", "kafka_password": PASSWORD}
            scene.configure(kafka_token_url=server.start(), kafka_token_scope="kafka", **login)
    try:
        worker = scene.worker()
        scene.send(events(seed=3, n=300))
        scene.assert_exact()
        assert worker.stop() == 0
    finally:
        server.stop()
    assert server.refused == 0
    if way == "client credentials":
        assert server.given >= 1


def test_setting_that_kafka_refuses_is_left_out(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """A real broker's refusal names the setting: without it the topic is made, and the effect is told."""
    topic = scene.names.user_checkpoints
    spec = TopicSpec(topic, 1, {"cleanup.policy": "compact", "segment.bytes": "1", "segment.ms": "60000"})

    asyncio.run(create_topics(scene.settings.kafka, [spec], 0))

    config = asyncio.run(topic_configs(scene.settings.kafka, [topic]))[topic]
    assert (config["cleanup.policy"], config["segment.ms"]) == ("compact", "60000")
    assert int(config["segment.bytes"]) > 1
    (told,) = [record.getMessage() for record in caplog.records if record.name == "freshet"]
    assert told.startswith(f"{topic} was made without segment.bytes=1, which Kafka refuses: Checkpoints are cleaned")
    with pytest.raises(ServiceError, match=r"cleanup\.policy"):
        asyncio.run(create_topics(scene.settings.kafka, [TopicSpec(f"{topic}2", 1, {"cleanup.policy": "no"})], 0))


def test_worker_runs_with_what_is_printed_and_no_more(scene: Scene, secured: SecuredKafka) -> None:
    """On topics made beforehand, with the printed permissions alone: all is folded; doctor names what is taken away."""
    scene.configure(**secured.by_scram("worker"), partitions=2)
    secured.add_user("worker")
    printed = freshet("topics", "--print", "--format", "all", settings=scene.settings)
    assert (printed.code, printed.err) == (0, "")

    early = freshet("topics", settings=scene.settings)
    assert early.code == 1
    assert "is not there, or this client may not see it, and it may not make it" in early.err

    for done in secured.admin.create_topics(topics_of(printed.out)).values():
        done.result(10)
    granted = bindings_of("User:worker", printed.out)
    secured.grant(granted)
    worker = scene.worker()
    scene.configure(**secured.by_scram())
    scene.send(events(seed=5, n=400))
    expected = scene.assert_exact()
    scene.assert_lists(expected)
    assert scene.read(scene.names.dead_letters), "a twelfth of the events is malformed"
    assert worker.stop() == 0

    scene.configure(**secured.by_scram("worker"))
    found = json_of(freshet("doctor", "--json", settings=scene.settings))["findings"]
    wrong = {each["check"] for each in found if each["status"] == "wrong"}
    assert wrong == {"late events", "workers"}, "the events are old, and nobody is at work"
    (letters,) = [each for each in found if each["check"] == "dead letters" and each["status"] != "ok"]
    assert letters["found"].startswith(f"Kafka does not let this client use the topic {scene.names.dead_letters}")

    secured.revoke([each for each in granted if each.operation == ACL_OPERATIONS["DescribeConfigs"]])
    worker = scene.worker()
    assert "this client may not see its configuration (DescribeConfigs)" in worker.log_path.read_text()
    assert worker.stop() == 0
    secured.revoke([each for each in granted if each.name == scene.names.catalogue])
    found = json_of(freshet("doctor", "--json", settings=scene.settings))["findings"]
    named = {each["found"]: each["status"] for each in found if each["check"] == "permissions"}
    assert named == {
        f"Read on topic {scene.names.catalogue} is not allowed (the catalogue)": "wrong",
        f"DescribeConfigs on topic {scene.names.dead_letters} is not allowed (what could not be folded)": "note",
        f"DescribeConfigs on topic {scene.names.user_checkpoints} is not allowed (saved users)": "note",
        f"DescribeConfigs on topic {scene.names.item_checkpoints} is not allowed (saved items)": "note",
        f"DescribeConfigs on topic {scene.names.interactions} is not allowed (what is handed to the learner)": "note",
        f"DescribeConfigs on topic {scene.names.factors} is not allowed (saved factors)": "note",
    }
    assert wait_exit(scene.worker(ready=False), 30) == 1
    assert f"freshet: topic {scene.names.catalogue} is not there, or this client may not see it" in scene.logs()


def test_intake_runs_with_what_is_printed_and_no_more(scene: Scene, secured: SecuredKafka) -> None:
    """With what is printed for these sources alone their records become events; doctor names what is taken away."""
    theirs = f"{scene.settings.namespace}.visits"
    paths = {"user_id": "who", "item_id": "what", "event_type": "how", "timestamp": "_timestamp"}
    scene.configure(**secured.by_scram("taker"), partitions=2, sources={"shop": {"topics": [theirs], **paths}})
    secured.add_user("taker")
    printed = freshet("topics", "--print", "--format", "all", settings=scene.settings).out
    for done in secured.admin.create_topics(topics_of(printed)).values():
        done.result(10)
    granted = bindings_of("User:taker", printed)
    secured.grant(granted)
    root = Settings(**secured.by_scram())
    asyncio.run(create_topics(root.kafka, [TopicSpec(theirs, 1)], 1))

    worker = scene.worker()
    sent = [orjson.dumps({"who": f"u{number}", "what": "i1", "how": "view"}) for number in range(20)]

    async def send() -> None:
        producer = writer(root.kafka)
        await producer.start()
        await asyncio.gather(*[await producer.send(theirs, value, partition=0) for value in (*sent, b"no JSON")])
        await producer.stop()

    asyncio.run(send())
    scene.configure(**secured.by_scram())

    def missing() -> dict[str, object]:
        found = len(scene.read(scene.names.events)), len(scene.read(scene.names.dead_letters))
        return {} if found == (len(sent), 1) else {"events and letters": found}

    scene.await_none(missing, 30.0, "what the intake writes")
    assert worker.stop() == 0

    def named() -> dict[str, str]:
        scene.configure(**secured.by_scram("taker"))
        found = json_of(freshet("doctor", "--json", settings=scene.settings))["findings"]
        return {each["found"]: each["status"] for each in found if each["check"] == "permissions"}

    assert named() == {"all that a worker needs": "ok"}
    secured.revoke([each for each in granted if each.name == theirs])
    assert named() == {f"Read on topic {theirs} is not allowed (a topic of a source)": "wrong"}
