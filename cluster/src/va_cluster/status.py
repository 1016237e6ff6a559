"""`va-cluster status`: what there is."""

import json
from dataclasses import asdict, dataclass

from va_cluster import kind, node_image, plan
from va_cluster.engine import Engine
from va_cluster.settings import Choice
from va_cluster.targets import target
from va_cluster.workplace import Workplace


@dataclass(frozen=True)
class NodeStatus:
    """A node: its container's state."""

    name: str
    state: str


@dataclass(frozen=True)
class Status:
    """Everything that `status` reports."""

    up: bool
    cluster: str
    name: str
    engine: str
    kind: str
    node_image: str
    nodes: tuple[NodeStatus, ...]
    kubeconfig: str
    cache: str


def read_status(place: Workplace) -> Status:
    """Look at what there is; changes nothing."""
    if place.settings.choice is not Choice.KIND:
        return _foreign_status(place)
    found = place.engine()
    observed = place.observe(found) if found else None
    finished = observed is not None and plan.finished(observed)
    nodes = observed.nodes if observed else ()
    running = all(node.state == "running" for node in nodes)
    answers = finished and running and _api_answers(place, found, nodes[0].name)
    program = kind.program(place.shell, place.cache)
    return Status(
        up=answers,
        cluster=place.settings.choice.value,
        name=place.name,
        engine=_engine_text(found),
        kind=program or "not there yet",
        node_image=_image_text(place, found),
        nodes=tuple(NodeStatus(node.name, node.state) for node in nodes),
        kubeconfig=str(place.kubeconfig) if place.kubeconfig.exists() else "",
        cache=str(place.cache.root),
    )


def status_text(status: Status) -> str:
    """The status for people."""
    nodes = ", ".join(f"{node.name} ({node.state})" for node in status.nodes) or "none"
    rows = {
        "cluster": f"{status.name}, {'up' if status.up else 'not up'}",
        "nodes": nodes,
        "engine": status.engine,
        "kind": status.kind,
        "node image": status.node_image,
        "kubeconfig": status.kubeconfig or "none",
        "cache": status.cache,
    }
    return "\n".join(f"{name:<11} {value}" for name, value in rows.items())


def status_json(status: Status) -> str:
    """The status for programs."""
    return json.dumps(asdict(status), indent=2)


def _foreign_status(place: Workplace) -> Status:
    chosen = target(place)
    return Status(
        up=chosen.answers(),
        cluster=place.settings.choice.value,
        name=chosen.name,
        engine="not ours",
        kind="not used",
        node_image="not used",
        nodes=(),
        kubeconfig=chosen.kubeconfig,
        cache=str(place.cache.root),
    )


def _api_answers(place: Workplace, found: Engine | None, node: str) -> bool:
    if found is None:
        return False
    return place.kubectl(found, node).result("get", "--raw", "/readyz").ok


def _engine_text(found: Engine | None) -> str:
    if found is None:
        return "none"
    return f"{'private' if found.private else 'existing'} Docker {found.version}"


def _image_text(place: Workplace, found: Engine | None) -> str:
    if record := kind.read_record(place.cache, place.name):
        return record.image
    return node_image.tag() if found and node_image.exists(found) else "not there yet"
