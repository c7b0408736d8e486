"""What `freshet topics --print` prints, and what the doctor makes of permissions."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.doctor.permissions import findings_of
from app.settings import Settings
from app.topics.allowed import OPERATIONS, UNTOLD, operations
from app.topics.grants import roles, worker_grants
from app.topics.terraform import label, quoted
from tables.names import Names
from tests.command import freshet

NAMES = Names("shop")
ID = NAMES.transactional_id(0)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FRESHET_CONFIG", raising=False)


def printed(form: str, **settings: Any) -> str:
    """The lines in a format."""
    outcome = freshet("topics", "--print", "--format", form, settings=Settings(namespace="shop", **settings))
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def test_kafka_topics_lines() -> None:
    """A line for each topic, with its partitions, replicas if they were set, and its whole configuration."""
    lines = [shlex.split(line, comments=True) for line in printed("kafka-topics", partitions=6).splitlines()]
    made = {line[line.index("--topic") + 1]: line for line in lines if line}

    for spec in NAMES.topics(6):
        line = made.pop(spec.name)
        assert line[:4] == ["kafka-topics.sh", "--bootstrap-server", "127.0.0.1:9092", "--create"]
        assert line[line.index("--partitions") + 1] == str(spec.partitions)
        assert "--replication-factor" not in line
        assert {line[at + 1] for at, word in enumerate(line) if word == "--config"} == {
            f"{key}={value}" for key, value in spec.config.items()
        }
    assert made == {}
    assert printed("kafka-topics", replication_factor=3).count("--replication-factor 3") == len(NAMES.topics(6))


def test_tools_are_told_how_to_log_in() -> None:
    """On a secured cluster each line names the file with the client's settings, and holds no secret."""
    secured = {"kafka_protocol": "SASL_SSL", "kafka_username": "ann", "kafka_password": "hunter2"}

    out = printed("all", **secured)

    assert "--bootstrap-server 127.0.0.1:9092 --command-config client.properties --create" in out
    assert "--allow-principal User:ann " in out
    assert "hunter2" not in out


def test_acl_lines_of_all_roles() -> None:
    """Each role's grants are lines of their own; of transactional ids the worker has all that begin as its own."""
    lines = [shlex.split(line, comments=True) for line in printed("acls").splitlines()]
    acls = [line for line in lines if line and line[0] == "kafka-acls.sh"]

    assert len(acls) == sum(len(role.grants) for role in roles(NAMES, "w"))
    (prefixed,) = [line for line in acls if "prefixed" in line]
    assert prefixed[prefixed.index("--transactional-id") + 1] == "shop.freshet-"
    assert ID.startswith("shop.freshet-")
    assert NAMES.doctor_id.startswith("shop.freshet-")
    used = {line[at + 1] for line in acls for at, word in enumerate(line) if word == "--operation"}
    assert used == {"Read", "Write", "Describe", "DescribeConfigs"}


def test_worker_is_granted_every_topic() -> None:
    """A worker looks at all topics at its start, so each one is among its grants."""
    granted = {grant.name for grant in worker_grants(NAMES) if grant.kind == "topic"}

    assert granted == {spec.name for spec in NAMES.topics(1)}


def test_an_intake_needs_more() -> None:
    """With sources that have topics: their topics to read, the intake's own, and what it writes to; else none of it."""
    added = {(grant.name, grant.operations) for grant in worker_grants(NAMES, ["visits", "clicks"])} - {
        (grant.name, grant.operations) for grant in worker_grants(NAMES)
    }
    assert added == {
        ("clicks", ("Read",)),
        ("visits", ("Read",)),
        ("shop.user_events", ("Write", "DescribeConfigs")),
        ("shop.items", ("Write", "DescribeConfigs")),
        ("shop.users", ("Write", "DescribeConfigs")),
        ("shop.freshet.intake", ("Read", "Write")),
        ("shop.freshet.redriven", ("Read",)),
    }
    prefix = next(grant.name for grant in worker_grants(NAMES) if grant.prefixed)
    assert NAMES.intake_id("visits", 3).startswith(prefix)
    assert NAMES.history_id.startswith(prefix)
    mapped = {"user_id": "who", "item_id": "what", "event_type": "how", "timestamp": "_timestamp"}
    for form in ("kafka-topics", "acls", "terraform"):
        plain = printed(form, sources={"shop": mapped})
        assert plain == printed(form)
        out = printed(form, sources={"shop": {"topics": ["visits"], **mapped}})
        assert "shop.freshet.redriven" in out and "shop.freshet.redriven" not in plain
        assert ("visits" in out) == (form != "kafka-topics")  # whoever writes there has made it


