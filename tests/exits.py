"""Waiting until a worker process has ended by itself."""

from app.worker.process import WorkerProcess
from models.errors import ServiceError


def wait_exit(worker: WorkerProcess, timeout_s: float) -> int:
    """Its exit code, once it has ended and all that it said has been read.

    Raises
    ------
    ServiceError
        If it has not ended in time.
    """
    try:
        worker.wait_for(lambda _: False, timeout_s, "its end")
    except ServiceError:
        if worker.exit_code is None:
            raise
    worker.kill()  # it has ended: reads what it said last
    assert worker.exit_code is not None
    return worker.exit_code
