"""Become a server that dies with its parent.

Run by its path, as `python -I -S child.py PARENT_PID PID_FILE COMMAND...`: it asks the kernel for SIGKILL when the
parent ends (Linux), writes the pid file, and then replaces itself by the command, so the pid stays the same. It is a
program of its own, and imports nothing but the standard library, because code between fork and exec of a process with
threads can deadlock.

Pid file: JSON `{"pid", "started", "command"}`. `started` names the start of the process so exactly that a reused pid
is not taken for it: boot id and clock ticks on Linux, the start time that `ps` prints elsewhere.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def _ps(pid: int, column: str) -> str | None:
    found = subprocess.run(["ps", "-ww", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True)
    return found.stdout.strip() or None


def process_started(pid: int) -> str | None:
    """When a process started, as a text that is equal only for the same process; None if there is none."""
    if not sys.platform.startswith("linux"):
        return _ps(pid, "lstart")
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    # Field 22 of the line; the fields are counted behind the program's name, which may contain blanks and brackets.
    return f"{boot_id}:{stat.rpartition(')')[2].split()[19]}"


def process_command(pid: int) -> str | None:
    """The command line of a process, joined by blanks; None if there is none, or if it has ended."""
    if not sys.platform.startswith("linux"):
        return _ps(pid, "command")
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    return raw.removesuffix(b"\0").replace(b"\0", b" ").decode("utf-8", "replace") or None


def main() -> None:
    """Tie this process to its parent, write the pid file, become the command."""
    parent, pid_file, command = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The parent ended before its server had started.")
    pid = os.getpid()
    new = pid_file.with_suffix(".pid.new")
    record = {"pid": pid, "started": process_started(pid), "command": " ".join(command)}
    new.write_text(json.dumps(record), encoding="utf-8")
    new.replace(pid_file)
    try:
        os.execv(command[0], command)
    except OSError as error:
        sys.exit(f"Cannot run {command[0]}: {error}")


if __name__ == "__main__":
    main()
