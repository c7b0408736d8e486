"""Pictures of evaluations: one file, whatever the log is called, and whatever was found."""

from html.parser import HTMLParser
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from matplotlib import rc_context
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from app.evaluate.delays import parse_delays
from app.evaluate.draw import STYLE, draw, figure_of
from app.evaluate.picture import write_picture
from app.evaluate.result import result_of
from app.evaluate.run import EvaluationSettings
from tests.evaluations import evaluated, log_records
from tests.logs import made_log

HOSTILE = "a$b$ --> <script>alert('x')</script> & \u6f22\u5b57.jsonl"


def result(delays: str = "0", n: int = 600) -> dict[str, Any]:
    """Of a made log with a name that means something to HTML, to XML and to matplotlib."""
    log = log_records(made_log(22, n, 30, 60))
    return {"log": HOSTILE, **result_of(evaluated(log, EvaluationSettings(delays=parse_delays(delays))))}


class Page(HTMLParser):
    """Every element with its attributes, and the text of the page's title."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.title = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "title" and not self.title:
            self.title = data


def test_a_page_asks_for_nothing_and_says_the_name_as_it_is(tmp_path: Path) -> None:
    """No address but XML's own names, no script, one picture within the page, every table."""
    path = tmp_path / "page.html"

    assert write_picture(result("1m,100"), path)

    html = path.read_text("utf-8")
    page = Page(html)
    names = [tag for tag, _ in page.elements]
    assert page.title == f"{HOSTILE}: freshet evaluate"
    assert {"script", "link", "img", "iframe", "image", "object"}.isdisjoint(names)
    assert (names.count("svg"), names.count("table")) == (1, 6)
    for _, attributes in page.elements:
        assert {"src", "srcset", "onload"}.isdisjoint(attributes)
        assert all((attributes.get(name) or "#").startswith("#") for name in ("href", "xlink:href"))
    rest = html.replace('"http://www.w3.org/2000/svg"', "").replace('"http://www.w3.org/1999/xlink"', "")
    assert not any(foreign in rest for foreign in ("http:", "https:", "@import", "url(h", "//www"))
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_same_numbers_give_the_same_page(tmp_path: Path) -> None:
    """Byte by byte: no date, no chance."""
    found = result()
    pages = [tmp_path / "one.html", tmp_path / "other.html"]
    for path in pages:
        write_picture(found, path)

    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_a_png_is_as_large_as_its_bars_ask_for() -> None:
    """150 dots an inch, with and without the panel of freshness, more lists, more height."""
    found = result("1s,1h")
    sizes = []
    lists = {**found["lists"], **{f"s{n} alone": found["lists"]["list"] for n in range(9)}}
    for each in (found, {**found, "delays": []}, {**found, "lists": lists}):
        file = BytesIO()
        draw(each, file, "png")
        with Image.open(file) as image:
            sizes.append(image.size)

    assert sizes[0] == sizes[1] == (1725, sizes[0][1])
    assert sizes[2][1] > sizes[0][1] + 300 > 1300


def within(axis: Axis, place: float) -> bool:
    """Whether a tick there is drawn."""
    low, high = sorted(axis.get_view_interval())
    return bool(low <= place <= high)


@pytest.mark.parametrize("delays", ["0", "1ms,1s,10s,1m,1h,12h,1d,7d,1000,10000,1234567"])
def test_text_stays_within_the_picture_and_apart(delays: str) -> None:
    """No text lies outside, none over another; with many delays, and names as long as sources may have."""
    found = result(delays)
    long = {"transitions_of_the_last_ten_items alone": found["lists"]["list"]}
    with rc_context(STYLE):
        figure = figure_of({**found, "lists": {**found["lists"], **long}, "log": "x" * 500, "records": 123_456_789})
        FigureCanvasAgg(figure).draw()
        axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
        beyond = [tick.label1 for axis in axes for tick in axis.get_major_ticks() if not within(axis, tick.get_loc())]
        texts = [each for each in figure.findobj(Text) if each.get_visible() and each not in beyond]
        boxes = [(each.get_text(), each.get_window_extent()) for each in texts if each.get_text().strip()]

    outside = [text for text, box in boxes if not (box.x0 >= 0 and box.y0 >= 0 and figure.bbox.contains(*box.max))]
    over = [(one[0], other[0]) for one, other in combinations(boxes, 2) if one[1].padded(-1).overlaps(other[1])]
    assert len(boxes) > 40
    assert (outside, over) == ([], [])


def test_lists_that_never_hit_can_be_drawn() -> None:
    """Rates of 0 everywhere: axes all the same."""
    found = result("1h", 60)
    nothing = {name: {**rates, "hr@10": 0.0} for name, rates in found["lists"].items()}
    flat = {metric: {"mean": 0.0, "low": 0.0, "high": 0.0, "standard_error": 0.0} for metric in ("hr@10",)}
    series = [{**each, "hr@10": 0.0, "popularity_hr@10": 0.0, "best_alone_hr@10": 0.0} for each in found["series"]]
    delays = [{**each, "hr@10": 0.0, **({"lost": flat} if "lost" in each else {})} for each in found["delays"]]
    file = BytesIO()

    draw(
        {
            **found,
            "lists": nothing,
            "differences": dict.fromkeys(found["differences"], flat),
            "series": series,
            "delays": delays,
        },
        file,
        "png",
    )

    assert file.getvalue().startswith(b"\x89PNG")


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    """Without tests there is no file."""
    assert not write_picture({"log": "l", **result_of(evaluated([]))}, tmp_path / "p.png")
    assert list(tmp_path.iterdir()) == []
