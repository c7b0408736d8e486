"""Small files of exactly the shapes in which public data sets and exports come, with what is in them counted apart.

Each maker writes its file and counts, row by row as it makes them, what a reader has to find: events, dead letters,
rows that are skipped. No maker knows how Freshet reads.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

Count = Counter[str]
MS = 1_500_000_000_000
START = datetime(2019, 11, 11, 9, 5, 58, tzinfo=UTC)
EVENT, DEAD, SKIPPED = "events", "dead", "skipped"


def _text(path: Path, rows: Iterable[Iterable[object]], between: str) -> None:
    path.write_text("".join(between.join(map(str, row)) + "\n" for row in rows))


def _lines(path: Path, rows: Iterable[object]) -> None:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def recbole(path: Path) -> Count:
    """Four typed columns between tabs."""
    header = ["user_id:token", "item_id:token", "rating:float", "timestamp:float"]
    rows = [[n % 5, 40 + n % 7, 1 + n % 5, 881_250_949 + n] for n in range(40)]
    rows[7][3] = "none"  # type: ignore[call-overload]
    _text(path, [header, *rows], "\t")
    return Counter({EVENT: 39, DEAD: 1})


def retailrocket(path: Path) -> Count:
    """Milliseconds first; only transactions have the last column."""
    types = ["view", "view", "addtocart", "transaction"]
    rows = [[MS + n, n % 6, types[n % 4], n % 9, n if n % 4 == 3 else ""] for n in range(40)]
    rows[3][2] = "refund"
    _text(path, [["timestamp", "visitorid", "event", "itemid", "transactionid"], *rows], ",")
    return Counter({EVENT: 39, DEAD: 1})


def yoochoose(path: Path) -> Count:
    """No header; the category is text or a number."""
    rows = [[n // 4, f"2014-04-07T10:51:{n:02}.277Z", 214_536_500 + n % 9, "S" if n % 3 else 0] for n in range(40)]
    _text(path, rows, ",")
    return Counter({EVENT: 40})


def mind(path: Path) -> Count:
    """Impressions with a suffix in one cell, a clock of 12 hours; a part without its suffix, a day that is none."""
    counts, rows = Counter[str](), []
    for n in range(30):
        shown = [f"N{100 + (n + k) % 23}-{int(k == n % 3)}" for k in range(1 + n % 5)]
        moment = START + timedelta(hours=7 * n)
        when = f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"
        good, bad = len(shown), 0
        if n == 4:
            shown[2], good, bad = "N55", good - 1, 1
        if n == 9:
            when, good, bad = "31/31/2019 9:05:58 AM", 0, len(shown)
        counts[EVENT] += good
        counts[DEAD] += bad
        rows.append([n + 1, f"U{n % 4}", when, "N1 N2" if n % 2 else "", " ".join(shown)])
    _text(path, rows, "\t")
    return counts


def taobao(path: Path) -> Count:
    """No header, seconds; a few times lie outside of any year."""
    rows = [[n % 5, n % 9, 4, ["pv", "pv", "cart", "fav", "buy"][n % 5], 1_511_544_070 + n] for n in range(40)]
    rows[5][4], rows[6][4] = -1_400_000_000, 15_115_446_863_000
    _text(path, rows, ",")
    return Counter({EVENT: 38, DEAD: 2})


def amazon(path: Path) -> Count:
    """Reviews with text, lists and flags beside what counts."""
    rows = [
        {
            "rating": 1.0 + n % 5,
            "title": "Such a lovely scent",
            "text": 'a\nb "c"',
            "images": [{"small_image_url": "https://example.com/a"}] if n % 2 else [],
            "asin": f"B0{n}",
            "parent_asin": f"B0{n % 9}",
            "user_id": f"AG{n % 6}",
            "timestamp": 1_588_687_728_923 + n,
            "helpful_vote": 0,
            "verified_purchase": True,
        }
        for n in range(40)
    ]
    _lines(path, rows)
    return Counter({EVENT: 40})


def lastfm(path: Path) -> Count:
    """Newest first; some tracks have no id; a quote is a part of a title."""
    rows = [
        [
            f"user_00000{1 + n // 20}",
            f"2009-05-04T23:{59 - n % 20:02}:57Z",
            "f1b1cf71",
            '"Weird Al" Yankovic',
            "" if n % 4 == 0 else f"id-{n % 7}",
            '"Heroes' if n % 4 == 0 else f"Song {n % 7}",
        ]
        for n in range(40)
    ]
    rows[11][4] = rows[11][5] = ""
    _text(path, rows, "\t")
    return Counter({EVENT: 39, DEAD: 1})


def diginetica(path: Path) -> Count:
    """Semicolons; the user is mostly unknown, the day is all that is known of the time."""
    rows = [[n // 4, "NA", 81_766 + n % 9, 526_309 + n, f"2016-05-{1 + n // 4:02}"] for n in range(40)]
    _text(path, [["sessionId", "userId", "itemId", "timeframe", "eventdate"], *rows], ";")
    return Counter({EVENT: 40})


def otto(path: Path) -> Count:
    """A session a line."""
    types = ["clicks", "clicks", "carts", "orders"]
    rows = list[dict[str, object]]()
    for n in range(20):
        times = range(MS + 60_000 * n, MS + 60_000 * n + 1 + n % 6)
        rows.append({"session": n, "events": [{"aid": at % 9, "ts": at, "type": types[at % 4]} for at in times]})
    _lines(path, rows)
    return Counter({EVENT: sum(1 + n % 6 for n in range(20))})


def rees46(path: Path) -> Count:
    """UTC written out; removals from the cart are left out."""
    header = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
    types = ["view", "view", "cart", "purchase", "remove_from_cart"]
    rows = [
        [f"2019-10-01 00:00:{n:02} UTC", types[n % 5], 1_004_000 + n % 9, 7, "", "shop", "35.79", 541 + n % 6, f"s{n}"]
        for n in range(40)
    ]
    _text(path, [header.split(","), *rows], ",")
    return Counter({EVENT: 32, SKIPPED: 8})


def trivago(path: Path) -> Count:
    """Searches and filters among the clicks; lists behind pipes in two cells."""
    header = "user_id,session_id,timestamp,step,action_type,reference,platform,city,device,current_filters,impressions,"
    types = ["clickout item", "interaction item image", "search for destination", "filter selection"]
    rows = list[list[object]]()
    for n in range(40):
        where, lists = ["AU", '"Sydney, AU"', "mobile", ""], ["1|2", "9|8"] if n % 4 == 0 else ["", ""]
        rows.append([f"u{n % 5}", f"s{n}", 1_541_037_460 + n, n, types[n % 4], 3_400 + n % 9, *where, *lists])
    _text(path, [f"{header}prices".split(","), *rows], ",")
    return Counter({EVENT: 20, SKIPPED: 20})


def online_retail(path: Path) -> Count:
    """Customers as floats, some missing; cancelled invoices; the month first."""
    rows = list[list[object]]()
    for n in range(40):
        invoice, customer = f"{'C' if n % 10 == 9 else ''}{536_365 + n}", f"{17_850 + n % 5}.0" if n % 10 != 4 else ""
        when = f"12/{1 + n // 4}/2010 8:26"
        rows.append([invoice, f"85{n % 7}A", "HOLDER", 6, when, 2.55, customer, "United Kingdom"])
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    _text(path, [header.split(","), *rows], ",")
    return Counter({EVENT: 32, DEAD: 4, SKIPPED: 4})


def _ga4() -> tuple[list[dict[str, Any]], Count]:
    names = ["page_view", "view_item_list", "view_item", "add_to_cart", "purchase"]
    counts, rows = Counter[str](), []
    for n in range(40):
        name = names[n % 5]
        items = [{"item_id": f"G{(n + k) % 9}", "item_name": "shirt", "price": 1.5} for k in range(1 + n % 4)]
        if name == "page_view" or n == 7:
            items = []
        counts[SKIPPED if not items else EVENT] += len(items) or 1
        if n == 14:
            items[1]["item_id"] = None
            counts += Counter({DEAD: 1})
            counts[EVENT] -= 1
        rows.append(
            {
                "event_date": "20210131",
                "event_timestamp": 1_612_069_510_766_593 + n,
                "event_name": name,
                "event_params": [{"key": "ga_session_id", "value": {"int_value": 7, "string_value": None}}],
                "user_id": f"u{n % 3}" if n % 2 else None,
                "user_pseudo_id": f"10264{n % 4}.4271",
                "device": {"category": "mobile"},
                "items": items,
            }
        )
    return rows, counts


def ga4_json(path: Path) -> Count:
    """Integers are text in exports to JSON; other events have no items."""
    rows, counts = _ga4()
    _lines(path, [row | {"event_timestamp": str(row["event_timestamp"])} for row in rows])
    return counts


def ga4_parquet(path: Path) -> Count:
    """The same rows with lists of structs."""
    import pyarrow as pa
    from pyarrow import parquet

    rows, counts = _ga4()
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return counts


def segment(path: Path) -> Count:
    """Calls of every kind: pages and persons are no events, orders hold products, one of them is nameless."""
    counts, rows = Counter[str](), []
    for n in range(40):
        call: dict[str, Any] = {
            "messageId": f"ajs-{n:032}",
            "anonymousId": f"anon-{n % 4}",
            "timestamp": f"2023-11-14T22:13:{n:02}.123Z",
            "context": {"ip": "192.0.2.1", "library": {"name": "analytics.js"}},
        }
        if n % 3 == 0:
            call["userId"] = f"u{n % 5}"
        if n % 5 == 0:
            rows.append(call | {"type": "page", "properties": {"path": "/"}})
            counts[SKIPPED] += 1
        elif n % 5 == 1:
            rows.append(call | {"type": "track", "event": "Signed Up", "properties": {"plan": "free"}})
            counts[SKIPPED] += 1
        elif n % 5 == 4:
            products = [{"product_id": f"P{(n + k) % 9}", "price": 4, "quantity": 1} for k in range(1 + n % 3)]
            counts[EVENT] += len(products)
            if n == 14:
                products.append({"sku": "nameless"})
                counts[DEAD] += 1
            order = {"order_id": f"o{n}", "products": products}
            rows.append(call | {"type": "track", "event": "Order Completed", "properties": order})
        else:
            name = "Product Viewed" if n % 2 else "Product Added"
            rows.append(call | {"type": "track", "event": name, "properties": {"product_id": f"P{n % 9}"}})
            counts[EVENT] += 1
    _lines(path, rows)
    return counts


def cloudevents(path: Path) -> Count:
    """Structured mode; the item is in the data or is the subject."""
    rows = [
        {
            "specversion": "1.0",
            "type": f"com.example.item.{'bought' if n % 4 == 0 else 'viewed'}",
            "source": "/shop",
            "id": f"A{n}",
            "time": f"2023-04-05T17:31:{n:02}Z",
            "data": {"user_id": n % 5, **({"item_id": f"i{n % 7}"} if n % 2 else {})},
            **({} if n % 2 else {"subject": f"i{n % 7}"}),
        }
        for n in range(40)
    ]
    del rows[8]["subject"]
    _lines(path, rows)
    return Counter({EVENT: 39, DEAD: 1})


def debezium(path: Path) -> Count:
    """Changes of every kind, and what a deletion leaves behind."""
    rows: list[Any] = []
    for n in range(40):
        row = {"id": n, "customer_id": n % 5, "product_id": 100 + n % 9, "quantity": 1}
        op = "crud"[n % 4]
        source = {"connector": "postgresql", "ts_ms": MS + n, "table": "orders"}
        rows.append({"before": None, "after": None if op == "d" else row, "op": op, "ts_ms": MS, "source": source})
    rows.append(None)
    _lines(path, rows)
    return Counter({EVENT: 10, SKIPPED: 30, DEAD: 1})


SAMPLES: dict[str, Callable[[Path], Count]] = {
    "ml-100k.inter": recbole,
    "events.csv": retailrocket,
    "yoochoose-clicks.dat": yoochoose,
    "behaviors.tsv": mind,
    "UserBehavior.csv": taobao,
    "All_Beauty.jsonl": amazon,
    "userid-timestamp-artid-artname-traid-traname.tsv": lastfm,
    "train-item-views.csv": diginetica,
    "otto-recsys-train.jsonl": otto,
    "2019-Oct.csv": rees46,
    "train.csv": trivago,
    "online_retail.csv": online_retail,
    "ga4.jsonl": ga4_json,
    "ga4.parquet": ga4_parquet,
    "segment.jsonl": segment,
    "cloudevents.jsonl": cloudevents,
    "changes.jsonl": debezium,
}
"""File name -> what makes it."""
