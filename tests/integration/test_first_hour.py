"""docs/first-hour.md word for word: its blocks run in their order, as in a newcomer's terminals."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest
import redis

from app.local.ports import HOST
from app.local.session import KAFKA_PORT, REDIS_PORT
from tests.documents import ROOT
from tests.scene import PATIENCE_S, Scene, Sent
from tests.stack import require, shared_stack

PAGE = (ROOT / "docs" / "first-hour.md").read_text("utf-8")
SETUP, KEPT, ONCE = "in each terminal", "keeps running", ""
UP_S = 120.0
CHECKPOINTS_S = 5.0
T = TypeVar("T")


class Block(NamedTuple):
    """One block of the page: what its title says, and its lines."""

    title: str
    code: str


BLOCKS = [
    Block(title or ONCE, code)
    for title, code in re.findall(r'^```sh(?: title="([^"]*)")?\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
]


class Terminals:
    """A newcomer's terminals: one for each command that keeps running, one for all else.

    Parameters
    ----------
    folder
        Where they are; logs go there, too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exported: list[str] = []
        self._kept: list[subprocess.Popen[bytes]] = []
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("FRESHET_")}
        self._environment["PATH"] = f"{Path(sys.executable).parent}:{self._environment['PATH']}"

    def keep(self, code: str) -> Path:
        """Start what keeps running; returns its log."""
        log = self._folder / f"kept-{len(self._kept)}.log"
        with log.open("wb") as out:
            self._kept.append(
                subprocess.Popen(
                    ["bash", "-ec", "\n".join([*self._exported, f"exec env {code}"])],
                    cwd=self._folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        return log

    def paste(self, code: str) -> "subprocess.CompletedProcess[str]":
        """Run lines to their end, the first that fails being the last; what they export stays."""
        done = subprocess.run(
            ["bash", "-ec", "\n".join([*self._exported, code])],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=UP_S,
            check=False,
        )
        self._exported += [line for line in code.splitlines() if line.startswith("export ")]
        return done

    def close(self) -> None:
        """End each, the newest first."""
        for process in reversed(self._kept):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    """Terminals in an empty folder on a machine whose usual ports are taken; what runs in them ends with the test."""
    require(shared_stack())  # Kafka is downloaded then
    opened = Terminals(tmp_path)
    with ExitStack() as held:
        for port in (KAFKA_PORT, REDIS_PORT):
            with suppress(OSError):  # somebody else holds it: as good
                held.enter_context(socket.create_server((HOST, port)))
        yield opened
        opened.close()


def until(ask: Callable[[], T], good: Callable[[T], object], patience_s: float = PATIENCE_S) -> T:
    """Ask until the answer is good."""
    deadline = time.monotonic() + patience_s
    while not good(found := ask()):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def named(words: str) -> Block:
    """The one block that begins with these words."""
    (found,) = [block for block in BLOCKS if block.code.startswith(words)]
    return found


def test_every_block_is_known() -> None:
    """The page grows with its test."""
    assert [block.title for block in BLOCKS].count(KEPT) == 2
    assert {block.title for block in BLOCKS} == {SETUP, KEPT, ONCE}
    assert BLOCKS[0] == Block(SETUP, 'make setup\nexport PATH="$PWD/.venv/bin:$PATH"\n')  # this run began with it
    assert len(BLOCKS) == 14


@pytest.mark.timeout(600)  # two workers and MovieLens, on a machine that others use
def test_first_hour(terminals: Terminals) -> None:
    """Lists, a click that changes one, a log of one's own; each block does what the page says of it."""

    def done(block: Block, good: Callable[[str], object] = bool) -> str:
        """Run a block that reads until it shows what is to be seen; others are run once."""
        found = until(lambda: terminals.paste(block.code), lambda one: one.returncode == 0 and good(one.stdout))
        return found.stdout

    def once(block: Block) -> str:
        found = terminals.paste(block.code)
        assert found.returncode == 0, found.stderr
        return found.stdout + found.stderr

    log = terminals.keep(named("freshet up").code)
    shown = until(log.read_text, lambda text: "Ready." in text, UP_S)
    (line,) = [line for line in shown.splitlines() if line.startswith("export ")]
    terminals.paste(line)
    assert "sent: 100000" in once(named("freshet replay --dataset ml-100k\n")).replace("sent\t", "sent: ")
    shown_first = ("because you looked at", "Return of the Jedi", "Good Will Hunting")  # a list, a neighbour, a trend
    done(named("freshet recs 1\n"), lambda text: all(words in text for words in shown_first))

    click = named("""echo '{"user_id": "1",""")
    item = json.loads(re.findall(r"'(\{.*)'\$", click.code)[0] + "0}")["item_id"]
    settled = until(
        lambda: terminals.paste("freshet recs 1 --json"),
        lambda one: '"titles"' in one.stdout and item in [each["id"] for each in json.loads(one.stdout)["items"]],
    )
    assert json.loads(settled.stdout)["user_id"] == "1"
    once(click)
    until(
        lambda: terminals.paste("freshet recs 1 --json").stdout,
        lambda text: item not in [each["id"] for each in json.loads(text)["items"]],
    )
    assert "100,000" in once(named("freshet replay --dataset ml-100k --inline")).replace("100000", "100,000")

    once(named("cat > clicks.csv"))
    tried = once(named("freshet replay clicks.csv --column user_id=visitor"))
    assert "dead" in tried
    terminals.keep(named("FRESHET_NAMESPACE=shop freshet worker").code)
    once(named("export FRESHET_NAMESPACE=shop"))
    once(named("cat > pages.csv"))
    done(Block(ONCE, "freshet recs cat"), lambda text: "own list" in text)  # all are folded, and what they teach is
    time.sleep(CHECKPOINTS_S)  # known to the other partitions
    once(named("""echo '{"user_id": "cat","""))
    mine = done(named("freshet recs cat"), lambda text: "Oak chair" in text and "own list" in text)
    assert "Floor lamp" in mine and "because you looked at Desk lamp" in mine
    assert "Nothing is wrong" in (said := once(named("freshet doctor"))) or "Everything is as it should be" in said


def test_the_reader_of_the_contracts_page(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines, on a Redis that is not at the usual port: the user's own list, and the default one for others."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "contracts.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.setattr(redis, "Redis", partial(redis.Redis.from_url, scene.settings.redis_url))
    scene.create(1)
    scene.worker()
    now_ms = int(time.time() * 1000)
    events = [(user, item) for user in ("a", "b", "c") for item in ("x", "y") if (user, item) != ("a", "y")]
    scene.send(
        Sent(
            user.encode(),
            json.dumps({"user_id": user, "item_id": item, "event_type": "view", "timestamp": now_ms}).encode(),
        )
        for user, item in events
    )
    code = code.replace("recs:user:1", scene.keys.user_list("a")).replace("recs:default", scene.keys.default_list())

    def read() -> list[str]:
        found: dict[str, list[dict[str, str]]] = {}
        exec(compile(code, "docs/contracts.md", "exec"), found)
        return [item["id"] for item in found["items"]]

    assert until(read, lambda ids: ids == ["y"]) == ["y"]
