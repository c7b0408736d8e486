"""Draws docs/flow.svg: how events become lists. Boxes and arrows as they stand here, nothing is measured.

python -m tools.flow_picture
"""

from html import escape
from pathlib import Path
from typing import Final, NamedTuple

PICTURE = Path(__file__).parents[1] / "docs" / "flow.svg"
WIDTH, HEIGHT = 960, 380
STYLE: Final = (
    "svg{background:#fff}"  # as readable on a dark page
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.name{font-weight:600;font-size:14px}"
    "rect{stroke:#52606d;stroke-width:1.2}.kafka{fill:#e3f0fb}.ours{fill:#e6f6ec}.redis{fill:#fdeae7}.yours{fill:#fff}"
    "path{stroke:#52606d;stroke-width:1.4;fill:none;marker-end:url(#tip)}"
)


class Box(NamedTuple):
    """One box: its corner and size in pixels, whose it is, its name, and lines of text below."""

    x: int
    y: int
    width: int
    height: int
    whose: str
    lines: tuple[str, ...]


WORKER: Final = (
    *("worker", "one pass over a partition:", "users, windows, counts,", "pairs, factors; then lists"),
    "by source, weight and rule",
)
BOXES: Final = (
    Box(20, 40, 150, 70, "yours", ("your topics", "any key and format")),
    Box(20, 150, 150, 70, "yours", ("producers", "any Kafka client,", "HTTP, a recorded log")),
    Box(20, 280, 150, 70, "yours", ("catalogue", "titles, categories")),
    Box(240, 40, 130, 70, "ours", ("intake", "plain events,", "exactly once")),
    Box(240, 150, 130, 70, "kafka", ("user_events", "by user_id")),
    Box(240, 280, 130, 70, "kafka", ("items", "by item_id")),
    Box(440, 110, 210, 150, "ours", WORKER),
    Box(440, 300, 210, 60, "kafka", ("checkpoints", "state and offset, together")),
    Box(440, 20, 210, 55, "kafka", ("dead letters", "what is no event, and why")),
    Box(720, 130, 130, 110, "redis", ("Redis", "lists, features,", "similar items,", "trends")),
    Box(880, 150, 70, 70, "yours", ("readers", "one GET")),
)  # fmt: skip
ARROWS: Final = (
    "M170 75H234", "M305 110V144", "M170 185H234", "M170 315H234", "M370 185H434", "M370 315C405 315 400 240 434 235",
    "M545 260V294", "M545 110V81", "M650 185H714", "M850 185H874",
)  # fmt: skip


def drawn() -> str:
    """The picture as SVG, without anything from elsewhere."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>How events become lists</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill:#52606d;stroke:none;marker-end:none"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" style="fill:#fff;stroke:none"/>',
    ]
    for box in BOXES:
        parts.append(
            f'<rect class="{box.whose}" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6"/>'
        )
        top = box.y + box.height / 2 - 9 * (len(box.lines) - 1) + 5
        for number, line in enumerate(box.lines):
            kind = "" if number else ' class="name"'
            parts.append(
                f'<text{kind} x="{box.x + box.width / 2:g}" y="{top + 18 * number:g}" text-anchor="middle">'
                f"{escape(line)}</text>"
            )
    parts += [f'<path d="{arrow}"/>' for arrow in ARROWS]
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