def test_what_sources_add_for_others() -> None:
    """A redrive sends through the intake's topic; damaged batches are looked for, and lags measured, in theirs."""
    without = {role.user: set(role.grants) for role in roles(NAMES, "w")}
    added = {
        role.user: {(grant.name, grant.operations) for grant in set(role.grants) - without[role.user]}
        for role in roles(NAMES, "w", ["visits"])
    }
    theirs, again, places = ("visits", ("Read",)), "shop.freshet.redriven", ("shop.freshet.intake", ("Read",))
    assert added["freshet-redrive"] == {(again, ("Read", "Write"))}
    assert added["freshet-skip"] == {theirs, (again, ("Read",))}
    assert added["freshet-doctor"] == {theirs, (again, ("Read",)), places}
    assert added["freshet-producer"] == added["freshet-dead-letters"] == set()


def test_the_doctor_names_what_the_intake_lacks() -> None:
    """A topic of a source that may not be read is wrong, as is a log that may not be written."""
    grants = worker_grants(NAMES, ["visits"])
    allowed = given(sources=["visits"], visits=("Read",), shop_user_events=("Write",))

    assert [(each.status, each.found) for each in findings_of(grants, allowed, ID)] == [
        ("wrong", "Read on topic visits is not allowed (a topic of a source)"),
        ("wrong", "Write on topic shop.user_events is not allowed (events that the intake writes)"),
    ]


def test_redis_rules_name_the_keys_of_the_namespace() -> None:
    """Workers may write below the prefix alone, readers may read there."""
    out = printed("acls", key_prefix="team-a:")

    (worker,) = [line for line in out.splitlines() if line.startswith("ACL SETUSER freshet-worker ")]
    (reader,) = [line for line in out.splitlines() if line.startswith("ACL SETUSER freshet-reader ")]
    assert " ~team-a:shop:recs:* " in worker
    assert " %R~team-a:shop:recs:* " in reader
    assert "~recs:" not in worker + reader


def test_terraform_resources() -> None:
    """A resource for each topic and each operation, under names that are all different."""
    out = printed("terraform")

    starts = [line for line in out.splitlines() if line.startswith("resource ")]
    n_operations = sum(len(grant.operations) for role in roles(NAMES, "w") for grant in role.grants)
    assert sum('"kafka_topic"' in line for line in starts) == len(NAMES.topics(1))
    assert sum('"kafka_acl"' in line for line in starts) == n_operations
    assert len(set(starts)) == len(starts)
    assert out.count("{") == out.count("}")
    assert '  name               = "shop.freshet.users"' in out
    assert '    "cleanup.policy" = "compact"' in out
    assert "  default = 3" in out
    assert quoted("a${b}%{c}") == '"a$${b}%%{c}"'
    assert label("9.a") == "_9__2e_a"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--format", "acls"), "say --print, too"), (("--print", "--json"), "leave --json out")],
)
def test_flags_that_do_not_go_together(arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, and what to say instead."""
    outcome = freshet("topics", *arguments)

    assert outcome.code == 2
    assert said in outcome.err


def given(sources: Sequence[str] = (), **less: tuple[str, ...]) -> dict[tuple[str, str], frozenset[str] | None]:
    """What a broker tells a worker, but for what is taken from a thing of this name (dots as underscores)."""
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    for grant in worker_grants(NAMES, sources):
        key = grant.kind, ID if grant.kind == "transactional-id" else grant.name
        lost = set(less.get(grant.name.replace(".", "_").rstrip("-"), ()))
        found[key] = frozenset({"Describe", *grant.operations, *(found.get(key) or ())} - lost)
    return found


def test_permissions_that_are_there_and_missing() -> None:
    """All there is ok; what is missing is named with its thing; what a worker can do without is a note."""
    grants = worker_grants(NAMES)
    (fine,) = findings_of(grants, given(), ID)
    assert (fine.status, fine.found) == ("ok", "all that a worker needs")

    found = findings_of(
        grants, given(shop_user_events=("Read",), shop_freshet_users=("DescribeConfigs",), shop_freshet=("Read",)), ID
    )

    assert [(each.status, each.found) for each in found] == [
        ("wrong", "Read on topic shop.user_events is not allowed (the events)"),
        ("note", "DescribeConfigs on topic shop.freshet.users is not allowed (saved users)"),
        ("wrong", "Read on group shop.freshet is not allowed (partitions are shared out among the workers)"),
    ]
    assert all("freshet topics --print --format acls" in each.advice for each in found)


def test_client_that_is_no_worker() -> None:
    """Who may write nothing that workers write is another client: a note, not a list of all that is missing."""
    nothing: dict[tuple[str, str], frozenset[str] | None] = {key: frozenset({"Read"}) for key in given()}

    (found,) = findings_of(worker_grants(NAMES), nothing, ID)

    assert found.status == "note"
    assert "logs in as another than a worker" in found.found


def test_broker_that_does_not_tell() -> None:
    """Old brokers say nothing about permissions, and nothing is made of that."""
    assert [each.status for each in findings_of(worker_grants(NAMES), {}, ID)] == ["ok"]
    assert operations(UNTOLD) is None
    assert operations(sum(1 << bit for bit in OPERATIONS.values())) == frozenset(OPERATIONS)
