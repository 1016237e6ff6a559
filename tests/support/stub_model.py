"""The scripted model server as a pod of the cluster, from the operator's image."""

import json
from dataclasses import dataclass
from typing import Any

from support.asking import ask, wait_until_open
from support.certificates import Authority
from support.cluster import ROOT, Cluster
from support.script_pod import is_up, script_container, script_pod

NAME = "openai-stub"
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
        return f"http://{_host(self.namespace)}:9000/v1"

    @property
    def tls_base_url(self) -> str:
        return f"https://{_host(self.namespace)}:9443/v1"

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
    authority: Authority | None = None,
) -> StubModel:
    """Start it in a namespace, on a node if one is named, and wait until it answers.

    With an authority it speaks TLS, too, with a certificate of that.
    """
    cluster.kubectl("-n", namespace, "create", "configmap", NAME, f"--from-file={SCRIPT}")
    command = ["python3", "/stub/openai_stub.py", "--port", "9000"]
    volumes = [{"name": "stub", "configMap": {"name": NAME}}]
    ports = [{"name": "http", "port": 9000, "nodePort": CONTROL_PORT}]
    if authority:
        pem = {"server.pem": authority.server_pem(_host(namespace))}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}}
        cluster.apply({**secret, "stringData": pem}, namespace)
        command += ["--tls-port", "9443", "--tls", "/tls/server.pem"]
        volumes.append({"name": "tls", "secret": {"secretName": NAME}})
        ports.append({"name": "https", "port": 9443})
    stub_container = script_container(
        "stub",
        image,
        *command,
        readinessProbe=is_up(9000),
        volumeMounts=[{"name": v["name"], "mountPath": f"/{v['name']}"} for v in volumes],
    )
    on_node = {"nodeName": node} if node else {}
    pod = script_pod(NAME, stub_container, volumes=volumes, **on_node)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        "spec": {"type": "NodePort", "selector": {"app": NAME}, "ports": ports},
    }
    cluster.apply(pod, namespace)
    cluster.apply(service, namespace)
    cluster.kubectl(
        "-n", namespace, "wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=60s"
    )
    stub = StubModel(cluster, namespace, host)
    wait_until_open(f"{stub.control}/")
    stub.reset()
    return stub


def _host(namespace: str) -> str:
    return f"{NAME}.{namespace}.svc"
