"""Check of the log: does a partition stand at a batch that cannot be decoded."""

from app.doctor.finding import Finding
from app.settings import Settings
from app.stopped.find import find_stopped

CHECK = "stopped partitions"


async def check_stopped(settings: Settings) -> list[Finding]:
    """One finding for each partition that stands, or will when its worker gets there."""
    findings: list[Finding] = []
    for stopped in await find_stopped(settings):
        batch = stopped.batch
        what = f" (the batch of offsets {batch.first} to {batch.behind - 1}, codec {batch.codec})" if batch else ""
        findings.append(
            Finding(
                CHECK,
                "wrong",
                f"partition {stopped.partition} of {stopped.topic} stands at offset {stopped.offset}{what}, which "
                f"cannot be decoded: {stopped.why}; {stopped.n_waiting} offsets wait",
                "Mend or restore the log, or step over the batch, keeping its bytes: `freshet stopped skip "
                f"{stopped.partition} {stopped.offset}`",
            )
        )
    return findings or [Finding(CHECK, "ok", "none")]
