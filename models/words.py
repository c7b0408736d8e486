"""What a user last said of an item: one word of 64 bits beside the item's hash; compiled, and plain Python.

    | event time, ms: 48 | kind: 4 | events: 6 | repeats: 4 | stance: 2 |

`kind` is by what may return, that of the last event that has one (0: nothing of it does). `events` are those for the
item of a kind, 63 at most. `repeats` are events within `REPEAT_MS` of the one before, 15 at most: each teaches half of
the last. Nobody has no word: a time is never 0.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.compiled import lean

NEITHER, FOR, AGAINST = 0, 1, 2
MAX_STANCE: Final = 3
REPEAT_MS: Final = 86_400_000
"""A day: sooner again is the same interest once more, later it is interest again."""

MAX_KIND: Final = 15
MAX_EVENTS: Final = 63
MAX_REPEATS: Final = 15
TIME_AT, KIND_AT, EVENTS_AT, REPEATS_AT = 16, 12, 6, 2
"""The lowest bit of each part."""


@lean(cache=True, nogil=True)
def word_of(time_ms: int, kind: int, n_events: int, repeats: int, stance: int) -> np.uint64:
    """Pack a word."""
    low = (kind << KIND_AT) | (n_events << EVENTS_AT) | (repeats << REPEATS_AT) | stance
    return np.uint64((time_ms << TIME_AT) | low)


@lean(cache=True, nogil=True)
def time_of(word: np.uint64) -> int:
    """The event time, ms."""
    return int(np.int64(word >> np.uint64(TIME_AT)))


@lean(cache=True, nogil=True)
def kind_of(word: np.uint64) -> int:
    """What may return of it; 0: nothing."""
    return int(np.int64(word >> np.uint64(KIND_AT)) & MAX_KIND)


@lean(cache=True, nogil=True)
def events_of(word: np.uint64) -> int:
    """Events for the item of a kind, 63 at most."""
    return int(np.int64(word >> np.uint64(EVENTS_AT)) & MAX_EVENTS)


@lean(cache=True, nogil=True)
def repeats_of(word: np.uint64) -> int:
    """Repeats at the last event, 15 at most."""
    return int(np.int64(word >> np.uint64(REPEATS_AT)) & MAX_REPEATS)


@lean(cache=True, nogil=True)
def stance_of(word: np.uint64) -> int:
    """`FOR`, `AGAINST` or `NEITHER`."""
    return int(np.int64(word) & MAX_STANCE)


class Parts(NamedTuple):
    """Parts of many words, in columns."""

    times_ms: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int64]
    stances: npt.NDArray[np.int64]


def parts_of(words: npt.NDArray[np.uint64]) -> Parts:
    """What `time_of`, `kind_of` and `stance_of` say of each word."""
    low = words.astype(np.int64)
    times_ms = (words >> np.uint64(TIME_AT)).astype(np.int64)
    return Parts(times_ms, (low >> KIND_AT) & MAX_KIND, low & MAX_STANCE)


@lean(cache=True, nogil=True)
def next_word(word: np.uint64, time_ms: int, kind: int, stance: int) -> np.uint64:
    """The word after one more event; by event time, the stance and the kind of the latest count."""
    n_events, repeats, before = events_of(word), 0, time_of(word)
    if stance == FOR and kind > 0 and n_events < MAX_EVENTS:
        n_events += 1
    if word != 0:
        if time_ms - before < REPEAT_MS:
            repeats = min(repeats_of(word) + 1, MAX_REPEATS)
        if time_ms < before:
            time_ms, stance = before, stance_of(word)
            kind = kind if kind_of(word) == 0 else kind_of(word)
        elif kind == 0:
            kind = kind_of(word)
    return word_of(time_ms, kind, n_events, repeats, stance)
