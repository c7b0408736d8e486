"""A server as a child process: its start, its end, and the end of its parent. The server is a small script."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.local import child
from app.local.leftovers import end_leftover
from app.local.ports import HOST, is_free
from app.local.server import Server
from models.errors import ServiceError

ROOT = Path(__file__).parents[2]
LISTEN = """
import os, signal, socket, sys, time
print("options:", os.environ.get("JAVA_TOOL_OPTIONS"), flush=True)
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "broken" in sys.argv:
    sys.exit("the disk is full")
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listener.accept()[0].close()
"""


class Script(Server):
    def __init__(self, folder: Path, port: int = 0, manner: str = "") -> None:
        super().__init__("script", folder, port)
        self.manner = manner

    def prepare(self) -> list[str]:
        return [sys.executable, "-c", LISTEN, str(self.port), self.manner]

    def is_ready(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return self.manner != "mute"


def wait_for_end(pid: int, started: str | None) -> bool:
    """Whether that process has ended within five seconds."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if child.process_started(pid) != started or child.process_command(pid) is None:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Script]:
    """A script that serves until it is told to stop."""
    script = Script(tmp_path)
    yield script
    script.kill()


def test_started_server_is_ready_and_known_by_its_pid_file(server: Script) -> None:
    """After `start` it answers, and the pid file describes exactly its process; after `stop` both are gone."""
    server.start()
    record = json.loads(server.pid_path.read_text(encoding="utf-8"))

    assert record == {
        "pid": server.pid,
        "started": child.process_started(server.pid),
        "command": child.process_command(server.pid),
    }
    server.stop()
    assert not server.running
    assert not server.pid_path.exists()
    assert is_free(server.port)


def test_killed_server_starts_again_on_its_port(server: Script) -> None:
    """A kill from outside is noticed, and the next start takes the same port with another process."""
    server.start()
    first, port = server.pid, server.port
    os.kill(first, signal.SIGKILL)
    while server.running:
        time.sleep(0.01)

    server.start()

    assert server.pid != first
    assert server.port == port


def test_second_start_is_refused(server: Script) -> None:
    """Starting a running server is an error that names its process."""
    server.start()

    with pytest.raises(ServiceError, match=f"runs already, as process {server.pid}"):
        server.start()


def test_server_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    """The error has the exit code, the path of the log and the lines of this start, not those of earlier ones."""
    (tmp_path / "script.log").write_text("an older complaint\n", encoding="utf-8")
    broken = Script(tmp_path, manner="broken")

    with pytest.raises(ServiceError) as caught:
        broken.start()

    message = str(caught.value)
    assert "ended with code 1" in message
    assert str(tmp_path / "script.log") in message
    assert "the disk is full" in message
    assert "an older complaint" not in message


def test_server_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    """After the deadline the start fails and leaves no process."""
    mute = Script(tmp_path, manner="mute")

    with pytest.raises(ServiceError, match=r"was not ready within 0\.5 s"):
        mute.start(timeout_s=0.5)

    assert not mute.running
    assert not mute.pid_path.exists()


def test_server_deaf_to_the_polite_signal_is_killed(tmp_path: Path) -> None:
    """SIGKILL follows SIGTERM after the time allowed."""
    deaf = Script(tmp_path, manner="deaf")
    deaf.start()

    before = time.monotonic()
    deaf.stop(timeout_s=0.3)

    assert 0.3 <= time.monotonic() - before < 3
    assert not deaf.running


def test_taken_port_is_named(tmp_path: Path) -> None:
    """A port on which something listens already is refused before anything is started."""
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServiceError, match=f"Port {port} on {HOST} is taken"):
            Script(tmp_path, port).start()


def test_ctrl_c_in_the_terminal_does_not_reach_it(server: Script) -> None:
    """The server leads a session of its own, so the terminal's signals go to the parent only."""
    server.start()

    assert os.getsid(server.pid) == server.pid


def test_foreign_java_options_are_kept_away(server: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other Java programs are given in the environment does not reach ours."""
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-javaagent:profiler.jar")
    server.start()

    assert server.log_path.read_text(encoding="utf-8") == "options: None\n"


def test_server_outlives_the_thread_that_started_it(server: Script) -> None:
    """Started from a short-lived thread, it lives on: it ends with the process, not with the thread."""
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    time.sleep(0.2)

    assert server.running
    assert server.is_ready()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_server_dies_with_a_killed_parent(tmp_path: Path) -> None:
    """After `kill -9` of the parent its server is gone within seconds, although nobody stopped it."""
    parent_code = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]
        from test_local_server import Script
        server = Script(Path({str(tmp_path)!r}))
        server.start()
        print(server.pid, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        started = child.process_started(pid)
        parent.kill()

    assert started is not None
    assert wait_for_end(pid, started)


def test_leftover_is_found_by_its_pid_file_and_ended(tmp_path: Path) -> None:
    """A process that outlived its parent and matches the pid file is killed, and the file goes."""
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command) as leftover:
        while child.process_command(leftover.pid) != " ".join(command):
            time.sleep(0.01)
        record = {"pid": leftover.pid, "started": child.process_started(leftover.pid), "command": " ".join(command)}
        pid_path = tmp_path / "script.pid"
        pid_path.write_text(json.dumps(record), encoding="utf-8")

        assert end_leftover(pid_path, "script")

        assert leftover.wait(5) == -signal.SIGKILL
        assert not pid_path.exists()
