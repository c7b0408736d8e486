"""Lists and trends as tables."""

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.client import Reader

N_ITEMS = 5
N_HISTORY = 3


def show_list(console: Console, reader: Reader, user_id: str) -> None:
    """A user's newest items, and the head of the list with titles and reasons."""
    found = reader.recs(user_id)
    if found is None:
        console.print(f"   {escape(user_id)} has no list.")
        return
    recent = orjson.loads(reader.user_features(user_id).get("recent_items", "[]"))[:N_HISTORY]
    head = found.items[:N_ITEMS]
    titles = reader.titles([*recent, *(item.item_id for item in head), *(b for item in head for b in item.because)])
    liked = ", ".join(escape(titles.get(item, item)) for item in recent)
    table = Table(title=f"recs:user:{escape(user_id)}  (last: {liked})", title_justify="left", title_style="bold")
    for name in ("#", "title", "score", "source", "because of"):
        table.add_column(name, justify="right" if name in ("#", "score") else "left")
    for rank, item in enumerate(head, 1):
        because = ", ".join(escape(titles.get(reason, reason)) for reason in item.because)
        table.add_row(
            str(rank), escape(titles.get(item.item_id, item.item_id)), f"{item.score:.3f}", item.source, because
        )
    console.print(table)


def show_trending(console: Console, reader: Reader) -> None:
    """The heads of the three trending sets side by side."""
    windows = ("1h", "1d", "7d")
    ranked = {window: reader.trending(window, k=N_ITEMS) for window in windows}
    titles = reader.titles([item for items in ranked.values() for item, _ in items])
    table = Table(title="trending:<window>", title_justify="left", title_style="bold")
    for window in windows:
        table.add_column(window)
    for row in range(max((len(items) for items in ranked.values()), default=0)):
        table.add_row(
            *(
                f"{escape(titles.get(items[row][0], items[row][0]))} ({items[row][1]:.1f})" if row < len(items) else ""
                for items in ranked.values()
            )
        )
    console.print(table)
