"""Is a lock whole? Every requirement of what is installed, extras included, has to stand in it.

Locks are installed with `--no-deps`, so nothing else looks. And nothing else may: asked for `coverage[toml]`, pip takes
the newest coverage, whatever the lock says of coverage.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11.0", "3.12.0", "3.13.0", "3.14.0")
"""The oldest interpreter of each minor version that Freshet runs on."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*(.*?))?\s*\\?$", re.MULTILINE)

Requires = Callable[[str], Sequence[str] | None]


def read_lock(path: Path, environment: Mapping[str, str]) -> dict[str, Version]:
    """What a lock installs for an interpreter: versions by canonical names.

    A package may stand there more than once, for interpreters apart.
    """
    pins = _PIN.findall(path.read_text("utf-8"))
    holding = [(name, version) for name, version, m in pins if not m or Marker(m).evaluate(dict(environment))]
    return {canonicalize_name(name): Version(version) for name, version in holding}


def roots(pyproject: Path, extras: Iterable[str]) -> list[str]:
    """What the project asks for, some extras and what builds it included."""
    content = tomllib.loads(pyproject.read_text("utf-8"))
    project, groups = content["project"], content["dependency-groups"]
    optional = [requirement for extra in extras for requirement in project["optional-dependencies"][extra]]
    return [*project["dependencies"], *optional, *groups["build"]]


def environment_of(python: str) -> dict[str, str]:
    """The marker variables of this machine, for another interpreter."""
    minor = ".".join(python.split(".")[:2])
    return {**default_environment(), "python_version": minor, "python_full_version": python}  # type: ignore[dict-item]


def requires(name: str) -> Sequence[str] | None:
    """What an installed package asks for; None if it is not installed here."""
    try:
        return metadata.requires(name) or ()
    except metadata.PackageNotFoundError:
        return None


def gaps(
    lock: Mapping[str, Version], wanted: Iterable[str], environment: Mapping[str, str], ask: Requires
) -> Iterator[str]:
    """What is asked for and not in the lock, as sentences; nothing for a lock that is whole.

    Parameters
    ----------
    wanted
        The project's own requirements.
    ask
        What a package asks for; None where it cannot be known.
    """
    waiting = [(Requirement(requirement), "", "the project") for requirement in wanted]
    done: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra, by = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        version = lock.get(name)
        if version is None:
            yield f"{by} asks for {requirement}, which the lock has not for Python {environment['python_version']}"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"{by} asks for {requirement}, the lock has {version}"
        else:
            for each in {"", *requirement.extras}:
                if (name, each) not in done:
                    done.add((name, each))
                    waiting += [(Requirement(asked), each, name) for asked in ask(name) or ()]


def main() -> None:
    """Check both locks for every interpreter; exit code 1 if one has gaps."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    found: list[str] = []
    for name, own in (("requirements.lock", extras), ("requirements-core.lock", ("logs", "web"))):
        wanted = roots(ROOT / "pyproject.toml", own)
        for python in PYTHONS:
            here = environment_of(python)
            lock = read_lock(ROOT / name, here)
            found += [f"{name}: {gap}" for gap in gaps(lock, wanted, here, requires)]
            print(f"{name}: {len(lock)} packages for Python {python[:4]}")
    if found:
        sys.exit("\n".join([*dict.fromkeys(found), "Run: make lock"]))


if __name__ == "__main__":
    main()
