"""Charts."""

from app.dashboard.charts import Series, columns, line_chart, sparkline, thinned
from app.dashboard.figures import count

SCRIPT = '"><script>alert(1)</script>'


def test_a_chart_says_what_it_shows() -> None:
    """In words for those who hear it, and as points for the pointer; long series are thinned."""
    values = [float(n) for n in range(900)]
    drawn = str(line_chart("events a second", [str(n) for n in range(900)], [Series("events", values, "c1")], count))
    assert 'aria-label="events a second: events 899"' in drawn
    assert drawn.count("L") < 400 and len(thinned(values)) <= 120 and thinned(values)[-1] == 899


def test_unknown_values_are_gaps() -> None:
    """No line is drawn through what nobody knows; a chart of nothing is empty."""
    drawn = str(line_chart("x", ["1", "2", "3"], [Series("a", [1.0, None, 2.0], "c1")], count))
    assert "M0 " in drawn and "M600 " in drawn and "L600 " not in drawn.partition('class="line')[2]
    for nothing in ([], [None], [None, None]):
        assert "NaN" not in str(line_chart("x", ["1"] * len(nothing), [Series("a", nothing, "c1")], count))
        assert "<svg" in str(sparkline(nothing, "x"))


def test_stacked_parts_lie_on_one_another() -> None:
    """The last line is the sum."""
    parts = [Series("a", [0.25, 0.5], "c1"), Series("b", [0.75, 0.5], "c2")]
    drawn = str(line_chart("x", ["1", "2"], parts, count, top=1.0, stacked=True))
    assert 'd="M0 1L600 1"' in drawn and drawn.count('class="area') == 2


def test_labels_are_escaped() -> None:
    """Whatever they say."""
    drawn = str(line_chart(SCRIPT, [SCRIPT], [Series(SCRIPT, [1.0], "c1")], lambda value: SCRIPT))
    assert "<script>" not in drawn + str(columns([1.0], [SCRIPT], SCRIPT))
