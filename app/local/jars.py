"""The jars of Apache Kafka: pinned by a lock file, downloaded once, checked at every start.

`kafka.lock.toml` is written by `python -m app.local.lock` in jgo's format and holds the SHA-256 sum of every jar. The
cache, `$XDG_CACHE_HOME/freshet/jars` or `~/.cache/freshet/jars`, is shared by all stacks of a user. A jar is complete
and checked before it gets its name there, so two processes may fill the cache at once.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from models.errors import ServiceError

KAFKA_VERSION = "4.3.0"
MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"
LOCK_FILE = Path(__file__).with_name("kafka.lock.toml")

DOWNLOADS_AT_ONCE = 4
ATTEMPTS = 3
TIMEOUT_S = 30
ABANDONED_AFTER_S = 3600.0


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the cache and in a Maven repository."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(lock_file: Path = LOCK_FILE) -> list[Jar]:
    """The jars of the lock file, in its order."""
    with lock_file.open("rb") as file:
        entries = tomllib.load(file)["dependencies"]
    return [Jar(entry["groupId"], entry["artifactId"], entry["version"], entry["sha256"]) for entry in entries]


def default_cache() -> Path:
    """The folder that all stacks of this user share."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "freshet" / "jars"


def require_jars(
    jars: list[Jar],
    cache: Path,
    *,
    downloaded: Callable[[int, int], None] = lambda done, total: None,
    repository: str = MAVEN_CENTRAL,
) -> list[Path]:
    """The paths of the jars, each present and with the sum of the lock file.

    Parameters
    ----------
    downloaded
        Called with (done, total) when a download begins and after every jar; never called when all are cached, and
        then no network is used either.

    Raises
    ------
    ServiceError
        If a jar's sum differs, or a missing one cannot be downloaded.
    """
    missing = [jar for jar in jars if not (cache / jar.file_name).exists()]
    if missing:
        _download_all(missing, cache, downloaded, repository)
    for jar in jars:
        path = cache / jar.file_name
        found = _sha256(path)
        if found != jar.sha256:
            raise ServiceError(
                f"The cached {path} has SHA-256 {found}, but the lock file says {jar.sha256}. It is damaged or was "
                f"changed, and is not run. Delete it, and the next start downloads it again."
            )
    return [cache / jar.file_name for jar in jars]


def _download_all(jars: list[Jar], cache: Path, downloaded: Callable[[int, int], None], repository: str) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(cache)
    downloaded(0, len(jars))
    with _system_certificates(), tempfile.TemporaryDirectory(prefix=".fill-", dir=cache) as scratch:
        pool = ThreadPoolExecutor(DOWNLOADS_AT_ONCE, thread_name_prefix="freshet-download")
        try:
            jobs = [pool.submit(_download, jar, cache, Path(scratch), repository) for jar in jars]
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                downloaded(done, len(jars))
        finally:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _system_certificates() -> Iterator[None]:
    """Trust whom this machine trusts, not only the list that comes with the HTTP library: companies have their own."""
    try:
        import truststore
    except ImportError:
        yield
        return
    truststore.inject_into_ssl()
    try:
        yield
    finally:
        truststore.extract_from_ssl()


def _download(jar: Jar, cache: Path, scratch: Path, repository: str) -> None:
    try:
        from jgo.maven import MavenContext
    except ImportError:
        raise ServiceError(
            "The local stack needs the package 'jgo' to download Kafka. Run: pip install 'freshet[local]'"
        ) from None
    for attempt in range(1, ATTEMPTS + 1):
        repo_cache = scratch / f"{attempt}"
        context = MavenContext(
            repo_cache=repo_cache, local_repos=[], remote_repos={"remote": repository}, timeout=TIMEOUT_S
        )
        artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        try:
            path: Path = artifact.resolve()
            break
        except (OSError, RuntimeError) as error:  # what requests raises is an OSError
            if attempt == ATTEMPTS:
                raise ServiceError(
                    f"Cannot download {jar.file_name} from {repository}: {error}. Kafka {KAFKA_VERSION} is fetched "
                    f"once, 45 MB, into {cache}. Check the network and HTTPS_PROXY, or use a running broker with "
                    f"--broker HOST:PORT."
                ) from error
    found = _sha256(path)
    if found != jar.sha256:
        raise ServiceError(
            f"{jar.file_name} as downloaded from {repository} has SHA-256 {found}, but the lock file says "
            f"{jar.sha256}. It is refused: something between here and there changes files, or the lock file is wrong."
        )
    path.replace(cache / jar.file_name)


def _remove_abandoned(cache: Path) -> None:
    """Remove what a process killed during its download left behind."""
    for scratch in cache.glob(".fill-*"):
        with contextlib.suppress(FileNotFoundError):  # its owner has just finished
            if time.time() - scratch.stat().st_mtime > ABANDONED_AFTER_S:
                shutil.rmtree(scratch, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
