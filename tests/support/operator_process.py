"""The real operator as a process of its own, confined to one namespace."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from support.cluster import Cluster, until

PROGRAM = Path(sys.executable).with_name("va-operator")
IMAGES = {
    "VA_OPERATOR_ASSISTANT_IMAGE": "virtual-assistant.invalid/assistant:none",
    "VA_OPERATOR_MODEL_IMAGE": "virtual-assistant.invalid/model:none",
}
"""Images that cannot be had: what the operator does needs no running pod."""


@dataclass
class OperatorProcess:
    """Started, killed and started again by tests."""

    cluster: Cluster
    namespace: str
    log_path: Path
    more: dict[str, str] = field(default_factory=dict)
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> "OperatorProcess":
        """Start it, and wait until it has seen everything once."""
        environment = {
            **os.environ,
            **IMAGES,
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "VA_OPERATOR_NAMESPACES": self.namespace,
            "VA_OPERATOR_HEALTH_PORT": "0",
            "VA_OPERATOR_LEASE_NAMESPACE": "",
            "VA_OPERATOR_LOG_FORMAT": "plain",
            **self.more,
        }
        environment.pop("KUBERNETES_SERVICE_HOST", None)
        begun = len(self.log())
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen([PROGRAM], env=environment, stdout=log, stderr=log)
        until(lambda: "synced: " in self.log()[begun:], within=30, show=self.log)
        return self

    @property
    def is_dead(self) -> bool:
        """Whether it does not run: not yet, or no more."""
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """Ask it to end, which takes no time; it must not have stumbled over anything."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            code = self._process.wait(timeout=10)
            self._process = None
            assert code == 0, self.log()
        assert "Traceback" not in self.log(), self.log()

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)
        self._process = None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self, *, within: float) -> int:
        """Wait until it has ended by itself; return its exit code."""
        assert self._process is not None
        code = self._process.wait(timeout=within)
        self._process = None
        return code

    def log(self) -> str:
        """Return all that it has logged, in all its lives."""
        return self.log_path.read_text() if self.log_path.exists() else ""
