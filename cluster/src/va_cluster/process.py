"""Who a process is: its id alone may by now belong to another one."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process, told from every other one by when it started and in which boot."""

    pid: int
    start_time: int
    boot: str


def start_time(stat: str) -> int:
    """The start time, in ticks since the boot, of a `/proc/PID/stat`."""
    # The program's name, in parentheses, may hold spaces and parentheses itself.
    return int(stat.rpartition(")")[2].split()[19])


def state(stat: str) -> str:
    """The one-letter state of a `/proc/PID/stat`."""
    return stat.rpartition(")")[2].split()[0]


def identify(pid: int, proc: Path = PROC) -> Process | None:
    """The process that has this id now, or None where none lives under it."""
    try:
        stat = (proc / str(pid) / "stat").read_text()
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state(stat) in {"Z", "X"} else Process(pid, start_time(stat), boot)


def alive(process: Process, proc: Path = PROC) -> bool:
    """Whether this very process still lives."""
    return identify(process.pid, proc) == process


def written(pid_file: Path, word: str, proc: Path = PROC) -> Process | None:
    """The process that a pid file names, if its command line holds `word`.

    A pid file has no start time: the command line tells a process from one that
    has its id by chance.
    """
    try:
        pid = int(pid_file.read_text())
        command = (proc / str(pid) / "cmdline").read_text(errors="replace")
    except (OSError, ValueError):
        return None
    return identify(pid, proc) if word in command else None


def stop(process: Process, grace: float) -> None:
    """End this very process: politely, and after `grace` seconds for certain."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if not alive(process):
            return
        os.kill(process.pid, number)
        deadline = time.monotonic() + patience
        while alive(process) and time.monotonic() < deadline:
            time.sleep(0.1)
