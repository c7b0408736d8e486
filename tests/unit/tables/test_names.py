"""Names are stored state: they change only with an ADR, and two namespaces never share one."""

import re
from itertools import combinations

import pytest

from models.errors import SettingsError
from tables.names import Names


def all_names(names: Names, partitions: int = 3) -> set[str]:
    """Every topic, the group, and the transactional ids."""
    topics = {topic.name for topic in names.topics(partitions)}
    of_partitions = (names.transactional_id(partition) for partition in range(partitions))
    return {*topics, names.group, names.redrive_id, names.doctor_id, *of_partitions}


def test_names_without_namespace() -> None:
    """As the contract spells them."""
    names = Names()

    assert names.events == "user_events"
    assert names.dead_letters == "user_events.dead_letters"
    assert (names.catalogue, names.profiles) == ("items", "users")
    assert (names.user_checkpoints, names.item_checkpoints) == ("freshet.users", "freshet.items")
    assert names.skips == "freshet.skips"
    assert (names.group, names.transactional_id(7)) == ("freshet", "freshet-7")
    assert (names.redrive_id, names.doctor_id) == ("freshet.redrive", "freshet-doctor")


def test_names_with_namespace() -> None:
    """Every name is prefixed."""
    names = Names("shop-a")

    assert all(name.startswith("shop-a.") for name in all_names(names))
    assert names.user_checkpoints == "shop-a.freshet.users"


def test_every_topic_is_there_once_and_has_a_legal_name() -> None:
    """Nine topics; Kafka takes letters, digits, dot, dash and underscore, 249 at most."""
    topics = Names("n-1").topics(4)

    assert len({topic.name for topic in topics}) == len(topics) == 9
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,249}", topic.name) for topic in topics)


def test_topics_that_follow_the_events_have_their_partitions() -> None:
    """Events and checkpoints are partitioned alike; what every worker reads whole has one partition."""
    names = Names()
    partitions = {topic.name: topic.partitions for topic in names.topics(12)}

    assert partitions == {
        names.events: 12,
        names.user_checkpoints: 12,
        names.item_checkpoints: 12,
        names.dead_letters: 1,
        names.catalogue: 1,
        names.profiles: 1,
        names.interactions: 1,
        names.factors: 1,
        names.skips: 1,
    }


def test_topic_settings_that_state_depends_on() -> None:
    """Checkpoints and both compacted inputs are compacted, events carry the time of append, dead letters fit."""
    names = Names()
    config = {topic.name: topic.config for topic in names.topics(1)}

    saved = (names.user_checkpoints, names.item_checkpoints, names.factors)
    for name in (*saved, names.catalogue, names.profiles):
        assert config[name]["cleanup.policy"] == "compact"
    for name in saved:
        assert 16 * 2**20 <= int(config[name]["segment.bytes"]) <= 64 * 2**20
        assert config[name]["segment.ms"] == "60000"
        assert config[name]["min.cleanable.dirty.ratio"] == "0.1"
        assert config[name]["min.compaction.lag.ms"] == "0"
        assert int(config[name]["delete.retention.ms"]) >= 86_400_000
    assert config[names.events]["message.timestamp.type"] == "LogAppendTime"
    assert int(config[names.dead_letters]["max.message.bytes"]) > int(config[names.events]["max.message.bytes"])
    assert "compact" not in config[names.events].get("cleanup.policy", "delete")


def test_topics_of_their_own() -> None:
    """Given names stand as they are, dead letters are named after the events, the rest keeps its prefix."""
    names = Names("shop", "web.clicks", "catalogue", "people", "recs-workers")

    assert (names.events, names.dead_letters) == ("web.clicks", "web.clicks.dead_letters")
    assert (names.catalogue, names.profiles, names.group) == ("catalogue", "people", "recs-workers")
    assert names.user_checkpoints == "shop.freshet.users"


def test_prefix_stands_before_the_namespace() -> None:
    """What a cluster lets an application have begins everything."""
    names = Names("shop", prefix="team-a.")

    assert all(name.startswith("team-a.shop.") for name in all_names(names))
    assert Names(prefix="team-a.").events == "team-a.user_events"


def test_no_topic_is_named_twice() -> None:
    """Events in the topic of the catalogue would be folded as what they are not."""
    with pytest.raises(SettingsError, match=r"topic items is named for more than one purpose.*events_topic"):
        Names(events_topic="items")


@pytest.mark.parametrize(("one", "other"), list(combinations(("", "a", "items", "user_events", "freshet-1"), 2)))
def test_two_namespaces_share_no_name(one: str, other: str) -> None:
    """Tenants never meet in a topic, a group or a transaction."""
    assert all_names(Names(one)) & all_names(Names(other)) == set()


def test_no_namespace_is_called_as_our_own_topics_begin() -> None:
    """A tenant called `freshet` would write its catalogue into everybody else's checkpoints."""
    with pytest.raises(SettingsError, match=r"namespace has value 'freshet'.*another"):
        Names("freshet")
