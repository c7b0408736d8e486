"""Check of what this client may do on Kafka."""

from collections.abc import Sequence

from app.doctor.finding import Finding
from app.kafka_admin import admin_client
from app.settings import Settings
from app.topics.allowed import Allowed, ask, missing
from app.topics.grants import Grant, worker_grants

SURVIVED = ("DescribeConfigs",)
ADVICE = "`freshet topics --print --format acls` prints the lines that grant what is needed."


async def check_permissions(settings: Settings) -> list[Finding]:
    """Whether a worker with this login would get on."""
    grants = worker_grants(settings.names, settings.source_topics)
    topics = sorted({grant.name for grant in grants if grant.kind == "topic"})
    transactional_id = settings.names.transactional_id(0)
    async with admin_client(settings.kafka) as admin:
        allowed = await ask(admin, topics, settings.names.group, transactional_id)
    return findings_of(grants, allowed, transactional_id)


def findings_of(grants: Sequence[Grant], allowed: Allowed, transactional_id: str) -> list[Finding]:
    """What the comparison of the wanted and the given says."""
    if all(given is None for given in allowed.values()):
        return [Finding("permissions", "ok", "this broker does not tell what a client may do")]
    lacking = missing(grants, allowed, transactional_id)
    if not lacking:
        return [Finding("permissions", "ok", "all that a worker needs")]
    writing = [grant for grant in grants if "Write" in grant.operations]
    if all("Write" in operations for grant, operations in lacking if grant in writing) and len(writing) == sum(
        grant in writing for grant, _ in lacking
    ):
        found = "this client may write nothing that a worker writes: it logs in as another than a worker does"
        return [Finding("permissions", "note", found, "To look at a worker's, run this with a worker's settings.")]
    findings = []
    for grant, operations in lacking:
        needed = tuple(each for each in operations if each not in SURVIVED)
        found = (
            f"{' and '.join(operations)} on {grant.kind} {grant.name} is not allowed ({grant.why.partition(';')[0]})"
        )
        if needed:
            findings.append(Finding("permissions", "wrong", found, ADVICE))
        else:
            advice = f"Its max.message.bytes is taken to be Kafka's usual 1048588. {ADVICE}"
            findings.append(Finding("permissions", "note", found, advice))
    return findings
