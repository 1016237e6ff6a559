"""What a benchmark ran on."""

import platform
import time
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Return the processor, the versions and the load before anything was measured."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {
        "processor": next(models, "unknown"),
        "cores": sum(line.startswith("processor\t") for line in lines),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load_before": Path("/proc/loadavg").read_text().split()[0],
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def sentence(found: dict[str, Any]) -> str:
    """Return the same in words."""
    return (
        f"{found['at']}, {found['cores']} cores of {found['processor']}, Python "
        f"{found['python']}, Linux {found['kernel']}, load before {found['load_before']}."
    )
