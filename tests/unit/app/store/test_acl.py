"""The least rules of access, as they are printed."""

from pathlib import Path

from app.store.acl import reader_acl, worker_acl
from tables.keys import Keys

PAGE = Path(__file__).parents[4] / "docs" / "redis.md"


def test_the_page_has_the_rules_of_this_release() -> None:
    """What docs/redis.md tells people to grant is what the code needs."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()

    assert worker_acl(Keys()) in lines
    assert reader_acl(Keys()) in lines


def test_rules_hold_for_a_namespace_alone() -> None:
    """Every pattern has the namespace and the prefix; a cluster and a database need commands of their own."""
    words = worker_acl(Keys("shop", "team:"), user="w", cluster=True, database=3).split()

    assert words[:5] == ["ACL", "SETUSER", "w", "reset", "on"]
    patterns = [word for word in words if word.startswith("~")]
    assert patterns and all(pattern.startswith("~team:shop:") for pattern in patterns)
    assert {"+cluster|slots", "+asking", "+select"} <= set(words)
