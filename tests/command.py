"""Runs `freshet` commands in the test's own process, through the same door as the shell: arguments, exit code, text."""

import sys
from typing import NamedTuple
from unittest.mock import patch

import orjson
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


def told(outcome: Outcome) -> dict[str, int]:
    """What `freshet replay --inline --json` or `freshet evaluate --json` says of its records, by the same names."""
    assert outcome.code == 0, outcome.err
    result = orjson.loads(outcome.out.splitlines()[-1])
    skipped = result.get("rows_skipped", 0)
    if "counters" not in result:
        n_dead = sum(result["dead_letters"].values())
        return {"events": result["records"] - n_dead, "dead": n_dead, "skipped": skipped}
    n_dead = sum(n for name, n in result["counters"].items() if name.startswith("dead_letters"))
    return {"events": result["events"], "dead": n_dead, "skipped": skipped}
