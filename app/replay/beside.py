"""The same log in other numbers of partitions, each folded by a process of its own: what partitions cost in quality."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import orjson

from app.settings import Settings
from app.worker.process import COMMAND, LOG_LINES, child_environment, environment
from models.errors import ServiceError

RATES = ("hr@10", "hr@20")

Beside = dict[str, dict[str, float | None]]
"""Hit rates by number of partitions."""


@contextmanager
def folded_beside(
    log_arguments: Sequence[str], settings: Settings, counts: Iterable[int]
) -> Iterator[Callable[[], Beside]]:
    """Fold a log in each of these numbers of partitions while the block runs; it gets a function that waits for them.

    Parameters
    ----------
    log_arguments
        Which log, and how to read it, in the words of `freshet replay`.

    Raises
    ------
    ServiceError
        From the function, if one of the processes fails.
    """
    variables = child_environment(environment(settings))
    with ExitStack() as stack:
        processes: dict[int, subprocess.Popen[bytes]] = {}
        for n in sorted(set(counts)):
            words = [*COMMAND, "replay", "--inline", "--partitions", str(n), "--json", *log_arguments]
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
    measured = orjson.loads(out.splitlines()[-1])["prequential"]
    return {rate: measured[rate] for rate in RATES}
