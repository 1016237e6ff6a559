"""The scripted model server as a pod of the cluster, from the operator's image."""

import json
from dataclasses import dataclass
from typing import Any

from support.asking import ask, wait_until_open
from support.cluster import ROOT, Cluster

SCRIPT = ROOT / "tests" / "support" / "openai_stub.py"
CONTROL_PORT = 30031
KEY = "sk-canary-5b1f0c7e"
"""The key that it knows, which must never be seen anywhere but in its Secret."""


@dataclass(frozen=True)
class StubModel:
    """A handle on it."""

    cluster: Cluster
    namespace: str
    host: str = "127.0.0.1"
    """Where its node port is reached from this machine."""

    @property
    def control(self) -> str:
        return f"http://{self.host}:{CONTROL_PORT}"

    @property
    def base_url(self) -> str:
        return f"http://openai-stub.{self.namespace}.svc:9000/v1"

    def script(self, **script: Any) -> None:
        """Say what it does with the requests from now on."""
        done = ask(f"{self.control}/script", json.dumps(script), content_type="application/json")
        assert done.status == 200, done

    def log(self) -> list[dict[str, Any]]:
        """Return what it was asked."""
        log: list[dict[str, Any]] = ask(f"{self.control}/log", "", method="GET").json
        return log

    def reset(self) -> None:
        """Answer everything again, with the one known key."""
        self.script(keys=[KEY], default={}, queue=[])


def start(
    cluster: Cluster,
    namespace: str,
    image: str,
    *,
    host: str = "127.0.0.1",
    node: str | None = None,
) -> StubModel:
    """Start it in a namespace, on a node if one is named, and wait until it answers."""
    cluster.kubectl("-n", namespace, "create", "configmap", "openai-stub", f"--from-file={SCRIPT}")
    labels = {"app": "openai-stub"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "openai-stub", "labels": labels},
        "spec": {
            **({"nodeName": node} if node else {}),
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
                    # The image runs without docstrings, and its help is one.
                    "env": [{"name": "PYTHONOPTIMIZE", "value": ""}],
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
        "spec": {
            "type": "NodePort",
            "selector": labels,
            "ports": [{"port": 9000, "nodePort": CONTROL_PORT}],
        },
    }
    cluster.apply(pod, namespace)
    cluster.apply(service, namespace)
    cluster.kubectl(
        "-n", namespace, "wait", "--for=condition=Ready", "pod/openai-stub", "--timeout=60s"
    )
    stub = StubModel(cluster, namespace, host)
    wait_until_open(f"{stub.control}/")
    stub.reset()
    return stub
