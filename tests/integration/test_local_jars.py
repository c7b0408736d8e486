"""Downloads of jars, from a small repository on the loopback address."""

import gc
import hashlib
import os
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.local.jars import Jar, require_jars
from models.errors import ServiceError

CONTENTS = {f"stream-{number}": f"jar {number}".encode() * 1000 for number in range(6)}
JARS = [Jar("org.example", name, "1.0", hashlib.sha256(content).hexdigest()) for name, content in CONTENTS.items()]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[str]:
    """The address of a Maven repository that has all the jars."""
    root = tmp_path / "repository"
    for jar in JARS:
        path = root / "org" / "example" / jar.artifact / "1.0" / jar.file_name
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENTS[jar.artifact])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_missing_jars_are_fetched_and_reported(repository: str, tmp_path: Path) -> None:
    """Only what is missing is fetched; progress runs from 0 to its count; nothing but jars stays in the cache."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / JARS[0].file_name).write_bytes(CONTENTS["stream-0"])
    seen: list[tuple[int, int]] = []

    paths = require_jars(JARS, cache, downloaded=lambda done, total: seen.append((done, total)), repository=repository)

    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    assert seen == [(done, 5) for done in range(6)]
    assert sorted(path.name for path in cache.iterdir()) == sorted(jar.file_name for jar in JARS)


def test_two_processes_may_fill_one_cache(repository: str, tmp_path: Path) -> None:
    """Both get complete jars, whoever is first."""
    cache = tmp_path / "cache"
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(require_jars, JARS, cache, repository=repository) for _ in range(4)]
        results = [job.result() for job in jobs]

    assert all([path.read_bytes() for path in paths] == list(CONTENTS.values()) for paths in results)
    assert len(list(cache.iterdir())) == len(JARS)


def test_scratch_of_a_killed_download_is_removed(repository: str, tmp_path: Path) -> None:
    """What a download killed long ago left in the cache goes with the next one; a young one may still be at work."""
    for name, age_s in (("old", 7200), ("young", 60)):
        scratch = tmp_path / f".fill-{name}"
        (scratch / "1").mkdir(parents=True)
        os.utime(scratch, (time.time() - age_s,) * 2)

    require_jars(JARS[:1], tmp_path, repository=repository)

    assert [path.name for path in tmp_path.glob(".fill-*")] == [".fill-young"]


def test_download_with_another_sum_is_refused(repository: str, tmp_path: Path) -> None:
    """A jar that is not the locked one never gets into the cache, and the error has both sums."""
    wanted = Jar("org.example", "stream-1", "1.0", "0" * 64)

    with pytest.raises(ServiceError) as caught:
        require_jars([wanted], tmp_path / "cache", repository=repository)

    assert "refused" in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert JARS[1].sha256 in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_repository_without_the_jar_is_named(repository: str, tmp_path: Path) -> None:
    """The error says what could not be fetched, from where, and what to do without it."""
    absent = Jar("org.example", "drought", "1.0", "0" * 64)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # jgo does not close an answer that it cannot use
        with pytest.raises(ServiceError, match=r"drought-1\.0\.jar from http://127\.0\.0\.1:.*--broker"):
            require_jars([absent], tmp_path / "cache", repository=repository)
        gc.collect()


def test_unreachable_repository_is_named(tmp_path: Path) -> None:
    """Without a network the error is the same clear one."""
    with pytest.raises(ServiceError, match=r"Cannot download stream-0-1\.0\.jar from http://127\.0\.0\.1:1"):
        require_jars(JARS[:1], tmp_path / "cache", repository="http://127.0.0.1:1")
