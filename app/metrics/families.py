"""What was read, put together as Prometheus's library has it: one family per metric, in the order of `METRICS`."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from app.metrics.described import METRICS

Histogram = tuple[Sequence[tuple[str, float]], float]


class Readings:
    """Values by metric and labels, as they are at one moment."""

    def __init__(self) -> None:
        self._values: dict[str, list[tuple[tuple[str, ...], float]]] = defaultdict(list)
        self._histograms: dict[str, list[tuple[tuple[str, ...], Histogram]]] = defaultdict(list)

    def add(self, name: str, value: float, *labels: object) -> None:
        """Take a value; the labels in the order in which the metric names them."""
        self._values[name].append((tuple(map(str, labels)), value))

    def add_histogram(self, name: str, histogram: Histogram, *labels: object) -> None:
        """Take cumulative buckets and their sum."""
        self._histograms[name].append((tuple(map(str, labels)), histogram))

    def families(self) -> Iterator[Metric]:
        """The metrics that have a value."""
        for name, metric in METRICS.items():
            if metric.kind == "histogram" and name in self._histograms:
                family = HistogramMetricFamily(name, metric.help, labels=metric.labels)
                for labels, (buckets, total) in self._histograms[name]:
                    family.add_metric(labels, list(buckets), total)
                yield family
            elif name in self._values:
                kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
                plain = kind(name, metric.help, labels=metric.labels)
                for labels, value in self._values[name]:
                    plain.add_metric(labels, value)
                yield plain
