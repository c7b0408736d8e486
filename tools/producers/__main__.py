"""Runs the real producer clients of this machine against a local broker and worker; prints the table of the docs.

make producers                      every client, its defaults and each codec it has
python -m tools.producers sarama    some clients alone
python -m tools.producers --vectors tests/golden/partitioners.json
"""

import argparse
import subprocess
import tempfile
import uuid
from pathlib import Path

from app.local.stack import LocalStack
from models.errors import FreshetError
from tests.scene import Scene
from tools.producers.clients import CLIENTS, OTHER_PARTITIONERS
from tools.producers.trial import N_EVENTS, N_PARTITIONS, Row, try_client
from tools.producers.vectors import record_vectors

COLUMNS = (
    "client",
    "version",
    "partitioner",
    "codec",
    "with codecs",
    "sent",
    "at once",
    "named by doctor",
    "then",
    "counted",
)


def main() -> int:
    """Exit code 0 if every event of every client that could be tried was counted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=", ".join(client.name for client in CLIENTS))
    parser.add_argument("--vectors", type=Path, help="write golden vectors there instead")
    asked = parser.parse_args()
    clients = [client for client in CLIENTS if client.name in (asked.clients or [each.name for each in CLIENTS])]
    with (
        tempfile.TemporaryDirectory(prefix="freshet-producers-") as folder,
        LocalStack(Path(folder) / "stack") as stack,
    ):
        if asked.vectors:
            placing = [client for client in (*clients, *OTHER_PARTITIONERS) if client.name != "kafka-go"]
            record_vectors(placing, stack, scene_on(stack, Path(folder)), asked.vectors)
            return 0
        rows: list[Row] = []
        failed: list[str] = []
        for client in clients:
            if missing := client.ready():
                print(f"{client.title}: left out, {missing}", flush=True)
                continue
            scene = scene_on(stack, Path(folder))
            try:
                rows.append(try_client(client, stack, scene, client.codecs))
                print(f"{client.title}: {rows[-1].counted} of {rows[-1].sent} counted", flush=True)
            except (AssertionError, RuntimeError, subprocess.TimeoutExpired, FreshetError) as error:
                failed.append(client.title)
                print(f"{client.title}: {error}", flush=True)
            finally:
                scene.close()
    print(f"\n{N_EVENTS} events with each client's defaults and with each codec, {N_PARTITIONS} partitions:\n")
    print("\n".join(table(rows)))
    failed += [row.client for row in rows if row.counted != row.sent]
    print(f"\n{len(rows)} clients tried; failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


def scene_on(stack: LocalStack, folder: Path) -> Scene:
    """A namespace of its own."""
    return Scene(stack.broker, stack.redis_url, f"p{uuid.uuid4().hex[:10]}", folder)


def table(rows: list[Row]) -> list[str]:
    """As Markdown."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS)]
    for row in rows:
        named = row.named.partition(": ")[0].partition(" (")[0]  # without clients and numbers
        numbers = (str(row.sent), str(row.at_once))
        what = (row.client, row.version, row.partitioner, row.default_codec, row.codecs)
        lines.append((*what, *numbers, named, row.by, str(row.counted)))
    return [f"| {' | '.join(line)} |" for line in lines]


if __name__ == "__main__":
    raise SystemExit(main())
