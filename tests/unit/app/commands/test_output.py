"""What is printed is harmless to terminals, and fit for pipes."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands import output
from app.commands.output import age, escaped, escaped_bytes, print_table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Amélie 語", "Amélie 語"),
        ("a\tb\nc\r", r"a\tb\nc\r"),
        ("\x1b[31mred\x9b0m\x7f", r"\x1b[31mred\x9b0m\x7f"),
        ("abc\u202etxt.exe", r"abc\u202etxt.exe"),
        ("lone \ud800", r"lone \ud800"),
        ("\u2028", r"\u2028"),
        ("نیم\u200cفاصله", "نیم\u200cفاصله"),
    ],
)
def test_escaped(text: str, expected: str) -> None:
    """What moves the cursor, the colour or the direction is shown as an escape; letters of any script stay."""
    assert escaped(text) == expected


@given(st.binary(max_size=300) | st.none(), st.integers(10, 80))
def test_escaped_bytes_of_anything(data: bytes | None, max_chars: int) -> None:
    """Any bytes become one short line of encodable text."""
    text = escaped_bytes(data, max_chars)

    assert len(text) <= max(max_chars, len("null"))
    assert text.encode().decode().splitlines() in ([text], [])


def test_escaped_bytes_says_that_it_cut() -> None:
    """A cut value ends in dots, a whole one does not; null is told from the empty value."""
    assert escaped_bytes(b"x" * 30, 10) == "xxxxxxx..."
    assert escaped_bytes(b"\xff\xfe", 20) == r"\xff\xfe"
    assert escaped_bytes(b"", 20) == ""
    assert escaped_bytes(None, 20) == "null"


def test_age_in_the_largest_unit() -> None:
    """Seconds, minutes, hours, days; a clock ahead of ours is no negative age."""
    assert [age(seconds) for seconds in (-5, 0.25, 59, 60, 7200, 86_400)] == [
        "0 s", "0.25 s", "59 s", "1 min", "2 h", "1 d",
    ]  # fmt: skip


def test_table_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """A heading, then a line per row, with tabs between: cells cannot forge either."""
    print_table(("item", "title"), [("i1", "a\tb\nc"), (2, "[bold]x[/bold]")])

    assert capsys.readouterr().out == "item\ttitle\ni1\ta\\tb\\nc\n2\t[bold]x[/bold]\n"


def test_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drawn table; markup in titles is text."""
    screen = io.StringIO()
    monkeypatch.setattr(output, "on_terminal", lambda: True)
    monkeypatch.setattr(sys, "stdout", screen)

    print_table(("item", "title"), [("i1", "[bold]x[/bold] [/]"), ("i2", "\x1b[2J")], right=("item",))

    assert "[bold]x[/bold] [/]" in screen.getvalue()
    assert r"\x1b[2J" in screen.getvalue()
    assert "\x1b[2J" not in screen.getvalue()
    assert "─" in screen.getvalue()
