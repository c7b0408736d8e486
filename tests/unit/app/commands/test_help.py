"""The contract of every command line: help with an example, exit codes, nothing heavy before it is needed."""

import click
import pytest

from app.cli import cli
from tests.command import freshet


def paths(group: click.Group, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command, as the words that call it."""
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        path = (*before, name)
        found += [path, *(paths(command, path) if isinstance(command, click.Group) else [])]
    return found


@pytest.mark.parametrize("path", paths(cli), ids="-".join)
def test_help_shows_an_example_on_a_line_of_its_own(path: tuple[str, ...]) -> None:
    """`--help` ends with 0 and shows a call of this very command as it can be pasted."""
    outcome = freshet(*path, "--help")

    assert outcome.code == 0
    assert any(f"freshet {' '.join(path)}" in line for line in outcome.out.splitlines()[1:]), outcome.out
    assert "\\b" not in outcome.out


def test_a_word_that_is_no_command_names_the_nearest() -> None:
    """One that is near none is only refused."""
    assert "No such command 'trendng'. Did you mean trending?" in freshet("trendng").err
    assert (outcome := freshet("xyzzy")).code == 2 and "Did you mean" not in outcome.err


def test_every_command_speaks_json() -> None:
    """By --json, but for the demo, which is to be watched, and words that only lead to other commands."""
    mute = []
    for path in paths(cli):
        command: click.Command = cli
        for word in path:
            assert isinstance(command, click.Group)
            command = command.commands[word]
        options = {name for option in command.params for name in option.opts}
        if not isinstance(command, click.Group) and "--json" not in options:
            mute.append(path)
    assert mute == [("demo",)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("recs",),
        ("tail", "--bad", "--user", "u1"),
        ("top", "--every", "0"),
        ("recs", "u1", "-k", "0"),
        ("similar", "i1", "--nonsense"),
        ("trending", "2h"),
        ("dead-letters", "list", "--reason", "bad_mood"),
        ("data",),
        ("data", "ml-7g"),
        ("produce", "/no/such/file"),
        ("produce", "--rate", "0"),
        ("items", "one.csv", "two.csv"),
        ("items", "--delete"),
        ("items", "--delete", "a", "--delete-from", "gone.txt"),
        ("items", "--delete", "a", "--column", "title=name"),
        ("items", "-", "--source", "shop", "--column", "title=name"),
        ("items", "-", "--source", "shop"),
        ("users", "-", "--column", "title=name"),
        ("recs", "u1", "--namespace", "Not Allowed"),
        ("recs", "u1", "--redis", "no-url"),
        ("bench", "counting", "--kills", "-1"),
    ],
    ids=" ".join,
)
def test_usage_errors_end_with_2(arguments: tuple[str, ...]) -> None:
    """A mistake in flags or settings ends with 2, prints nothing on standard output and says something."""
    outcome = freshet(*arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err


@pytest.mark.parametrize("command", [("recs", "u1"), ("similar", "i1"), ("trending",)], ids=lambda words: words[0])
def test_services_that_are_not_there_end_with_1(command: tuple[str, ...]) -> None:
    """Without Redis a reading command fails with one line that names the address."""
    outcome = freshet(*command, "--redis", "redis://127.0.0.1:1/0")

    assert (outcome.code, outcome.out) == (1, "")
    assert "redis://127.0.0.1:1/0" in outcome.err
    assert len(outcome.err.splitlines()) == 1
