"""Runs `freshet` commands in the test's own process, through the same door as the shell: arguments, exit code, text."""

import sys
from typing import NamedTuple
from unittest.mock import patch

from click.testing import CliRunner

from app.cli import main
from app.settings import Settings
from app.worker.process import environment


class Outcome(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def freshet(*arguments: str, settings: Settings | None = None, stdin: bytes = b"") -> Outcome:
    """Run one command; its standard input and output are no terminal."""
    variables = {} if settings is None else environment(settings)
    runner = CliRunner()
    with (
        runner.isolation(input=stdin, env=variables) as (out, err, _),
        patch.object(sys, "argv", ["freshet", *arguments]),
    ):
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
        return Outcome(code, out.getvalue().decode(), err.getvalue().decode())
