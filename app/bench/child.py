"""Programs of a benchmark that run beside it: they are told things, and tell things, as JSON lines."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

import app
from app.local import child
from models.errors import ServiceError

STOP_S = 5.0
LOG_BYTES = 2000
LINE_BYTES = 1 << 24


class Child:
    """`python -m MODULE ARGUMENTS...` for the time of an `async with` block.

    On Linux it dies with this process, however that ends. `FRESHET_*` variables are not handed on.

    Parameters
    ----------
    folder
        Holds its pid file, what it writes to standard error, and what else it leaves.
    variables
        For its environment: what must not be seen in its command line.
    """

    def __init__(self, folder: Path, module: str, *arguments: str, variables: Mapping[str, str] | None = None) -> None:
        self._module = module
        self._arguments = arguments
        self._variables = variables or {}
        self._folder = folder / module.rpartition(".")[2]
        self._process: Process | None = None

    def tell(self, **fields: object) -> None:
        """Send it a line; one that has ended does not mind."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(fields) + b"\n")

    def tell_end(self) -> None:
        """Close its standard input."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()

    async def line(self, timeout_s: float) -> dict[str, Any]:
        """Its next line.

        Raises
        ------
        ServiceError
            If none comes in time, or it has ended; with the end of its log.
        """
        assert self._process is not None and self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                raw = await self._process.stdout.readline()
        except TimeoutError:
            raise ServiceError(f"{self._module} has said nothing for {timeout_s:g} s. {self._log()}") from None
        if not raw:
            raise ServiceError(f"{self._module} has ended. {self._log()}")
        line: dict[str, Any] = orjson.loads(raw)
        return line

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True)
        variables = {name: value for name, value in os.environ.items() if not name.startswith("FRESHET_")}
        variables.update(self._variables)
        variables["PYTHONPATH"] = str(Path(app.__file__).parents[1])
        variables.update(self._variables)
        wrapper = [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), str(self._folder / "pid")]
        command = [sys.executable, "-m", self._module, *self._arguments]
        with (self._folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *wrapper,
                *command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                cwd=self._folder,
                env=variables,
                limit=LINE_BYTES,
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process is not None and process.stdin is not None
        process.stdin.close()
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()

    def _log(self) -> str:
        text = (self._folder / "log").read_text(errors="replace")[-LOG_BYTES:].strip()
        return f"Its log ends with:\n{text}" if text else "Its log is empty."
