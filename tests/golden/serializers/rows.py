"""What the recorded batches say, before a serializer writes it: events of every kind that a topic holds, seeded."""

from collections.abc import Iterator
from random import Random
from typing import Any

MS = 1_700_000_000_000
FUTURE_MS = 3_000_000_000_000
N_RECORDS = 300
BAD: dict[str, dict[str, Any]] = {
    "no item": {"item_id": None},
    "no user": {"user_id": None},
    "no type": {"event_type": None},
    "future": {"ms": FUTURE_MS},
    "unknown type": {"event_type": "teleport"},
}
PRODUCT_CALLS = (
    "Product List Viewed",
    "Product Viewed",
    "Product Clicked",
    "Product Added",
    "Product Added to Wishlist",
    "Order Completed",
)
OTHER_CALLS = ("Signed Up", "Cart Viewed", "Products Searched", "Checkout Started")
GA4_NAMES = ("view_item_list", "view_item", "select_item", "add_to_cart", "add_to_wishlist", "purchase")
GA4_OTHERS = ("page_view", "click", "session_start", "scroll", "view_cart")


def plain(random: Random, types: tuple[str, ...], bad: tuple[str, ...] = tuple(BAD)) -> Iterator[dict[str, Any]]:
    """Events with plain fields, one in six bad in one way; `ms` is their time."""
    for n in range(N_RECORDS):
        row: dict[str, Any] = {
            "user_id": random.randrange(40),
            "item_id": f"item-{random.randrange(60)}",
            "event_type": random.choice(types),
            "ms": MS + n * 1000 + random.randrange(1000),
        }
        yield row | (BAD[random.choice(bad)] if random.random() < 1 / 6 else {})


def freshet(random: Random) -> Iterator[dict[str, Any]]:
    """The plain form: integers and texts as ids, ratings with and without a value, a type that is left out."""
    for row in plain(random, ("view", "click", "purchase", "rating", "heartbeat")):
        ms = row.pop("ms")
        number: dict[str, Any] = {"value": random.choice((4.5, 2, None))} if row["event_type"] == "rating" else {}
        odd: list[dict[str, Any]] = [
            {},
            {"user_id": "ünï"},
            {"user_id": 7.5},
            {"event_id": f"e-{ms}"},
            {"context": {"n": 1}},
        ]
        stamp = random.choice((ms, ms, ms, ms, str(ms), "2023-11-14T22:13:20Z"))
        yield row | {"timestamp": stamp} | number | random.choice(odd)


def calls(random: Random) -> Iterator[dict[str, Any]]:
    """Calls of a tracking library: method, name, properties, people known, anonymous and both; a time."""
    for n in range(N_RECORDS):
        method = random.choice(("track",) * 8 + ("identify", "page", "group", "alias", "screen"))
        name = random.choice((*PRODUCT_CALLS, *PRODUCT_CALLS, *OTHER_CALLS))
        ids: list[object] = [random.choice((f"p{random.randrange(60)}", random.randrange(1000))) for _ in range(4)]
        if random.random() < 0.1:
            ids[random.randrange(3)] = random.choice((None, "", [1], 2.5))
        products = [{"product_id": each, "quantity": 1} for each in ids[: random.randrange(5)]]
        one = {"product_id": ids[0], "price": 18.99}
        user = {"user_id": random.choice((f"u{n % 31}", None)), "anonymous_id": random.choice((f"anon-{n % 17}", None))}
        if not any(user.values()):
            user["anonymous_id"] = f"anon-{n % 17}" if n % 3 else "{braces}"
        properties = {"products": products} if name in (PRODUCT_CALLS[0], PRODUCT_CALLS[-1]) else one
        ms = FUTURE_MS if random.random() < 0.04 else MS + n * 1000 + random.randrange(1000)
        yield {"method": method, "event": name, "properties": properties, "ms": ms, **user}


def ga4(random: Random) -> Iterator[dict[str, Any]]:
    """Rows of the export to BigQuery as JSON, where integers are texts."""
    for n in range(N_RECORDS):
        items: list[dict[str, object]] = [
            {"item_id": f"i{random.randrange(60)}", "price": 20.5} for _ in range(random.randrange(4))
        ]
        if items and random.random() < 0.1:
            no_id: list[dict[str, object]] = [{"item_name": "Lamp"}, {"item_id": None}, {"item_id": True}]
            items[-1] = random.choice(no_id)
        us = (FUTURE_MS if random.random() < 0.04 else MS + n * 1000) * 1000 + random.randrange(10**6)
        yield {
            "event_date": "20231114",
            "event_timestamp": random.choice((str(us), str(us), us, "soon" if random.random() < 0.2 else us)),
            "event_name": random.choice((*GA4_NAMES, *GA4_OTHERS)),
            "user_id": random.choice((f"u{n % 31}", None)),
            "user_pseudo_id": random.choice((f"{n % 17}.1700000000",) * 5 + (None,)),
            "items": items if random.random() > 0.05 else None,
        }


def orders(random: Random) -> Iterator[dict[str, Any]]:
    """Orders of a shop's own form: lines, of which some are cancelled; a state; a guest has the record's key alone."""
    for n in range(N_RECORDS):
        lines: list[dict[str, object]] = [
            {"sku": f"sku-{random.randrange(60)}", "quantity": random.choice((0, 1, 2, None))}
            for _ in range(random.randrange(5))
        ]
        if lines and random.random() < 0.1:
            lines[0]["sku"] = None
        yield {
            "order_no": f"o-{n}",
            "status": random.choice(("paid", "paid", "paid", "open", "cancelled")),
            "customer": f"c{n % 31}" if random.random() < 0.8 else None,
            "lines": lines,
            "ms": FUTURE_MS if random.random() < 0.04 else MS + n * 1000 + random.randrange(1000),
        }
