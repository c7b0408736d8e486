"""What the pages show."""

import html
from typing import Any

import pytest

from app.dashboard.letters import Reason, Summary
from app.dashboard.pages import PAGES
from app.dashboard.workers import Worker
from app.dead_letters import DeadLetter
from tests.gateway import list_bytes
from tests.unit.app.dashboard.stage import event, staged, worker

SCRIPT = '<script>alert("1")</script>'
STORED: dict[str, Any] = {
    "recs:user:u1": list_bytes("u1", 7, ["i1", "i2"]),
    "recs:default": list_bytes(None, 3, ["i9"]),
    "user_features:u1": {
        "n_events": b"12", "last_event_ms": b"1700000000000", "click_1m": b"2", "click_all": b"12",
        "recent_items": b'["i5"]',
    },
    "item_features:i1": {
        "title": b"Desk lamp", "n_events": b"31", "last_event_ms": b"1700000000000", "click_1h": b"4",
        "click_all": b"31",
        "categories": b'["light","home"]', "attributes": b'{"brand":"Lumo"}', "description": b"Brass, 40 cm.",
    },
    "item_similarity:i1": [("i2", 0.75)],
    "trending:1h": [("i1", 3.5), ("i2", 1.0)],
    "trending:1h:light": [("i1", 3.5)],
}  # fmt: skip


def letter(value: bytes = b"{}", message: str = "event_type has value 'glance'") -> DeadLetter:
    """A dead letter."""
    return DeadLetter("unknown_event_type", message, "user_events", 0, 5, 1, 1_700_000_000_000, b"u1", value)


@pytest.mark.parametrize("page", PAGES, ids=[page.title for page in PAGES])
def test_a_page_with_nothing_to_show_says_what_to_do(page: Any) -> None:
    """No worker, no event, no list: every page is there, and none is blank."""
    with staged(workers=[Worker("w1:9108", {}, "does not answer")], kafka_error="there is no topic.") as stage:
        shown = stage.page(page.path)
        assert f"<h1>{page.title}</h1>" in shown and html.escape(page.about) in shown
        assert 'aria-current="page"' in shown


def test_overview_has_the_numbers_of_the_workers() -> None:
    """And says that all is well; or what is not, with what to do."""
    good = worker(events_total={"0": 100}, users={"0": 7}, fold_tests_total=50, fold_hits_total={("list", "10"): 10})
    with staged(workers=[good]) as stage:
        shown = stage.page("/")
        assert "All is well" in shown and 'data-figure="users">7<' in shown and 'data-figure="hit_rate">20 %<' in shown
    bad = [worker(ready=0), Worker("w2:1", {}, "does not answer")]
    with staged(workers=bad, kafka_error="there is no topic <user_events>.") as stage:
        shown = stage.page("/")
        assert "3 alarms" in shown and "there is no topic &lt;user_events&gt;." in shown
        assert "w1:9108/readyz" in shown and "Worker w2:1 does not answer" in shown


def test_tail_shows_events_and_filters_them() -> None:
    """Newest first, with titles; by type, and by an id."""
    events = [event("u1", "i1"), event("u2", "i2", "view", 2), event("u3", "", None, 3)]
    with staged(STORED, events=events, workers=[worker(lag_records={"0": 4})]) as stage:
        shown = stage.page("/stream")
        assert shown.index(">u3<") < shown.index(">u2<") < shown.index(">u1<")
        assert ">Desk lamp<" in shown and "no event" in shown and "w1:9108" in shown
        assert ">u2<" not in stage.page("/stream?type=click") and ">u1<" in stage.page("/stream?type=click")
        found = stage.page("/stream?find=i2")
        assert ">u2<" in found and ">u1<" not in found


def test_masked_users_are_nowhere() -> None:
    """Neither shown, nor linked, nor found by their names; the page about one whose name is known is there."""
    secret = Reason("wrong_key", 1, 1, [letter(b"secret-user", "the key is not 'secret-user'")], "Send the user_id.")
    events = [event("secret-user", "i1")]
    with staged(STORED, events=events, letters=Summary([secret]), dashboard_mask_users=True) as stage:
        for path in ("/", "/stream", "/people", "/stream?type=click", "/dead-letters"):
            assert "secret-user" not in stage.page(path)
        assert "Desk lamp" in stage.page("/stream")
        assert "Desk lamp" not in stage.page("/stream?find=secret-user")


def test_person_shows_the_list_and_why() -> None:
    """Places, titles, sources, scores; profile; without a list of their own the default one, called so."""
    with staged(STORED) as stage:
        shown = stage.page("/people?user=u1")
        assert "List in force" in shown and ">Desk lamp<" in shown and "from event 0:7" in shown
        assert "history factors" in shown and ">i5<" in shown and ">12<" in shown
        assert "Click" not in shown  # nothing may be changed here
        shown = stage.page("/people?user=stranger")
        assert "Default list" in shown and ">i9<" in shown and "No event of this user was folded" in shown


