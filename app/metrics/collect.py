"""Reads a worker when it is asked, so that what the worker does costs nothing more for being measured.

Only from the event loop: between two of its turns every state stands between two records.
"""

from collections.abc import Iterator
from importlib.metadata import version
from time import monotonic

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.metrics.buckets import cumulative
from app.metrics.families import Readings
from app.metrics.parts import Parts
from app.metrics.ready import why_not_ready
from app.metrics.since import DEPTHS, TESTS, hits_of
from models.evaluation import SOURCES
from models.events import REASONS


class WorkerCollector(Collector):
    """The metrics of one worker."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """Every metric as of now."""
        readings = Readings()
        readings.add("freshet_build_info", 1, version("freshet"))
        readings.add("freshet_ready", why_not_ready(self._parts) is None)
        for read in (self._group, self._partitions, self._fold, self._checkpoints, self._redis, self._quality):
            read(readings)
        self._intake(readings)
        return readings.families()

    def describe(self) -> list[Metric]:
        """Nothing: a registry would read a worker that has not started."""
        return []

    def _group(self, readings: Readings) -> None:
        ownership = self._parts.ownership
        readings.add("freshet_partitions", len(ownership.owned))
        readings.add("freshet_group_generation", ownership.generation)
        readings.add("freshet_rebalances", ownership.n_ready)
        if ownership.load_s is not None:
            readings.add("freshet_load_seconds", ownership.load_s)

    def _partitions(self, readings: Readings) -> None:
        settings, ownership, now = self._parts.settings, self._parts.ownership, monotonic()
        readings.add("freshet_users_max", settings.max_users)
        readings.add("freshet_items_max", settings.max_items)
        waiting = ownership.waiting()
        for number, partition in sorted(ownership.owned.items()):
            lag = waiting.get(number, 0) if partition.stop is None else partition.lag
            readings.add("freshet_lag_records", lag, number)
            readings.add("freshet_next_offset", partition.state.next_offset, number)
            readings.add("freshet_partition_stopped", partition.stop is not None, number)
            readings.add("freshet_users", len(partition.state.users), number)
            readings.add("freshet_items", len(partition.state.items), number)
            age_s = max(0.0, now - partition.unsaved_since(now))
            readings.add("freshet_checkpoint_age_seconds", age_s, number)

    def _fold(self, readings: Readings) -> None:
        letters = dict.fromkeys(REASONS, 0)
        hits = {(name, depth): 0 for name in SOURCES for depth in DEPTHS}
        n_users_evicted = n_items_evicted = n_tests = 0
        for number, grown in sorted(self._parts.since.look().items()):
            readings.add("freshet_events", grown["events"], number)
            readings.add("freshet_duplicates", grown["duplicates"], number)
            readings.add("freshet_late_events", grown["late"], number)
            n_users_evicted += grown["users_evicted"] + grown["users_expired"]
            n_items_evicted += grown["items_evicted"]
            n_tests += grown[TESTS]
            for name, depth in hits:
                hits[name, depth] += grown[hits_of(name, depth)]
            for name, n in grown.items():
                if name.startswith("dead_letters."):
                    reason = name.removeprefix("dead_letters.")
                    letters[reason] = letters.get(reason, 0) + n
        for reason, n in letters.items():
            readings.add("freshet_dead_letters", n, reason)
        readings.add("freshet_fold_tests", n_tests)
        for (name, depth), n in hits.items():
            readings.add("freshet_fold_hits", n, name, depth)
        readings.add("freshet_users_evicted", n_users_evicted)
        readings.add("freshet_items_evicted", n_items_evicted)
        for stage, histogram in self._parts.latency.stages.items():
            readings.add_histogram("freshet_stage_seconds", cumulative(histogram.counts), stage)

    def _checkpoints(self, readings: Readings) -> None:
        saves = self._parts.ownership.saves
        readings.add("freshet_checkpoints", saves.n)
        readings.add("freshet_checkpoint_bytes", saves.n_bytes)
        readings.add("freshet_checkpoint_seconds", saves.seconds)
        readings.add("freshet_checkpoint_failures", saves.n_failed)

    def _redis(self, readings: Readings) -> None:
        lists, features, owned = self._parts.lists, self._parts.features, self._parts.ownership.owned.values()
        readings.add("freshet_lists_published", lists.n_published)
        readings.add("freshet_lists_avoided", self._parts.outputs.n_avoided)
        readings.add("freshet_lists_fenced", lists.n_refused)
        n_due = sum(len(each.unpublished) + len(each.out_of_reach) + len(each.rebuild) for each in owned)
        readings.add("freshet_lists_unpublished", n_due)
        readings.add("freshet_features_stale", features.n_stale)
        readings.add("freshet_redis_errors", lists.n_errors, "lists")
        readings.add("freshet_redis_errors", features.n_errors, "features")
        readings.add("freshet_redis_errors", features.n_probes_failed, "probe")
        readings.add("freshet_redis_up", features.redis_error is None)

    def _quality(self, readings: Readings) -> None:
        gauge, blend = self._parts.gauge, self._parts.lists.blend
        live = gauge.as_json()
        readings.add("freshet_live_tests", live["n"])
        for depth, hits in gauge.hits.items():
            readings.add("freshet_live_hits", hits, depth)
        if live["recent"]["hr@10"] is not None:
            readings.add("freshet_live_hit_rate", live["recent"]["hr@10"])
        readings.add("freshet_live_drifts", live["n_drifts"])
        learned = blend.as_json()
        if learned:
            readings.add("freshet_blend_outcomes", learned["n"])
            for source, weights in learned["weights"].items():
                for events, weight in weights.items():
                    readings.add("freshet_blend_weight", weight, source, events)

    def _intake(self, readings: Readings) -> None:
        if self._parts.intake is None:
            return
        progress = self._parts.intake.progress()
        readings.add("freshet_intake_records", progress["in"])
        readings.add("freshet_intake_events", progress["out"])
        readings.add("freshet_intake_dead_letters", progress["dead"])
        readings.add("freshet_intake_lag_records", progress["lag"])
        readings.add("freshet_intake_stopped", len(progress["stopped"]))
