"""The same log in other numbers of partitions, each folded by a process of its own: what partitions cost in quality."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import orjson

from app.settings import Settings
from app.worker.process import COMMAND, LOG_LINES, child_environment, environment
from models.errors import ServiceError

RATES = ("hr@10", "hr@20")

Beside = dict[str, dict[str, float | None]]
"""Hit rates by number of partitions: of the fold's own list, and of the published one if it was scored."""

PUBLISHED = "published_"
"""Before the names of the second."""


@contextmanager
def folded_beside(
    log_arguments: Sequence[str], settings: Settings, counts: Iterable[int], shares_every: int
) -> Iterator[Callable[[], Beside]]:
    """Fold a log in each of these numbers of partitions while the block runs; it gets a function that waits for them.

    Parameters
    ----------
    log_arguments
        Which log, and how to read it, in the words of `freshet replay`.
    shares_every
        Records after which a partition sees what the others did, for the published list.

    Raises
    ------
    ServiceError
        From the function, if one of the processes fails.
    """
    variables = child_environment(environment(settings))
    with ExitStack() as stack:
        processes: dict[int, subprocess.Popen[bytes]] = {}
        for n in sorted(set(counts)):
            how = ["--inline", "--partitions", str(n), "--shares-every", str(shares_every), "--json"]
            words = [*COMMAND, "replay", *how, *log_arguments]
            process = subprocess.Popen(
                words, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            processes[n] = stack.enter_context(process)
            stack.callback(process.kill)
        yield lambda: {str(n): _rates(n, process) for n, process in processes.items()}


def _rates(n_partitions: int, process: "subprocess.Popen[bytes]") -> dict[str, float | None]:
    out, err = process.communicate()
    if process.returncode and b'"rows_refused":' not in out:  # with rows refused it ends with 1, behind its result
        said = "\n".join(err.decode(errors="replace").splitlines()[-LOG_LINES:])
        raise ServiceError(f"the fold in {n_partitions} partitions beside ended with code {process.returncode}: {said}")
    result = orjson.loads(out.splitlines()[-1])
    published = published_rates(result)
    own = {rate: result["prequential"][rate] for rate in RATES}
    return own | {f"{PUBLISHED}{rate}": published[rate] for rate in RATES if published}


def published_rates(result: Mapping[str, Any]) -> Mapping[str, float]:
    """What the published list is worth by a replay's result; empty if it was not scored, or had no test."""
    return result.get("published", {}).get("lists", {}).get("list", {})  # type: ignore[no-any-return]
