"""Every metric that a worker exports: its name, kind, labels and meaning. Names are a contract of boards and alarms.

Counters count from the start of the process; their samples end with `_total`.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]

PARTITION: Final = ("partition",)


class Described(NamedTuple):
    """One metric.

    Parameters
    ----------
    help
        What it says, in one sentence.
    labels
        Names of its labels; a worker's address is Prometheus's own, `instance`.
    """

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


METRICS: Final[dict[str, Described]] = {
    "freshet_build_info": Described("gauge", "Always 1; the version of Freshet stands beside it.", ("version",)),
    "freshet_ready": Described("gauge", "1 if /readyz says ready, else 0."),
    # Kafka
    "freshet_partitions": Described("gauge", "Partitions that this worker owns."),
    "freshet_group_generation": Described("gauge", "Generation of the consumer group; -1 before it was joined."),
    "freshet_rebalances": Described("counter", "Times that partitions of this worker were ready after a rebalance."),
    "freshet_partitions_loading": Described(
        "gauge", "Partitions given to this worker whose saved state is being read."
    ),
    "freshet_load_seconds": Described("gauge", "What reading its partitions' saved state took the last time."),
    "freshet_lag_records": Described("gauge", "Records of a partition that wait to be folded.", PARTITION),
    "freshet_next_offset": Described("gauge", "Offset up to which a partition is folded.", PARTITION),
    "freshet_partition_stopped": Described(
        "gauge", "1 if a partition stands at a batch that cannot be decoded, else 0.", PARTITION
    ),
    "freshet_chunk_records": Described(
        "histogram", "Records of the chunks that partitions are handed in: the batches."
    ),
    # the fold
    "freshet_events": Described("counter", "Events folded, those that a restart folds again included.", PARTITION),
    "freshet_events_by_type": Described("counter", "Events folded, by their type.", ("type",)),
    "freshet_duplicates": Described("counter", "Events left out because they had been folded before.", PARTITION),
    "freshet_late_events": Described("counter", "Events that came later than late_grace_s allows.", PARTITION),
    "freshet_dead_letters": Described("counter", "Records that are no event, by reason.", ("reason",)),
    "freshet_stage_seconds": Described(
        "histogram", "Time by stage: broker, queue, fold (of events), list, redis, total (of lists).", ("stage",)
    ),
    "freshet_fold_tests": Described(
        "counter", "Positive events on items new to their users that were scored on the fold's own lists."
    ),
    "freshet_fold_hits": Described(
        "counter",
        "Those whose item stood in a list (list, popularity, or of one source), down to a depth.",
        ("list", "depth"),
    ),
    # what is held
    "freshet_users": Described("gauge", "Users in the state of a partition.", PARTITION),
    "freshet_users_max": Described("gauge", "Most users kept in a partition (max_users)."),
    "freshet_items": Described("gauge", "Items in the state of a partition.", PARTITION),
    "freshet_items_max": Described("gauge", "Most items kept in a partition (max_items)."),
    "freshet_waiting_lists": Described(
        "gauge", "Users of a partition whose lists wait to be scored by the fold.", PARTITION
    ),
    "freshet_waiting_lists_max": Described("gauge", "Most of these kept in a partition."),
    "freshet_catalogue_items": Described("gauge", "Items of the catalogue that this worker knows."),
    "freshet_catalogue_items_max": Described("gauge", "Most items of the catalogue kept (max_catalogue)."),
    "freshet_catalogue_left_out": Described("counter", "Entries of the catalogue left out, because it was full."),
    "freshet_users_evicted": Described("counter", "Users dropped, because there were too many or they were idle."),
    "freshet_items_evicted": Described("counter", "Items dropped, because there were too many."),
    # checkpoints
    "freshet_checkpoints": Described("counter", "Checkpoints written."),
    "freshet_checkpoint_bytes": Described("counter", "Bytes written as checkpoints."),
    "freshet_checkpoint_seconds": Described("counter", "Time from the cut of checkpoints to their commit, summed up."),
    "freshet_checkpoint_failures": Described("counter", "Checkpoints that were not written."),
    "freshet_checkpoint_age_seconds": Described(
        "gauge", "For how long something of a partition has been in no checkpoint; 0 if all is saved.", PARTITION
    ),
    # Redis
    "freshet_lists_published": Described("counter", "Users' lists written to Redis."),
    "freshet_lists_avoided": Described(
        "counter", "Lists not made on their own, because the user's list for earlier events was still to go out."
    ),
    "freshet_lists_fenced": Described("counter", "Lists refused because Redis holds newer ones."),
    "freshet_lists_unpublished": Described("gauge", "Users whose lists are to go out, those made anew included."),
    "freshet_lists_unpublished_max": Described(
        "gauge", "Most of these in a partition, before all lists are made anew (max_unpublished)."
    ),
    "freshet_features_stale": Described("gauge", "Keys of items and users that wait to be written."),
    "freshet_redis_errors": Described("counter", "Calls of Redis that failed.", ("call",)),
    "freshet_redis_up": Described("gauge", "1 if Redis answered when it was last asked, else 0."),
    # how good lists are
    "freshet_live_tests": Described(
        "counter", "Positive events on items new to their users whose published lists are remembered."
    ),
    "freshet_live_hits": Described("counter", "Those whose item stood in the list, down to a depth.", ("depth",)),
    "freshet_live_source_hits": Described(
        "counter", "Hits down to a depth of 10, by the source that had proposed the item.", ("source",)
    ),
    "freshet_live_hit_rate": Described("gauge", "Hit rate at 10 of the last tests; none before the first."),
    "freshet_live_drifts": Described("counter", "Times that the live hit rate was found changed."),
    "freshet_blend_outcomes": Described("gauge", "Outcomes that the learned weights of the blend come from."),
    "freshet_blend_weight": Described(
        "gauge", "Weight of a source in lists of users with at least so many events.", ("source", "events")
    ),
    # the learner
    "freshet_learner_lessons": Described("gauge", "Lessons that the learner of factors has learned and saved."),
    "freshet_learner_lag_records": Described("gauge", "Records of lessons that wait for the learner of factors."),
    # the intake
    "freshet_intake_records": Described("counter", "Records read from the topics of sources."),
    "freshet_intake_events": Described("counter", "Records written to Freshet's own topics from them."),
    "freshet_intake_dead_letters": Described("counter", "Records of sources that became dead letters."),
    "freshet_intake_lag_records": Described("gauge", "Records of sources' topics that wait to be read."),
    "freshet_intake_skew_seconds": Described(
        "gauge", "Kafka's time of a topic's newest record less that of its event; below 0: a clock ahead.", ("topic",)
    ),
    "freshet_intake_stopped": Described("gauge", "Partitions of sources that stand."),
}
"""By name, without `_total`."""


def exported_names(metrics: Mapping[str, Described] = METRICS) -> set[str]:
    """Names of samples, as queries use them."""
    names: set[str] = set()
    for name, metric in metrics.items():
        if metric.kind == "counter":
            names.add(f"{name}_total")
        elif metric.kind == "histogram":
            names |= {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
        else:
            names.add(name)
    return names
