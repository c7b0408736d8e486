"""Whether a worker is ready, as a probe asks: it serves its partitions, and what waits is little."""

from app.metrics.parts import Parts


def why_not_ready(parts: Parts) -> str | None:
    """What keeps a worker from being ready; None: it is. One that was given no partition waits for one, ready."""
    ownership, limit = parts.ownership, parts.settings.metrics_ready_lag
    if not ownership.ready:
        if ownership.assigned:
            return f"the saved state of partitions {', '.join(map(str, sorted(ownership.assigned)))} is being read"
        return "the consumer group has given no partitions yet"
    if not ownership.owned:
        return None
    if (lacking := parts.readiness.lacking()) is not None:
        return lacking
    n_waiting = ownership.n_waiting
    if n_waiting > limit:
        return f"{n_waiting} records wait to be folded, FRESHET_METRICS_READY_LAG allows {limit}"
    return None
