"""The scripted model server as a pod of the cluster, from the operator's image."""

import json
from dataclasses import dataclass
from typing import Any

from support.cluster import ROOT, Cluster

SCRIPT = ROOT / "tests" / "support" / "openai_stub.py"
KEY = "sk-canary-5b1f0c7e"
"""The key that it knows, which must never be seen anywhere but in its Secret."""


@dataclass(frozen=True)
class StubModel:
    """A handle on it."""

    cluster: Cluster
    namespace: str

    @property
    def base_url(self) -> str:
        return f"http://openai-stub.{self.namespace}.svc:9000/v1"

    def script(self, **script: Any) -> None:
        """Say what it does with the requests from now on."""
        self.cluster.kubectl("create", "--raw", self._path("script"), "-f", "-",
                             stdin=json.dumps(script))  # fmt: skip

    def log(self) -> list[dict[str, Any]]:
        """Return what it was asked."""
        log: list[dict[str, Any]] = json.loads(
            self.cluster.kubectl("get", "--raw", self._path("log"))
        )
        return log

    def reset(self) -> None:
        """Answer everything again, with the one known key."""
        self.script(keys=[KEY], default={}, queue=[])

    def _path(self, route: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/services/openai-stub:9000/proxy/{route}"


def start(cluster: Cluster, namespace: str, image: str) -> StubModel:
    """Start it in a namespace and wait until it answers."""
    cluster.kubectl("-n", namespace, "create", "configmap", "openai-stub", f"--from-file={SCRIPT}")
    labels = {"app": "openai-stub"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "openai-stub", "labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "stub",
                    "image": image,
                    "command": ["python3", "/stub/openai_stub.py", "--port", "9000"],
                    "readinessProbe": {
                        "httpGet": {"path": "/health", "port": 9000},
                        "periodSeconds": 1,
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "stub", "mountPath": "/stub"}],
                }
            ],
            "volumes": [{"name": "stub", "configMap": {"name": "openai-stub"}}],
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "openai-stub"},
        "spec": {"selector": labels, "ports": [{"port": 9000}]},
    }
    cluster.apply(pod, namespace)
    cluster.apply(service, namespace)
    cluster.kubectl(
        "-n", namespace, "wait", "--for=condition=Ready", "pod/openai-stub", "--timeout=60s"
    )
    stub = StubModel(cluster, namespace)
    stub.reset()
    return stub
