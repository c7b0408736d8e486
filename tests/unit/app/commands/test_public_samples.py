"""The commands of docs/bring-your-data.md, run as they stand there on files of the shapes that they are for."""

import re
import shlex
from pathlib import Path

import pytest

from tests.command import freshet, told
from tests.documents import ROOT
from tests.public_samples import SAMPLES

PAGE = (ROOT / "docs" / "bring-your-data.md").read_text()


def documented() -> dict[str, list[str]]:
    """File -> the words of its command, out of the shell blocks of the page."""
    commands = dict[str, list[str]]()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            program, command, file, *flags = shlex.split(line)
            assert program == "freshet" and command in ("replay", "evaluate") and file not in commands
            commands[file] = [command, file, *flags]
    return commands


COMMANDS = documented()


def test_every_documented_file_has_a_sample_and_every_sample_a_command() -> None:
    """Neither the page nor the samples grow alone; there are sixteen sets, one of them twice."""
    assert COMMANDS.keys() == SAMPLES.keys() and len(SAMPLES) == 17
    assert PAGE.lower().count("sixteen public data sets and exports") == 1


@pytest.mark.parametrize("file", COMMANDS)
def test_documented_command_finds_what_is_in_the_file(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many events, dead letters and skipped rows as were counted when the file was made."""
    monkeypatch.chdir(tmp_path)
    expected = SAMPLES[file](tmp_path / file)
    found = told(freshet(*COMMANDS[file], "--json"))
    assert found == {name: expected[name] for name in ("events", "dead", "skipped")}
