"""The processes that the benchmark starts, each ended by its own id."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.operator.bench_cluster import ROOT, TooLong, until
from benchmarks.usage import Usage, usage

BIN = Path(sys.executable).parent
IMAGES = {
    "VA_OPERATOR_ASSISTANT_IMAGE": "virtual-assistant.invalid/assistant:none",
    "VA_OPERATOR_MODEL_IMAGE": "virtual-assistant.invalid/model:none",
}


@dataclass
class Running:
    """A process with its log."""

    process: "subprocess.Popen[bytes]"
    log_path: Path
    started_at: float
    synced_after: float = 0.0
    """Seconds until the operator had listed everything."""

    @property
    def log(self) -> str:
        """What it has printed."""
        return self.log_path.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def usage(self) -> Usage:
        """Measure it now."""
        return usage(self.process.pid)

    async def until_logged(self, words: str, *, within: float = 60) -> float:
        """Wait until it has printed some words; return the seconds since its start."""
        await until(
            lambda: words in self.log or not self.alive,
            within=within, show=lambda: self.log[-2000:], pause=0.01,
        )  # fmt: skip
        if words not in self.log:
            raise TooLong(f"it ended before it said '{words}': {self.log[-2000:]}")
        return time.monotonic() - self.started_at

    def stop(self) -> None:
        """End it: politely, and after ten seconds not."""
        if self.alive:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=10)


def start(log: Path, *command: str | Path, environment: Mapping[str, str] | None = None) -> Running:
    """Start a process in the project's root."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=ROOT, stdout=out, stderr=out,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    return Running(process, log, time.monotonic())


def start_operator(scratch: Path) -> Running:
    """Start the operator for all namespaces, with its defaults and a Lease, as in a cluster."""
    environment = {
        **IMAGES,
        "PYTHONOPTIMIZE": "2",  # as in the image
        "VA_OPERATOR_HEALTH_PORT": "0",
        "VA_OPERATOR_LEASE_NAMESPACE": "default",
    }
    return start(scratch / "operator.log", BIN / "va-operator", environment=environment)


def start_plain_kopf(scratch: Path, template: Path, namespace: str) -> Running:
    """Start the plain kopf handlers for one namespace."""
    command = (BIN / "kopf", "run", "-m", "benchmarks.operator.plain_kopf", "--standalone")
    environment = {"BENCH_TEMPLATE": str(template), "PYTHONPATH": str(ROOT)}
    return start(scratch / "kopf.log", *command, "--namespace", namespace, environment=environment)


def start_watcher(scratch: Path, kubeconfig: Path) -> tuple[Running, Path]:
    """Start the watcher; return it and the file that it writes."""
    file = scratch / "sightings.jsonl"
    module = "benchmarks.operator.watcher"
    return start(scratch / "watcher.log", sys.executable, "-m", module, kubeconfig, file), file
