"""All settings, in one place: environment `FRESHET_*`, then a TOML file, then the defaults here.

The TOML file is `freshet.toml` in the working folder, or the one that `FRESHET_CONFIG` names.
"""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from app.changes import Refuse, Warn
from app.dashboard_settings import DashboardSettings
from app.event_types import explain_type
from app.gateway_settings import GatewaySettings
from app.kafka_settings import KafkaSettings
from app.list_shape import ListShape
from app.meaning_settings import MeaningSettings
from app.metrics_settings import MetricsSettings
from app.misspelt import example_near, warn_of_unknown
from app.redis_settings import RedisSettings
from app.sources.settings import SourceSettings, explain_source
from models.errors import SettingsError
from models.event_types import returning_types
from tables.keys import Keys
from tables.list_settings import ListSettings
from tables.names import Names

if TYPE_CHECKING:
    from tables.fold_settings import FoldSettings

PREFIX = "FRESHET_"
DEFAULT_FILE = "freshet.toml"
TOPIC = r"^[A-Za-z0-9._-]{0,200}$"

# what pydantic calls an error -> what is wrong with the value
_WRONG: Final = {
    "int_parsing": "not an integer",
    "int_from_float": "not an integer",
    "float_parsing": "not a number",
    "finite_number": "not a finite number",
    "greater_than_equal": "too small",
    "less_than_equal": "too large",
    "string_pattern_mismatch": "not of this form",
    "literal_error": "not one of them",
    "tuple_type": "no array, which stands in brackets",
    "string_type": "not text",
    "dict_type": "no table",
}
_FORMS: Final[dict[Any, str]] = {int: "an integer", float: "a number", float | None: "a number", str: "text"}


