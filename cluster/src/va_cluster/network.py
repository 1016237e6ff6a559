"""The network between our nodes, and the wall around it."""

import json
from dataclasses import dataclass

from va_cluster.engine import Engine
from va_cluster.kind import NETWORK

BRIDGE = "va-kind"


@dataclass(frozen=True)
class NodeNetwork:
    """A node's address and the subnet of its pods."""

    name: str
    address: str
    pods: str


def network_command() -> tuple[str, ...]:
    """The command that makes kind's network before kind does.

    With a bridge whose name we know, and with no IPv6, which would need a
    wall of its own.
    """
    option = f"com.docker.network.bridge.name={BRIDGE}"
    return ("docker", "network", "create", "--driver", "bridge", "--opt", option, NETWORK)


def wall_rule() -> tuple[str, ...]:
    """What keeps traffic of nodes and pods from leaving their bridge.

    Answers to connections through a port of 127.0.0.1 pass: they go to the
    host itself and are not forwarded. What is sent out is refused and not
    dropped: a pod that asks for a Service before the node knows its rules
    tries again at once, and not when its connection times out.
    """
    outward = ("--in-interface", BRIDGE, "!", "--out-interface", BRIDGE)
    return ("DOCKER-USER", *outward, "--jump", "REJECT")


def parse_nodes(listing: str) -> tuple[NodeNetwork, ...]:
    """The networks of the nodes that `kubectl get nodes -o json` lists; without a subnet, none."""
    found = []
    for item in json.loads(listing)["items"]:
        addresses = {one["type"]: one["address"] for one in item["status"].get("addresses", [])}
        pods = item["spec"].get("podCIDR", "")
        address = addresses.get("InternalIP", "")
        if pods and address:
            found.append(NodeNetwork(item["metadata"]["name"], address, pods))
    return tuple(found)


def route_commands(nodes: tuple[NodeNetwork, ...]) -> tuple[tuple[str, ...], ...]:
    """The commands that tell each node where the others' pods are."""
    return tuple(
        ("docker", "exec", node.name, "ip", "route", "replace", other.pods, "via", other.address)
        for node in nodes
        for other in nodes
        if other != node
    )


def ensure_network(engine: Engine) -> None:
    """Make kind's network in the private engine, with the wall around it."""
    shell = engine.shell
    if not shell.result("docker", "network", "inspect", NETWORK).ok:
        shell.run(*network_command())
    if not shell.result("iptables", "--check", *wall_rule()).ok:
        shell.run("iptables", "--insert", *wall_rule())


def remove_network(engine: Engine) -> None:
    """Remove what `ensure_network` made."""
    engine.shell.result("iptables", "--delete", *wall_rule())
    engine.shell.result("docker", "network", "rm", NETWORK)
