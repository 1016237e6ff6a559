"""A cluster made for the benchmark and deleted after it, and its control plane, part by part.

The controller manager and the scheduler are static pods: the kubelet runs them as long as their
manifest lies in a folder. What a part of the benchmark does not measure is taken out of it.
"""

import asyncio
import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.operator.api_client import APPLY, MERGE, ApiClient, Refused
from benchmarks.operator.request_metrics import Calls, parse_requests
from va_operator.kinds import ASSISTANTS, CHILDREN, Resource

ROOT = Path(__file__).resolve().parents[2]
CRD = ROOT / "crds" / "virtualassistants.yaml"
MANIFESTS, PARKED = "/etc/kubernetes/manifests", "/etc/kubernetes/parked"
GARBAGE_COLLECTION = "garbage-collector-controller,namespace-controller"
EVERYTHING = "*,bootstrapsigner,tokencleaner"
QUICK = {"kube-api-qps": "2000", "kube-api-burst": "4000"}
"""So that no component's own brake is what is measured (the defaults are 20 and 30 a second)."""


class TooLong(Exception):
    """A deadline passed; the message says what there was instead."""


@dataclass(frozen=True)
class BenchCluster:
    """A kind cluster of one node."""

    name: str

    @property
    def node(self) -> str:
        """The container that is the node."""
        return f"{self.name}-control-plane"

    @property
    def kubeconfig(self) -> Path:
        """Where its kubeconfig is; set by `up`."""
        return Path(os.environ["KUBECONFIG"])

    def up(self) -> None:
        """Make the cluster anew: what a killed run left has neither DNS nor controllers."""
        self.down()
        subprocess.run(["va-cluster", "--name", self.name, "up"], check=True, timeout=1200)
        self.enter()

    def exists(self) -> bool:
        """Whether a cluster of this name was made before; it may have been stopped in parts."""
        made = subprocess.run(
            ["va-cluster", "--name", self.name, "status"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return made.returncode == 0

    def enter(self) -> None:
        """Point this process at the cluster, and at nothing else."""
        exports = subprocess.run(
            ["va-cluster", "--name", self.name, "env"],
            check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        for line in exports.stdout.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            os.environ[name] = " ".join(shlex.split(value))
        context = yaml.safe_load(self.kubeconfig.read_text())["current-context"]
        if context != f"kind-{self.name}":
            raise Refused(f"'{context}' is not the cluster that was made for this")

    def down(self) -> None:
        """Delete the cluster."""
        subprocess.run(["va-cluster", "--name", self.name, "down"], check=True, timeout=300)

    def on_node(self, *command: str, stdin: str | None = None, check: bool = True) -> str:
        """Run a program in the node; return what it printed."""
        done = subprocess.run(
            ["docker", "exec", *(["-i"] if stdin is not None else []), self.node, *command],
            input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise Refused(f"{shlex.join(command)} in {self.node}: {done.stderr.strip()}")
        return done.stdout

    async def park(self, component: str) -> None:
        """Stop a static pod, and keep its manifest aside."""
        self.on_node("mkdir", "-p", PARKED)
        if self._manifest(MANIFESTS, component):
            self.on_node("mv", f"{MANIFESTS}/{component}.yaml", f"{PARKED}/{component}.yaml")
        await until(lambda: not self._pids(component), within=60, show=lambda: f"{component} runs")

    async def run(self, component: str, **options: str) -> None:
        """Start a static pod with these options of its command line, anew if it runs."""
        await self.park(component)
        body = yaml.safe_load(self._manifest(PARKED, component))
        body["spec"]["containers"][0]["command"] = with_options(
            body["spec"]["containers"][0]["command"], {"leader-elect": "false", **options}
        )
        # Written beside and renamed: the kubelet must not read half of it.
        self.on_node("tee", f"{PARKED}/{component}.new", stdin=yaml.safe_dump(body))
        self.on_node("rm", f"{PARKED}/{component}.yaml")
        self.on_node("mv", f"{PARKED}/{component}.new", f"{MANIFESTS}/{component}.yaml")
        await until(lambda: bool(self._pids(component)), within=90, show=lambda: f"no {component}")

    def _manifest(self, folder: str, component: str) -> str:
        return self.on_node("cat", f"{folder}/{component}.yaml", check=False)

    def _pids(self, component: str) -> str:
        return self.on_node("pgrep", "-f", f"^{component} ", check=False)


def with_options(command: list[str], options: dict[str, str]) -> list[str]:
    """Return a command line with these options instead of what it said of them."""
    names = {name.replace("_", "-"): value for name, value in options.items()}
    kept = [word for word in command if not any(re.match(f"--{name}(=|$)", word) for name in names)]
    return kept + [f"--{name}={value}" for name, value in names.items()]


async def until(
    met: Callable[[], Any], *, within: float, show: Callable[[], str], pause: float = 0.1
) -> None:
    """Wait until something is so; raises TooLong with what there is instead."""
    deadline = time.monotonic() + within
    while not met():
        if time.monotonic() > deadline:
            raise TooLong(f"not so within {within:.0f} s: {show()}")
        await asyncio.sleep(pause)


async def install(api: ApiClient) -> None:
    """Install the API, and wait until it is served and can be watched."""
    body = yaml.safe_load(CRD.read_text())
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{body['metadata']['name']}"
    await api.apply(path, json.dumps(body), "benchmark")
    deadline = time.monotonic() + 30
    while True:
        try:
            await api.get(ASSISTANTS.path(None))
        except Refused as refused:
            if time.monotonic() > deadline:
                raise TooLong(f"the API is not served: {refused}") from refused
            await asyncio.sleep(0.2)
        else:
            return


async def quiet(api: ApiClient, cluster: BenchCluster) -> None:
    """Leave nothing running but the API server, etcd and the kubelet.

    kube-proxy and CoreDNS follow every Service and would take their share of the processor for
    each; they are taken off their node before the controllers that do so are stopped.
    """
    nowhere = {"spec": {"template": {"spec": {"nodeSelector": {"benchmark/nowhere": "true"}}}}}
    proxy = "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy"
    await api.send("PATCH", proxy, json.dumps(nowhere), content=MERGE)
    dns = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
    await api.send("PATCH", dns, json.dumps({"spec": {"replicas": 0}}), content=MERGE)
    deadline = time.monotonic() + 90
    while True:
        pods = (await api.get("/api/v1/namespaces/kube-system/pods"))["items"]
        left = [
            pod["metadata"]["name"]
            for pod in pods
            if pod["metadata"]["name"].startswith(("kube-proxy", "coredns"))
        ]
        if not left:
            break
        if time.monotonic() > deadline:
            raise TooLong(f"{left} do not end")
        await asyncio.sleep(0.5)
    await cluster.park("kube-scheduler")
    await cluster.park("kube-controller-manager")


async def make_namespace(api: ApiClient, name: str) -> None:
    """Make a namespace."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await api.send(
        "PATCH", f"/api/v1/namespaces/{name}", json.dumps(body), content=APPLY,
        query={"fieldManager": "benchmark"},
    )  # fmt: skip


async def clear_leftovers(api: ApiClient) -> None:
    """Clear the namespaces that an earlier run left in a cluster that was kept."""
    for found in (await api.get("/api/v1/namespaces"))["items"]:
        if found["metadata"]["name"].startswith("bench-"):
            await clear(api, found["metadata"]["name"])


async def clear(api: ApiClient, namespace: str) -> None:
    """Delete all assistants and children of a namespace, without the garbage collector."""
    for resource in (ASSISTANTS, *CHILDREN.values()):
        await _clear(api, resource, namespace)


async def _clear(api: ApiClient, resource: Resource, namespace: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        await api.send("DELETE", resource.path(namespace), fine=(504,))
        left = await api.get(resource.path(namespace), {"limit": "1"})
        if not left["items"]:
            return
        if time.monotonic() > deadline:
            raise TooLong(f"{resource.plural} of {namespace} do not go")


async def requests_so_far(api: ApiClient) -> Calls:
    """Return what the API server has answered since its start."""
    return parse_requests((await api.send("GET", "/metrics")).decode())
