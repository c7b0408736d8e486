"""Ids as files have them: whole numbers that a table's library took for floats."""

import re
from typing import Final

MAX_EXACT: Final = 2**53
"""Below it every whole number has a float of its own."""

_WHOLE = re.compile(r"(0|-?[1-9]\d*)\.0+", re.ASCII)


def plain_id(found: object) -> object:
    """An id as text where it is a whole number, also one written as a float; all else as it came.

    pandas makes floats of a column of whole numbers in which one is missing. A float with a fraction, or of more digits
    than it holds exactly, is left for the parser to refuse; text that is no float's is an id as it is.

    >>> plain_id("17850.0"), plain_id(17850.0), plain_id(17850), plain_id("007.0"), plain_id(17850.5)
    ('17850', '17850', '17850', '007.0', 17850.5)
    """
    if type(found) is str:
        match = _WHOLE.fullmatch(found) if found[-1:] == "0" and "." in found else None
        return found if match is None else match[1]
    if type(found) is float and found.is_integer() and abs(found) < MAX_EXACT:
        return str(int(found))
    return str(found) if type(found) is int else found
