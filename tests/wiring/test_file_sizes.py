"""The house rule on file sizes."""

from pathlib import Path

import pytest

from tools.file_sizes import breaches, main


def test_small_files_keep_the_rule() -> None:
    """Half at 140 lines and one in ten above 300 is still allowed."""
    assert breaches([140] * 9 + [900]) == []


def test_high_median_is_named() -> None:
    """A median above 140 is a breach, and the sentence holds both numbers."""
    (sentence,) = breaches([10, 141, 142])

    assert "141" in sentence
    assert "140" in sentence


def test_too_many_long_files_are_named() -> None:
    """Two long files in ten are a breach although the median is small."""
    (sentence,) = breaches([10] * 8 + [301] * 2)

    assert sentence.startswith("80%")


def test_empty_files_do_not_lower_the_median(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A package of empty __init__.py files beside one long module does not pass."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "long.py").write_text("x = 1\n" * 200)

    assert main([str(tmp_path)]) == 1
    assert "1 files, median 200 lines" in capsys.readouterr().out


def test_unknown_folder_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is named, and the exit code is 2."""
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
