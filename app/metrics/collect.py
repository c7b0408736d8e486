"""Reads a worker when it is asked, so that what the worker does costs nothing more for being measured.

Only from the event loop: between two of its turns every state stands between two records.
"""

from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from time import monotonic

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.metrics.buckets import cumulative
from app.metrics.families import Readings
from app.metrics.fold_counts import DEPTHS, TESTS, TYPE, hits_of
from app.metrics.parts import Parts
from app.metrics.ready import why_not_ready
from models.evaluation import SOURCES
from models.events import REASONS
from tables.evaluator import MAX_WAITING

LETTERS = "dead_letters."


class WorkerCollector(Collector):
    """The metrics of one worker."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        rules = parts.settings.rules
        named = ((LETTERS, REASONS), (TYPE, rules.types))
        self._names = [f"{beginning}{name}" for beginning, names in named for name in names]  # there from the start

    def collect(self) -> Iterator[Metric]:
        """Every metric as of now."""
        readings = Readings()
        readings.add("freshet_build_info", 1, version("freshet"))
        readings.add("freshet_ready", why_not_ready(self._parts) is None)
        of_stream, of_lists = (self._group, self._partitions, self._fold), (self._redis, self._quality)
        for read in (*of_stream, self._held, self._checkpoints, *of_lists, self._learner, self._intake):
            read(readings)
        return readings.families()

    def describe(self) -> list[Metric]:
        """Nothing: a registry would read a worker that has not started."""
        return []

    def _group(self, readings: Readings) -> None:
        ownership = self._parts.ownership
        readings.add("freshet_partitions", len(ownership.owned))
        readings.add("freshet_group_generation", ownership.generation)
        readings.add("freshet_rebalances", ownership.n_ready)
        readings.add("freshet_partitions_loading", 0 if ownership.ready else len(ownership.assigned))
        if ownership.load_s is not None:
            readings.add("freshet_load_seconds", ownership.load_s)

    def _partitions(self, readings: Readings) -> None:
        ownership, now = self._parts.ownership, monotonic()
        waiting = ownership.waiting()
        for number, partition in sorted(ownership.owned.items()):
            lag = waiting.get(number, 0) if partition.stop is None else partition.lag
            readings.add("freshet_lag_records", lag, number)
            readings.add("freshet_next_offset", partition.state.next_offset, number)
            readings.add("freshet_partition_stopped", partition.stop is not None, number)
            age_s = max(0.0, now - partition.unsaved_since(now))
            readings.add("freshet_checkpoint_age_seconds", age_s, number)
        readings.add_histogram("freshet_chunk_records", self._parts.chunk_sizes.cumulative())

    def _held(self, readings: Readings) -> None:
        """What is kept, beside the most that may be."""
        settings, catalogue = self._parts.settings, self._parts.catalogue
        readings.add("freshet_users_max", settings.max_users)
        readings.add("freshet_items_max", settings.max_items)
        readings.add("freshet_waiting_lists_max", MAX_WAITING)
        readings.add("freshet_lists_unpublished_max", settings.max_unpublished)
        for number, partition in sorted(self._parts.ownership.owned.items()):
            readings.add("freshet_users", len(partition.state.users), number)
            readings.add("freshet_items", len(partition.state.items), number)
            readings.add("freshet_waiting_lists", partition.state.evaluator.n_waiting, number)
        readings.add("freshet_catalogue_items", catalogue.n_entries)
        readings.add("freshet_catalogue_items_max", settings.max_catalogue)
        readings.add("freshet_catalogue_left_out", catalogue.n_left_out)

    def _fold(self, readings: Readings) -> None:
        summed = Counter(dict.fromkeys(self._names, 0))
        for number, grown in sorted(self._parts.since.look().items()):
            readings.add("freshet_events", grown["events"], number)
            readings.add("freshet_duplicates", grown["duplicates"], number)
            readings.add("freshet_late_events", grown["late"], number)
            summed.update(grown)
        for beginning, metric in (
            (LETTERS, "freshet_dead_letters"),
            (TYPE, "freshet_events_by_type"),
        ):
            for name in [name for name in summed if name.startswith(beginning)]:
                readings.add(metric, summed[name], name.removeprefix(beginning))
        readings.add("freshet_fold_tests", summed[TESTS])
        for name in SOURCES:
            for depth in DEPTHS:
                readings.add("freshet_fold_hits", summed[hits_of(name, depth)], name, depth)
        readings.add("freshet_users_evicted", summed["users_evicted"] + summed["users_expired"])
        readings.add("freshet_items_evicted", summed["items_evicted"])
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
        for source, hits in gauge.hits_by_source.items():
            readings.add("freshet_live_source_hits", hits, source)
        if live["recent"]["hr@10"] is not None:
            readings.add("freshet_live_hit_rate", live["recent"]["hr@10"])
        readings.add("freshet_live_drifts", live["n_drifts"])
        learned = blend.as_json()
        if learned:
            readings.add("freshet_blend_outcomes", learned["n"])
            for source, weights in learned["weights"].items():
                for events, weight in weights.items():
                    readings.add("freshet_blend_weight", weight, source, events)

    def _learner(self, readings: Readings) -> None:
        learner = self._parts.learner
        if learner is None or not learner.is_here:
            return
        readings.add("freshet_learner_lessons", learner.n_lessons)
        readings.add("freshet_learner_lag_records", learner.lag)

    def _intake(self, readings: Readings) -> None:
        if self._parts.intake is None:
            return
        progress = self._parts.intake.progress()
        readings.add("freshet_intake_records", progress["in"])
        readings.add("freshet_intake_events", progress["out"])
        readings.add("freshet_intake_dead_letters", progress["dead"])
        readings.add("freshet_intake_lag_records", progress["lag"])
        for topic, ms in progress["skew_ms"].items():
            readings.add("freshet_intake_skew_seconds", ms / 1000, topic)
        readings.add("freshet_intake_stopped", len(progress["stopped"]))
