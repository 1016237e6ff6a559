"""Waits until a cluster works: its nodes, its DNS, its API server as pods see it."""

import json
import time
from collections.abc import Callable
from typing import Any

from va_cluster import plan, probe
from va_cluster.engine import Engine
from va_cluster.errors import NotReady
from va_cluster.kind import Node
from va_cluster.kubectl import Kubectl

READY_SECONDS = 180
PERIOD = 0.5


def unready_nodes(objects: list[dict[str, Any]], wanted: int) -> str:
    """What is missing until all nodes are ready, empty when nothing is."""
    ready = 0
    for one in objects:
        if one["kind"] == "Node":
            conditions = one["status"].get("conditions", [])
            ready += any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return "" if ready >= wanted else f"{ready} of {plan.counted(wanted)} ready"


def cluster_address(objects: list[dict[str, Any]], namespace: str, name: str) -> str:
    """The cluster address of a Service among these objects, empty where it has none."""
    for one in objects:
        identity = (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"])
        if identity == ("Service", namespace, name):
            return str(one["spec"].get("clusterIP", ""))
    return ""


def wait_until_works(kubectl: Kubectl, engine: Engine, nodes: tuple[Node, ...]) -> None:
    """Wait for ready nodes, and for DNS and the API server to answer from a pod."""

    def problem() -> str:
        result = kubectl.result("get", "nodes,services", "--all-namespaces", "--output", "json")
        if not result.ok:
            return f"the API server does not answer: {result.error.strip()[-200:]}"
        objects = json.loads(result.output)["items"]
        if waiting := unready_nodes(objects, len(nodes)):
            return waiting
        dns = cluster_address(objects, "kube-system", "kube-dns")
        api = cluster_address(objects, "default", "kubernetes")
        return _ask_from_pods(engine, nodes, dns, api)

    wait(problem)


def wait(
    problem: Callable[[], str],
    seconds: float = READY_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until there is no problem any more."""
    deadline = clock() + seconds
    while said := problem():
        if clock() > deadline:
            raise NotReady(
                f"The cluster did not come up within {seconds:.0f} s: {said}.",
                "Look at `va-cluster kubectl get pods -A`, or start over with `va-cluster down`"
                " and `va-cluster up`.",
            )
        sleep(PERIOD)


def _ask_from_pods(engine: Engine, nodes: tuple[Node, ...], dns: str, api: str) -> str:
    problem = "no pod of CoreDNS runs"
    for node in nodes:
        result = engine.shell.result(*probe.command(node.name, dns, api), timeout=20)
        if result.ok and probe.answered(result.output, api):
            return ""
        if result.code != probe.NO_POD:
            problem = f"DNS or the API server does not answer a pod on {node.name}"
    return problem
