"""Is everything reachable, and are the contracts met? Each finding says what to do."""
