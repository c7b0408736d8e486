"""Everything that shapes the state: two workers with the same fingerprint make the same state from the same log."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import orjson

from models.cooccurrence import CooccurrenceSettings
from models.errors import SettingsError
from models.events import EventRules
from models.factorization import FactorizationSettings
from models.following import FollowingSettings
from models.history_factors import HistoryFactorsSettings
from tables.user_state import UserBounds

COMPILED, RIVER = RATING_MODELS = "compiled", "river"
STATE_VERSION = 7  # raised when the fold itself changes


@dataclass(frozen=True, slots=True)
class FoldSettings:
    """What the fold needs to know.

    Parameters
    ----------
    rules
        What a valid event is and how much each type counts.
    cooccurrence
        The pair model.
    ratings, history
        The factor models: of ratings, and of what comes next. The scale of ratings is that of the rules.
    following
        The directed pairs.
    evaluate_fraction
        Of the users, by a hash of the id, whose events are scored on the fold's lists before they are learned.
    max_seen
        Items remembered per user as seen, the newest.
    max_users, max_items
        Users and items kept per partition. A user too many replaces the one idle longest; for an item too many
        `max_items / 16` make room at once, 2,048 at most: those idle longest for the number of their events.
    max_idle_ms
        Users idle for longer, in the partition's time, are dropped.
    late_grace_ms
        Events older than the clock by more are late: they count in totals and pairs, not in windows and trends.
    partitioner
        One of `models.partitioner.PARTITIONERS`: how producers place users.
    rating_model
        `compiled` or `river`: who predicts and learns ratings. The state is the same bit for bit, so this is the one
        setting that neither description nor fingerprint knows.
    """

    rules: EventRules = field(default_factory=EventRules)
    cooccurrence: CooccurrenceSettings = field(default_factory=CooccurrenceSettings)
    ratings: FactorizationSettings = field(default_factory=FactorizationSettings)
    history: HistoryFactorsSettings = field(default_factory=HistoryFactorsSettings)
    following: FollowingSettings = field(default_factory=FollowingSettings)
    evaluate_fraction: float = 1.0
    max_seen: int = 4096
    max_users: int = 1_000_000
    max_items: int = 200_000
    max_idle_ms: int = 400 * 86_400_000
    late_grace_ms: int = 3_600_000
    partitioner: str = "murmur2"
    rating_model: str = COMPILED

    def __post_init__(self) -> None:
        lowest, highest = self.rules.rating_scale
        object.__setattr__(self, "ratings", replace(self.ratings, lowest=float(lowest), highest=float(highest)))
        for name, value, least in (
            ("history size", self.cooccurrence.n_history, 1),
            ("neighbours", self.cooccurrence.n_keep, 1),
            ("max_seen", self.max_seen, 1),
            ("max_users", self.max_users, 1),
            ("max_items", self.max_items, 1),
            ("max_idle_ms", self.max_idle_ms, 0),
            ("late_grace_ms", self.late_grace_ms, 0),
        ):
            if value < least:
                raise SettingsError(f"{name} has value {value}: use {least} or more.")
        if self.rating_model not in RATING_MODELS:
            raise SettingsError(f"rating_model has value {self.rating_model!r}. Use {' or '.join(RATING_MODELS)}.")

    @property
    def user_bounds(self) -> UserBounds:
        """Sizes of one user's state."""
        return UserBounds(max_recent=self.cooccurrence.n_history, max_seen=self.max_seen)

    def described(self) -> dict[str, Any]:
        """All of it by dotted names, as the marker of a checkpoint keeps it: `cooccurrence.n_history` and so on."""
        flat: dict[str, Any] = {"state_version": STATE_VERSION}

        def add(name: str, value: Any) -> None:
            if isinstance(value, dict):
                for key, part in value.items():
                    add(f"{name}.{key}" if name else key, part)
            else:
                flat[name] = value

        parts = self._shaping()
        types = parts["rules"].pop("types")
        add("", parts)
        return flat | {f"rules.types.{name}": _brief(each) for name, each in types.items()}

    def fingerprint(self) -> str:
        """16 hex digits over all of it."""
        described = orjson.dumps(self._shaping())
        return sha256(b"%d" % STATE_VERSION + described).hexdigest()[:16]

    def _shaping(self) -> dict[str, Any]:
        """All that shapes the state, as JSON has it."""
        parts: dict[str, Any] = orjson.loads(orjson.dumps(self, option=orjson.OPT_SORT_KEYS))
        del parts["rating_model"]
        for end in ("lowest", "highest"):  # the scale is of the rules
            del parts["ratings"][end]
        return parts


def _brief(known: dict[str, Any]) -> list[Any]:
    """A type of event as settings may give it: weight, polarity, and what else is not as usual."""
    more = {name: known[name] for name in ("effect", "allow_repeats", "returns_after_days") if known[name]}
    return [known["weight"], known["polarity"], *([more] if more else [])]
