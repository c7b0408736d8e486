"""Prints how long the Python files of some folders are, and fails when the house rule is broken.

    python tools/file_sizes.py app agents tables models tests

The rule: half of all files have at most 140 lines, nine of ten at most 300.
"""

import statistics
import sys
from pathlib import Path

MAX_MEDIAN = 140
LONG = 300
MIN_SHARE_BELOW_LONG = 0.9
N_SHOWN = 10


def sizes(folders: list[Path]) -> list[tuple[int, Path]]:
    """Lines of every Python file that says anything, the longest first."""
    counted = ((len(path.read_text("utf-8").splitlines()), path) for folder in folders for path in folder.rglob("*.py"))
    return sorted(((n, path) for n, path in counted if n), key=lambda entry: (-entry[0], entry[1]))


def breaches(lines: list[int]) -> list[str]:
    """What is wrong with these file sizes, one sentence each; empty when the rule is kept."""
    median = statistics.median(lines)
    share = sum(n <= LONG for n in lines) / len(lines)
    wrong = []
    if median > MAX_MEDIAN:
        wrong.append(f"The median is {median:g} lines; allowed are {MAX_MEDIAN}. Split the longest files by noun.")
    if share < MIN_SHARE_BELOW_LONG:
        wrong.append(
            f"{share:.0%} of the files have at most {LONG} lines; {MIN_SHARE_BELOW_LONG:.0%} must. Split the longest."
        )
    return wrong


def main(arguments: list[str]) -> int:
    """Print the longest files and the summary; 0 when the rule is kept, 1 when not, 2 on wrong usage."""
    folders = [Path(argument) for argument in arguments]
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing or not folders:
        print(f"No such folder: {', '.join(missing) or '(none given)'}. Give folders, e.g. app tests.", file=sys.stderr)
        return 2
    found = sizes(folders)
    if not found:
        print(f"No Python file in {', '.join(map(str, folders))}.", file=sys.stderr)
        return 1
    lines = [n for n, _ in found]
    for n, path in found[:N_SHOWN]:
        print(f"{n:5}  {path}")
    share = sum(n <= LONG for n in lines) / len(lines)
    print(f"{len(lines)} files, median {statistics.median(lines):g} lines, {share:.0%} with at most {LONG}")
    wrong = breaches(lines)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
