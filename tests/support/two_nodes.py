"""A cluster of two nodes that belongs to the tests of faults: its nodes and its control plane are
paused, killed and started again, and its API is exchanged, which no other test could bear."""

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.cluster import ROOT, Cluster, until
from support.product import make
from va_cluster.network import parse_nodes, route_commands

NAME = "va-faults"
CONTROL_PLANE = f"{NAME}-control-plane"
WORKER = f"{NAME}-worker"
CRD = ROOT / "crds" / "virtualassistants.yaml"
MANIFESTS = "/etc/kubernetes/manifests"
PARKED = "/etc/kubernetes/parked"
GRACE_SECONDS = 10
"""After how many seconds of silence a node counts as lost here; Kubernetes' default is 50."""


@dataclass(frozen=True)
class TwoNodes(Cluster):
    """The cluster, and the harm that is done to it."""

    def apply_crd(self, manifest: str | None = None) -> None:
        """Install the API, as it is in the repository or another one."""
        text = CRD.read_text() if manifest is None else manifest
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)
        self.kubectl(
            "wait", "--for=condition=Established", "crd/virtualassistants.virtualassistant.dev"
        )

    def install(self) -> None:
        """Install the operator with the images of this tree, as `make install` does."""
        make("install", VA_CLUSTER_NAME=NAME)

    def address(self, node: str) -> str:
        """Return where a node is reached from this machine."""
        query = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return _run("docker", "inspect", "--format", query, node).strip()

    @contextmanager
    def paused(self, node: str) -> Iterator[None]:
        """Stop a node in the middle of everything: it is silent, and nothing is closed."""
        _run("docker", "pause", node)
        try:
            yield
        finally:
            _run("docker", "unpause", node)

    @contextmanager
    def killed(self, node: str) -> Iterator[None]:
        """Take a node's power away, and give it back at the end."""
        _run("docker", "kill", node)
        try:
            yield
        finally:
            _run("docker", "start", node)
            # What the node image's network does once, when the cluster is made.
            until(lambda: _answers("docker", "exec", node, "ip", "route"), within=30)
            for command in route_commands(parse_nodes(self.kubectl("get", "nodes", "-o", "json"))):
                _run(*command)

    @contextmanager
    def away(self, component: str, seconds: float) -> Iterator[None]:
        """Kill a part of the control plane; it comes back at the end, ``seconds`` later or more."""
        manifest, parked = f"{MANIFESTS}/{component}.yaml", f"{PARKED}/{component}.yaml"
        inside = ("docker", "exec", CONTROL_PLANE)
        _run(*inside, "mkdir", "-p", PARKED)
        [process] = _run(*inside, "pgrep", "-x", component[:15]).split()
        begun = time.monotonic()
        _run(*inside, "mv", manifest, parked)
        try:
            _run(*inside, "kill", "-KILL", process)
            yield
            until(lambda: time.monotonic() - begun >= seconds, within=seconds + 1)
        finally:
            _run(*inside, "mv", parked, manifest)

    def wait_until_it_answers(self) -> float:
        """Wait until the API server is ready again; return the moment, of the monotonic clock.

        It may call itself ready before it has a connection to its etcd again: a write tells.
        """
        mark = f"va-faults/answered={time.monotonic_ns()}"
        write = ("annotate", "namespace", "default", "--overwrite", mark, "--request-timeout=5s")
        until(
            lambda: (
                self.kubectl("get", "--raw", "/readyz", check=False).strip() == "ok"
                and "annotated" in self.kubectl(*write, check=False)
            ),
            within=120,
            show=lambda: self.kubectl("get", "--raw", "/readyz?verbose", check=False),
        )
        return time.monotonic()

    def notice_lost_nodes_soon(self) -> None:
        """Let a silent node count as lost after `GRACE_SECONDS`."""
        path = f"{MANIFESTS}/kube-controller-manager.yaml"
        manifest = _run("docker", "exec", CONTROL_PLANE, "cat", path)
        option = f"--node-monitor-grace-period={GRACE_SECONDS}s"
        if option in manifest:
            return
        changed = re.sub(
            r"^( +)- kube-controller-manager$",
            rf"\g<0>\n\g<1>- {option}\n\g<1>- --node-monitor-period=1s",
            manifest,
            flags=re.MULTILINE,
        )
        _run("docker", "exec", "-i", CONTROL_PLANE, "tee", path, stdin=changed)

        def restarted() -> bool:
            found = self.list("pods", "kube-system", "component=kube-controller-manager")
            return any(
                option in pod["spec"]["containers"][0]["command"]
                and pod["status"].get("containerStatuses", [{}])[0].get("ready")
                for pod in found
            )

        until(restarted, within=60, show=lambda: self.story("kube-system"))

    def ready_nodes(self) -> set[str]:
        """Return the nodes that Kubernetes counts on."""
        items = json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"]
        return {
            item["metadata"]["name"]
            for item in items
            for condition in item["status"]["conditions"]
            if (condition["type"], condition["status"]) == ("Ready", "True")
        }


@contextmanager
def bring_up() -> Iterator[TwoNodes]:
    """Yield the cluster; it is made where there is none, and then removed at the end."""
    there = _answers("va-cluster", "--name", NAME, "status")
    _run("va-cluster", "--name", NAME, "up", "--nodes", "2")
    try:
        cluster = TwoNodes(_enter())
        cluster.apply_crd()
        yield cluster
    finally:
        if not there:
            _run("va-cluster", "--name", NAME, "down")


def _enter() -> Path:
    """Let docker and kubectl be found; return the path of the kubeconfig."""
    paths = {}
    for line in _run("va-cluster", "--name", NAME, "env").splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        paths[name] = " ".join(shlex.split(value))
    kubeconfig = Path(paths.pop("KUBECONFIG"))
    os.environ.update(paths)
    return kubeconfig


def _run(*command: str, stdin: str | None = None) -> str:
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stdout}\n{done.stderr}"
    return done.stdout


def _answers(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
