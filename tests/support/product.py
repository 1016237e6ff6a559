"""The product as people install and use it, for the tests that run all of it."""

import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from support.cluster import ROOT, Cluster, Manifest
from support.stub_model import KEY, StubModel

OPERATOR_NAMESPACE = "virtual-assistant-system"
UNLIMITED = {"requestsPerMinute": 0, "requestsPerMinutePerClient": 0}
"""Tests ask more than people do, all from one address."""


def make(target: str, **more: str) -> str:
    """Run a make target as a person would, with more in the environment than there is."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name} | more
    done = subprocess.run(
        ["make", "--no-print-directory", target],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"make {target}: {done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Operator:
    """The installed operator."""

    cluster: Cluster

    def scale(self, replicas: int) -> None:
        """Start or stop it, and wait until it is so."""
        self._kubectl("scale", "deployment/virtual-assistant-operator", f"--replicas={replicas}")
        self._kubectl("rollout", "status", "deployment/virtual-assistant-operator", "--timeout=60s")
        if not replicas:
            self.cluster.until(
                lambda: not self.cluster.list("pods", OPERATOR_NAMESPACE), OPERATOR_NAMESPACE
            )

    def set(self, **environment: str | None) -> None:
        """Change its settings, back to the default with None; wait until it runs with them."""
        values = [
            f"{name}-" if value is None else f"{name}={value}"
            for name, value in environment.items()
        ]
        self._kubectl("set", "env", "deployment/virtual-assistant-operator", *values)
        self._kubectl("rollout", "status", "deployment/virtual-assistant-operator", "--timeout=60s")

    def kill(self) -> None:
        """Kill it without a chance to say goodbye."""
        self._kubectl("delete", "pods", "--all", "--grace-period=0", "--force", "--wait=false")

    def logs(self) -> str:
        """Return what it has logged since it started."""
        return self._kubectl("logs", "deployment/virtual-assistant-operator", "--tail=-1")

    def image(self) -> str:
        """Return the image it runs from."""
        image: str = self._container()["image"]
        return image

    def images(self) -> dict[str, str]:
        """Return the three images: its own, and those of the pods that it makes."""
        given = {one["name"]: one.get("value") for one in self._container()["env"]}
        return {
            "operator": self.image(),
            "assistant": given["VA_OPERATOR_ASSISTANT_IMAGE"],
            "model": given["VA_OPERATOR_MODEL_IMAGE"],
        }

    def _container(self) -> Manifest:
        found = self._kubectl("get", "deployment/virtual-assistant-operator", "-o", "json")
        containers: list[Manifest] = json.loads(found)["spec"]["template"]["spec"]["containers"]
        return containers[0]

    def _kubectl(self, *args: str) -> str:
        return self.cluster.kubectl("-n", OPERATOR_NAMESPACE, *args)


def an_assistant(name: str = "ada", *, text: str = "", **spec: object) -> Manifest:
    """Return an assistant with one inline text, or with the spec that is given."""
    context = {"files": [{"name": "ada.md", "inline": text}]} if text else {}
    return {
        "apiVersion": "virtualassistant.dev/v1alpha1",
        "kind": "VirtualAssistant",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "limits": UNLIMITED,
            **({"context": context} if context else {}),
            **spec,
        },
    }


def a_key(cluster: Cluster, namespace: str, value: str = KEY) -> None:
    """Make or change the Secret that the assistants of `with_stub` refer to."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "openai"},
        "stringData": {"apiKey": value},
    }
    cluster.apply(secret, namespace)


def with_stub(stub: StubModel, name: str = "stub-model", **model: object) -> dict[str, Manifest]:
    """Return the model of a spec: the stub, asked with the key of the Secret `openai`."""
    return {
        "model": {
            "name": name,
            "baseURL": stub.base_url,
            "apiKeySecretRef": {"name": "openai", "key": "apiKey"},
            **model,
        }
    }


@contextmanager
def forwarded(namespace: str, what: str, port: int, *, within: float = 20) -> Iterator[str]:
    """Yield the URL where `kubectl port-forward` leads to a port, on loopback, while it runs."""
    process = subprocess.Popen(
        ["kubectl", "-n", namespace, "port-forward", "--address=127.0.0.1", what, f":{port}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        told = select.select([process.stdout], [], [], within)[0]
        line = process.stdout.readline() if told else ""
        assert line.startswith("Forwarding from 127.0.0.1:"), f"no way to {what}: {line!r}"
        yield local_url(int(line.split(" -> ")[0].rpartition(":")[2]))
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
        if process.stdout:
            process.stdout.close()


def local_url(port: int) -> str:
    """Return where a node port of the test cluster answers on this machine."""
    return f"http://127.0.0.1:{port}/"
