"""Whether a Redis Cluster goes on when one of its nodes is away."""

from app.doctor.finding import Finding
from app.store.blocking_cluster import BlockingCluster
from app.store.nodes import address
from app.store.slots import Slots
from models.errors import ServiceError

_COVERAGE = "cluster-require-full-coverage"


def check_cluster(cluster: BlockingCluster) -> list[Finding]:
    """Slots without a node, and primaries whose failure would stop more than what is theirs.

    Raises
    ------
    ServiceError
        If no node answers.
    """
    slots = cluster.learn()
    return check_slots(slots, coverage(cluster))


def coverage(cluster: BlockingCluster) -> str:
    """`yes`, `no`, or empty if the nodes do not say: asking takes a permission that workers do not need."""
    for server, _ in cluster.nodes():
        try:
            (reply,) = server.begin([("CONFIG", "GET", _COVERAGE)])()
        except ServiceError:
            continue  # a node that is away is told of elsewhere
        if isinstance(reply, list) and len(reply) == 2:
            return str(reply[1].decode())
    return ""


def check_slots(slots: Slots, full_coverage: str) -> list[Finding]:
    """Read the cluster's shape."""
    n, bare = len(slots.first_slots), [address(host) for host in slots.first_slots if not slots.replicas[host]]
    findings = [Finding("Redis cluster", "ok", f"{n} primaries, {n - len(bare)} of them with replicas")]
    if slots.n_uncovered:
        findings.append(
            Finding(
                "Redis cluster",
                "wrong",
                f"{slots.n_uncovered} of {len(slots.primary_of)} slots belong to no node",
                "What belongs there is not written. Give the slots to nodes: CLUSTER ADDSLOTSRANGE, or "
                "`valkey-cli --cluster fix`.",
            )
        )
    if bare and full_coverage == "no":
        advice = "While one of them is away its users' lists wait; the others' go on."
        findings.append(Finding("Redis cluster", "note", f"without a replica: {', '.join(bare)}", advice))
    elif bare:
        known = "is yes" if full_coverage else "is yes (the default; this user may not ask)"
        findings.append(
            Finding(
                "Redis cluster",
                "note",
                f"without a replica: {', '.join(bare)}; {_COVERAGE} {known}",
                "When one of them fails, no list is written anywhere and none is read. Give them replicas, or set "
                f"{_COVERAGE} no.",
            )
        )
    return findings