def test_a_click_changes_the_list() -> None:
    """It goes to Kafka as an event of the user, just behind their last one, and the page tells what came of it."""
    with staged(STORED, dashboard_changes=True) as stage:
        assert "Click Desk lamp as this user" in stage.page("/people?user=u1")
        answer = stage.post("/people/click", user="u1", item="i1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/people?user=u1")
        ((topic, record),) = stage.sent.records
        assert topic == "user_events" and record.key == b"u1" and b'"timestamp":1700000001000' in (record.value or b"")
        stage.dashboard.poller.ticks.tick(by_clock=False)
        shown = stage.page("/people?user=u1")
        assert "The list answered in" in shown and "2 new items" in shown and shown.count('class="is-new"') == 2
        assert stage.post("/people/click", user="u\n1", item="i1").status_code == 422
        stage.sent.down = "Kafka is away"
        assert stage.post("/people/click", user="u1", item="i1").status_code == 503


def test_item_shows_its_entry_counts_and_neighbours() -> None:
    """Metadata as the catalogue has it, windows, similar items; one not known says so."""
    with staged(STORED) as stage:
        shown = stage.page("/items?item=i1")
        assert "Brass, 40 cm." in shown and "light, home" in shown and "brand Lumo" in shown
        assert "1h 4" in shown and "0.750" in shown
        assert "Nothing is known of this item" in stage.page("/items?item=i77")


def test_trending_by_window_and_category() -> None:
    """With titles and links; an empty window leads to longer ones."""
    with staged(STORED) as stage:
        shown = stage.page("/trending")
        assert shown.index("Desk lamp") < shown.index(">i2<") and "category=light" in shown
        assert ">i2<" not in stage.page("/trending?category=light")
        assert "window=7d" in stage.page("/trending?window=1d")


def test_dead_letters_by_reason_with_what_to_set() -> None:
    """Samples, advice; sending them again asks first."""
    reason = Reason("unknown_event_type", 3, 1_700_000_000_000, [letter()], "Declare the type.")
    with staged(letters=Summary([reason], 2), dashboard_changes=True) as stage:
        shown = stage.page("/dead-letters")
        assert "3 dead letters" in shown and "Declare the type." in shown and "2 more were sent again" in shown
        assert 'action="/dead-letters/redrive"' not in shown
        shown = stage.page("/dead-letters?confirm=yes&reason=unknown_event_type")
        assert 'action="/dead-letters/redrive"' in shown and "It cannot be taken back" in shown
        assert stage.post("/dead-letters/redrive", reason="unknown_event_type").status_code == 303
        assert stage.letters.last is not None and stage.letters.last.reason == "unknown_event_type"
        assert stage.post("/dead-letters/redrive").status_code == 409
        stage.dashboard.poller.ticks.tick(by_clock=True)
        assert "Sending again: under way" in stage.page("/dead-letters")


def test_settings_show_no_secret() -> None:
    """Each with its value, what was set marked; tokens and passwords are not there."""
    with staged(namespace="shop-1", dashboard_token="a-secret-token-of-ours", kafka_password="hush-hush") as stage:
        shown = stage.page("/settings")
        assert "shop-1" in shown and "a-secret-token-of-ours" not in shown and "hush-hush" not in shown
        assert "dashboard_max_pages" in shown and "history_size" not in stage.page("/settings?find=max_pages")


@pytest.mark.parametrize("path", ["/stream", "/people?user=", "/items?item=", "/trending?category=", "/settings?find="])
def test_ids_are_escaped_everywhere(path: str) -> None:
    """An id, a title, a reason that is a script is text; so is what stands in the address."""
    stored = {
        f"recs:user:{SCRIPT}": list_bytes(SCRIPT, 7, [SCRIPT]),
        f"item_features:{SCRIPT}": {"title": SCRIPT.encode(), "n_events": b"1", f"{SCRIPT}_all": b"1"},
        f"item_similarity:{SCRIPT}": [(SCRIPT, 1.0)],
        f"trending:1h:{SCRIPT}": [(SCRIPT, 1.0)],
    }
    reason = Reason(SCRIPT, 1, 1, [letter(SCRIPT.encode(), SCRIPT)], SCRIPT)
    told = worker(address=SCRIPT, lag_records={SCRIPT: 1})
    with staged(stored, events=[event(SCRIPT, SCRIPT, SCRIPT)], letters=Summary([reason]), workers=[told]) as stage:
        shown = stage.page(path + (SCRIPT if path.endswith("=") else ""))
        assert "<script>alert" not in shown and "&lt;script&gt;alert" in shown
        assert "<script>alert" not in stage.page("/dead-letters")


def test_redis_away_is_told_on_the_page() -> None:
    """Not a failure of the page."""
    with staged(STORED) as stage:
        stage.redis.down = True
        shown = stage.page("/people?user=u1")
        assert "Not to be had now" in shown
