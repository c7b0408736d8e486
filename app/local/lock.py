"""Write `kafka.lock.toml` anew: `python -m app.local.lock`, after a change of the versions here or in `jars`.

It resolves the whole tree of dependencies from Maven Central and downloads every jar to sum it up. Read the
difference before committing it: from then on exactly these bytes are run.
"""

import sys
import tempfile
from pathlib import Path

from jgo.env import LockFile
from jgo.maven import Dependency, MavenContext

from app.local.jars import KAFKA_VERSION, LOCK_FILE, MAVEN_CENTRAL, TIMEOUT_S

# Without the second Kafka's log calls, slf4j's, end nowhere: an error would leave an empty log.
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")


def resolve(repo_cache: Path) -> LockFile:
    """The lock file of the two roots and all that they need at run time, sorted by name.

    Each is resolved by itself and the first one's versions win: resolved together, the second one's managed versions
    would replace those that Kafka was released with.
    """
    context = MavenContext(
        repo_cache=repo_cache, local_repos=[], remote_repos={"central": MAVEN_CENTRAL}, timeout=TIMEOUT_S
    )
    found: dict[tuple[str, str], Dependency] = {}
    for root in ROOTS:
        inputs, others = context.resolver.resolve([context.create_dependency(root)])
        for jar in (*inputs, *others):
            found.setdefault((jar.groupId, jar.artifactId), jar)
    return LockFile.from_resolved_dependencies(
        [found[key] for key in sorted(found)], environment_name="kafka", min_java_version=17
    )


def main() -> None:
    """Resolve and write."""
    with tempfile.TemporaryDirectory() as scratch:
        lock = resolve(Path(scratch))
    lock.save(LOCK_FILE)
    sys.stdout.write(f"{len(lock.dependencies)} jars locked in {LOCK_FILE}\n")


if __name__ == "__main__":
    main()
