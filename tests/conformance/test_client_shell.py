"""The shell client on a real Redis, alone and as a cluster: the ladder."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis

from app.local.redis import RedisServer, redis_program
from tables.list_json import decode_list
from tests.readers import CASES, name_of, plain, write
from tests.redis_cluster import LocalCluster

PROGRAM = Path(__file__).parents[2] / "clients" / "shell" / "freshet-recs"
LADDER = [case for case in CASES if case["call"]["method"] == "recs"]
CODES = {"unknown_version": 5, "not_a_list": 4}


def run(url: str, namespace: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it with the command line client that belongs to the server."""
    server = redis_program()
    client = server.with_name(server.name.replace("-server", "-cli"))
    variables = {"FRESHET_REDIS_URL": url, "FRESHET_NAMESPACE": namespace, "FRESHET_REDIS_CLI": str(client)}
    command = ["/bin/sh", str(PROGRAM), *arguments]
    return subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, encoding="utf-8", timeout=30
    )


def check(url: str, case: dict[str, Any]) -> None:
    """Make a case's call and compare."""
    given = case["call"]["arguments"]
    segment = [] if given.get("segment") is None else [given["segment"]]

    done = run(url, case["namespace"], given["user_id"], *segment)

    if "error" in case:
        assert (done.returncode, done.stdout) == (CODES[case["error"]], ""), done.stderr
    elif case["expected"] is None:
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert plain(decode_list(done.stdout.encode())) == case["expected"]


@pytest.mark.parametrize("case", LADDER, ids=name_of)
def test_conformance(server: RedisServer, stored: redis.Redis, case: dict[str, Any]) -> None:
    """It does what is demanded of every reader."""
    write(stored, case["given"])

    check(server.url, case)


def test_each_rung_of_a_cluster_is_found(tmp_path: Path) -> None:
    """Whichever node has a key, the one that is named leads there."""
    cluster = LocalCluster(tmp_path)
    cluster.start()
    try:
        with redis.RedisCluster(host="127.0.0.1", port=cluster.nodes[0].port, protocol=2) as client:
            for case in LADDER[:2]:
                write(client, case["given"])
        for case in LADDER[:2]:
            for node in cluster.nodes:
                check(node.url, case)
    finally:
        cluster.stop()


def test_a_server_that_is_not_there_is_no_missing_list(server: RedisServer) -> None:
    """It says so, with a code of its own; so does a call without a user."""
    assert run("redis://127.0.0.1:1/0", "", "u1").returncode == 1
    assert run(server.url, "").returncode == 2
