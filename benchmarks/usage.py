"""What a process uses, from `/proc`."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Processor seconds since the start, and memory in MB (10^6 bytes) now and at most."""

    cpu_seconds: float
    rss: float
    peak_rss: float
    pss: float
    uss: float


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def usage(pid: int) -> Usage:
    """Measure a process."""
    status = _kilobytes(Path(f"/proc/{pid}/status").read_text())
    rollup = _kilobytes(Path(f"/proc/{pid}/smaps_rollup").read_text())
    private = rollup["Private_Clean"] + rollup["Private_Dirty"]
    return Usage(
        cpu_seconds=cpu_seconds(pid),
        rss=status["VmRSS"],
        peak_rss=status["VmHWM"],
        pss=rollup["Pss"],
        uss=private,
    )


def _kilobytes(text: str) -> dict[str, float]:
    """Return the lines of the form `name: 123 kB`, in MB."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            found[name] = int(value.split()[0]) * 1024 / 1e6
    return found
