"""The users of a MovieLens set as profiles."""

from collections.abc import Iterator

import orjson

from app.replay.files import LogFile
from app.replay.records import ProfileEntry

_AGES_1M = {1: "under 18", 18: "18-24", 25: "25-34", 35: "35-44", 45: "45-49", 50: "50-55", 56: "56 or more"}
# fmt: off
_OCCUPATIONS_1M = (
    "other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service",
    "doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer", "programmer",
    "retired", "sales/marketing", "scientist", "self-employed", "technician/engineer", "tradesman/craftsman",
    "unemployed", "writer",
)
# fmt: on


def users_100k(file: LogFile) -> Iterator[ProfileEntry]:
    """Entries of `u.user`: id, age, gender, occupation, zip code, between |."""
    for user_id, age, gender, occupation, place in _rows(file, "|"):
        yield _profile(user_id, int(age) if age.isdecimal() else None, gender, place, {"occupation": occupation})


def users_1m(file: LogFile) -> Iterator[ProfileEntry]:
    """Entries of `users.dat`: id, gender, age group by its lower end, number of the occupation, zip code, between ::.

    The age is that lower end, and the group is an attribute.
    """
    for user_id, gender, age, occupation, place in _rows(file, "::"):
        attributes: dict[str, object] = {}
        group = int(age) if age.isdecimal() else None
        if group in _AGES_1M:
            attributes["age_group"] = _AGES_1M[group]
        if occupation.isdecimal() and int(occupation) < len(_OCCUPATIONS_1M):
            attributes["occupation"] = _OCCUPATIONS_1M[int(occupation)]
        yield _profile(user_id, group, gender, place, attributes)


def _rows(file: LogFile, separator: str) -> Iterator[list[str]]:
    for number, line in file.text_lines("latin-1"):
        text = line.rstrip("\r\n")
        if not text:
            continue
        cells = text.split(separator)
        if len(cells) != 5:
            raise file.error(number, f"{len(cells)} cells between {separator} where a user has 5")
        yield cells


def _profile(user_id: str, age: int | None, gender: str, place: str, attributes: dict[str, object]) -> ProfileEntry:
    fields = {"age": age, "gender": gender, "location": place, "attributes": attributes}
    return ProfileEntry(user_id, orjson.dumps({name: value for name, value in fields.items() if value}))
