"""Decides what is missing between what was found and a cluster that is up."""

from dataclasses import dataclass
from enum import StrEnum

from va_cluster.errors import WrongRequest
from va_cluster.kind import Node, Record


class Step(StrEnum):
    """One thing to do, in the order in which they are done."""

    RESUME_NODES = "resume the paused nodes"
    DELETE_REMAINS = "remove what is left of an earlier cluster"
    CREATE = "create the cluster"


@dataclass(frozen=True)
class Observed:
    """What was found of a cluster."""

    nodes: tuple[Node, ...]
    record: Record | None
    has_kubeconfig: bool


def finished(observed: Observed) -> bool:
    """Whether these containers are the ones of a cluster that was finished and can go on."""
    return (
        observed.record is not None
        and observed.has_kubeconfig
        and sorted(observed.record.nodes) == sorted(node.life for node in observed.nodes)
        and all(node.state in {"running", "paused"} for node in observed.nodes)
    )


def missing_steps(observed: Observed, wanted_nodes: int | None) -> tuple[Step, ...]:
    """The steps to a running cluster; none where it is up.

    Nodes that were stopped (an engine that died, a machine that restarted) come
    back with other addresses and without their routes, so that cluster is made anew.
    """
    if not observed.nodes:
        return (Step.CREATE,)
    if not finished(observed):
        return (Step.DELETE_REMAINS, Step.CREATE)
    if wanted_nodes is not None and wanted_nodes != len(observed.nodes):
        raise WrongRequest(
            f"The cluster is up with {counted(len(observed.nodes))}, not with {wanted_nodes}.",
            "Delete it first with `va-cluster down`.",
        )
    if any(node.state == "paused" for node in observed.nodes):
        return (Step.RESUME_NODES,)
    return ()


def counted(nodes: int) -> str:
    """`1 node`, `2 nodes`."""
    return f"{nodes} node" if nodes == 1 else f"{nodes} nodes"
