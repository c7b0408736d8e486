"""Is everything reachable, and are the contracts met? Each finding says what to do."""

from app.doctor.examine import examine
from app.doctor.finding import Finding

__all__ = ["Finding", "examine"]