class Settings(
    KafkaSettings, RedisSettings, GatewaySettings, DashboardSettings, ListShape, MeaningSettings, MetricsSettings
):
    """Every setting with its default, its unit and its meaning."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, allow_inf_nan=False)

    namespace: str = Field(
        "",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$|^$",
        examples=["shop-1"],
        description="prefix of topics, group and keys",
    )
    events_topic: Annotated[str, Refuse("topic", "offsets of one topic say nothing of another")] = Field(
        "", pattern=TOPIC, description="topic of events; empty: user_events, with the prefix"
    )
    items_topic: str = Field("", pattern=TOPIC, description="topic of the catalogue; empty: items, with the prefix")
    users_topic: str = Field("", pattern=TOPIC, description="topic of profiles; empty: users, with the prefix")
    topic_prefix: str = Field(
        "",
        pattern=TOPIC,
        examples=["team-a."],
        description="stands before the namespace in topics, group, transactions",
    )
    key_prefix: str = Field(
        "",
        pattern=r"^[A-Za-z0-9:._-]{0,100}$",
        examples=["team-a:"],
        description="stands before the namespace in Redis keys",
    )
    group: str = Field("", pattern=TOPIC, description="consumer group of the workers; empty: freshet, with the prefix")
    partitions: int = Field(4, ge=1, le=1000, description="partitions of user_events when it is created")
    replication_factor: int = Field(
        0,
        ge=0,
        le=9,
        description="replicas of topics that are created; 0: those of user_events, or the broker's default",
    )
    partitioner: Annotated[
        Literal["murmur2", "crc32", "fnv1a", "fnv1a_reference", "murmur2_unsigned"],
        Refuse("partitioner", "a user in two partitions would be two people, counted anew"),
    ] = Field("murmur2", description="how producers place users")
    instance_id: str = Field("", description="static group membership: a stable name per worker; empty: none")

    sources: dict[str, SourceSettings] = Field(
        default_factory=dict,
        description="topics and files in other forms than freshet's, each by its name: `freshet sniff` writes one",
    )
    rating_model: Literal["compiled", "river"] = Field(
        "compiled",
        description="who predicts and learns ratings; River's BiasedMF does it slower, with the same numbers",
    )
    history_size: Annotated[int, Warn("cooccurrence.n_history")] = Field(
        20, ge=1, le=1000, description="items of a user's history that pairs are made with"
    )
    follow_back: Annotated[int, Warn("following.n_back")] = Field(
        0, ge=0, le=1000, description="items of a user's history that an item is learned to follow, e.g. 10; 0: none"
    )
    neighbours: Annotated[int, Warn("cooccurrence.n_keep")] = Field(
        200, ge=10, le=2000, description="neighbours kept per item and share (twice before a cut)"
    )
    max_seen: Annotated[int, Warn("max_seen")] = Field(
        4096, ge=16, le=65_536, description="items remembered per user as seen"
    )
    max_users: Annotated[int, Warn("max_users")] = Field(1_000_000, ge=10, description="users kept per partition")
    max_items: Annotated[int, Warn("max_items")] = Field(200_000, ge=32, description="items kept per partition")
    max_catalogue: int = Field(1_000_000, ge=1, description="items of the catalogue that a worker keeps")
    max_idle_days: Annotated[int, Warn("max_idle_ms")] = Field(
        400, ge=1, description="users idle for longer are dropped, days of event time"
    )
    evaluate_fraction: Annotated[float, Warn("evaluate_fraction")] = Field(
        0.05, ge=0, le=1, description="users whose events are scored first; replays: all"
    )
    late_grace_s: Annotated[int, Warn("late_grace_ms")] = Field(
        3600, ge=0, description="events older than the partition's clock by more are late, s"
    )

    list_ttl_days: int = Field(30, ge=1, description="lists of users without events expire after, days")
    similar_size: int = Field(100, ge=1, le=1000, description="neighbours published per item")
    trending_size: int = Field(100, ge=1, le=1000, description="items published per trending window")
    republish_s: float = Field(0.5, ge=0.01, description="behind a backlog a list goes out at most this often, s")
    refresh_s: float = Field(1.0, ge=0.1, description="trends, similarities and features go out at most this often, s")
    rebuild_per_s: int = Field(
        2000, ge=1, description="lists made anew a second: Redis was empty, or other settings shape lists"
    )
    max_unpublished: int = Field(200_000, ge=100, description="users waiting for Redis before all are rebuilt instead")

    checkpoint_s: float = Field(1.0, ge=0.05, le=60, description="interval of checkpoints, s")
    checkpoint_bytes_per_s: int = Field(
        4_000_000, ge=10_000, description="bandwidth a worker's checkpoints may take, bytes/s"
    )
    checkpoint_max_s: float = Field(60.0, ge=1, description="longest time between checkpoints, s")
    checkpoint_max_events: int = Field(250_000, ge=1, description="most events between checkpoints")
    checkpoint_max_bytes: int = Field(32_000_000, ge=100_000, description="most dirty bytes between checkpoints")

    chunk_records: int = Field(1000, ge=1, le=10_000, description="most records folded as one chunk")
    fold_threads: int = Field(2, ge=1, le=64, description="partitions folded side by side, in threads")
    session_timeout_s: float = Field(
        20.0, ge=1, le=1800, description="a worker silent for longer loses its partitions, s"
    )
    rebalance_timeout_s: float = Field(30.0, ge=1, le=3600, description="time to hand partitions over, s")
    request_timeout_s: float = Field(40.0, ge=1, le=3600, description="a request to the broker fails after, s")
    load_timeout_s: float = Field(
        600.0, ge=1, le=86_400, description="a partition not loaded after this ends the worker, s"
    )
    standstill_s: float = Field(120.0, ge=1, le=86_400, description="a worker with lag but no progress ends after, s")

    @property
    def names(self) -> Names:
        """Names of topics, groups and transactions."""
        return Names(
            self.namespace, self.events_topic, self.items_topic, self.users_topic, self.group, self.topic_prefix
        )

    @property
    def keys(self) -> Keys:
        """Names of Redis keys."""
        return Keys(self.namespace, self.key_prefix)

    def apart(self, namespace: str, **changes: Any) -> "Settings":
        """The same in a namespace of its own, where nothing that was given a name is read or written."""
        own = dict.fromkeys(("events_topic", "items_topic", "users_topic", "group"), "")
        no_port = {"metrics_listen_port": 0}  # the one that was given is somebody's
        return self.model_copy(update={**own, **no_port, "sources": {}, "namespace": namespace, **changes})

    @property
    def has_intake(self) -> bool:
        """Whether there are topics that the intake reads."""
        return any(source.topics for source in self.sources.values())

    @property
    def source_topics(self) -> list[str]:
        """The topics that the intake reads."""
        return sorted({topic for source in self.sources.values() for topic in source.topics})

    def source(self, name: str, kind: str = "events") -> SourceSettings:
        """The settings of a source of events, items or users.

        Raises
        ------
        SettingsError
            When there is none of this name, or it is one of something else.
        """
        found = self.sources.get(name)
        if found is None:
            known = ", ".join(self.sources) or "none is there"
            raise SettingsError(
                f"[sources.{name}] is not in the settings: {known}. `freshet sniff FILE` writes one to paste."
            )
        if found.kind != kind:
            raise SettingsError(f"[sources.{name}] has kind {found.kind!r}: one of {kind} is wanted here.")
        return found

    @property
    def lists(self) -> ListSettings:
        """How lists are made of what sources propose, and of what returns."""
        return replace(super().lists, returning=returning_types(self.rules.types))

    @property
    def fold(self) -> "FoldSettings":
        """What shapes the state."""
        from models.cooccurrence import CooccurrenceSettings  # compiles: not for those who only read lists
        from models.following import FollowingSettings
        from tables.fold_settings import FoldSettings

        return FoldSettings(
            rules=self.rules,
            cooccurrence=CooccurrenceSettings(n_history=self.history_size, n_keep=self.neighbours),
            following=FollowingSettings(n_back=self.follow_back),
            evaluate_fraction=self.evaluate_fraction,
            max_seen=self.max_seen,
            max_users=self.max_users,
            max_items=self.max_items,
            max_idle_ms=self.max_idle_days * 86_400_000,
            late_grace_ms=self.late_grace_s * 1000,
            partitioner=self.partitioner,
            rating_model=self.rating_model,
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the TOML file."""
        path = Path(os.environ.get(f"{PREFIX}CONFIG", DEFAULT_FILE))
        if f"{PREFIX}CONFIG" in os.environ and not path.exists():
            raise FileNotFoundError(f"{PREFIX}CONFIG names {path}, and there is no such file")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; tells of variables that look like settings and are none.

    Raises
    ------
    SettingsError
        Naming the setting, its value, and what is allowed.
    """
    warn_of_unknown(PREFIX, Settings.model_fields)
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(problem) for problem in error.errors())) from None
    except (ValueError, OSError) as error:  # a variable that is no JSON, or a TOML file that cannot be read
        if found := re.search(r'field "(\w+)" from source "EnvSettingsSource"', str(error)):
            value = os.environ.get(f"{PREFIX}{found[1].upper()}", "")
            raise SettingsError(_refused(found[1], value, "not JSON")) from None
        raise SettingsError(f"the settings cannot be read: {error}. Mend the file, or unset {PREFIX}CONFIG.") from error
    _ = settings.kafka, settings.lists  # refused if they do not fit together
    _check_topics(settings)
    _check_types(settings)
    return settings


def _check_topics(settings: Settings) -> None:
    """Refuse a source that reads what it writes, and two that read one topic."""
    names = settings.names
    own = {spec.name for spec in names.topics(settings.partitions)}
    readers: dict[str, str] = {}
    for name, source in settings.sources.items():
        for topic in source.topics:
            if topic in own:
                raise SettingsError(f"[sources.{name}] topics names {topic}, which is Freshet's own. Take it out.")
            if readers.setdefault(topic, name) != name:
                raise SettingsError(
                    f"[sources.{name}] topics names {topic}, as [sources.{readers[topic]}] does. Keep it in one."
                )


def _check_types(settings: Settings) -> None:
    """Refuse a source that gives events a type that none of the settings knows: all of them would be refused."""
    known = settings.rules.types
    for name, source in settings.sources.items():
        if source.kind != "events":
            continue
        given = {f"types {theirs!r}": ours for theirs, ours in source.types.items() if ours}
        constant = source.constants.get("event_type")
        if constant is not None:  # no alias is looked up for it
            given["constants event_type"] = str(constant)
        for where, ours in given.items():
            if ours not in known:
                raise SettingsError(
                    f"[sources.{name}] {where} has value {ours!r}: no type of event. Use one of {', '.join(known)}"
                    f"{example_near(ours, known)}; or declare it in {PREFIX}EXTRA_EVENT_TYPES, e.g. "
                    f"{json.dumps({ours[:64]: [1.0, 1]})}."
                )


def _explain(problem: Any) -> str:
    name, *place = [str(each) for each in problem["loc"]] or ["?"]
    if name not in Settings.model_fields:
        return f"{PREFIX}{name.upper()} is no setting. `freshet settings` lists them all."
    wrong = _WRONG.get(problem["type"], problem["msg"]).removeprefix("Value error, ")
    if name == "event_types" and place:
        return explain_type(place, problem["input"], problem["type"], wrong)
    if name == "sources" and place:
        return explain_source(place, problem["input"], problem["type"], wrong)
    return _refused(name, problem["input"], f"{wrong}, at {'.'.join(place)}" if place else wrong)


def _refused(name: str, value: object, wrong: str) -> str:
    field = Settings.model_fields[name]
    seen = shown(field, value)
    return f"{PREFIX}{name.upper()} has value {seen!r}: {wrong}. Use {_allowed(field)}: {field.description}."


def shown(field: FieldInfo, value: Any) -> Any:
    """A setting's value as anybody may see it: no secret, and no password in a URL."""
    from app.store.errors import masked

    if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret"):
        return "***" if value else value
    if isinstance(value, dict):
        return {name: shown(field, inner) for name, inner in value.items()}
    return masked(value) if isinstance(value, str) else value


def _allowed(field: FieldInfo) -> str:
    """The range of a setting by what its field says, with an example that can be pasted."""
    choices = get_args(field.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return " or ".join(choices)
    said = {key: getattr(rule, key) for rule in field.metadata for key in ("ge", "le", "pattern") if hasattr(rule, key)}
    if "pattern" in said:
        form = f"text that matches {said['pattern']}"
    elif "le" in said:
        form = f"{said['ge']} to {said['le']}"
    elif "ge" in said:
        form = f"{said['ge']} or more"
    else:
        form = _FORMS.get(field.annotation, "JSON")
    default = field.get_default(call_default_factory=True, validated_data={})
    example = field.examples[0] if field.examples else default
    text = example if isinstance(example, str) else json.dumps(example)
    return f"{form}, e.g. {text}" if text else form
