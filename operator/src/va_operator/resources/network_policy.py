"""The NetworkPolicy that says who may reach the pods, and whom they may reach."""

from typing import Final

from va_operator.api import Egress, Manifest, VirtualAssistant
from va_operator.resources.metadata import metadata_for, selector_for
from va_operator.resources.pod_template import HTTP_PORT, PROBES_PORT

NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
"""The API server gives it to every namespace, and nobody can give it to another."""
DNS_PORT: Final = 53


def build_network_policy(assistant: VirtualAssistant) -> Manifest:
    """Return the desired NetworkPolicy.

    Questions may come from anywhere. The probes' port is open to the pods of the
    cluster, because the operator and Prometheus ask there; the kubelet is always let in.
    """
    spec: Manifest = {
        "podSelector": {"matchLabels": selector_for(assistant)},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": _ports("TCP", HTTP_PORT)},
            {"from": [{"namespaceSelector": {}}], "ports": _ports("TCP", PROBES_PORT)},
        ],
    }
    if assistant.egress is not None:
        names = {"ports": _ports("UDP", DNS_PORT) + _ports("TCP", DNS_PORT)}
        spec["policyTypes"] = ["Ingress", "Egress"]
        spec["egress"] = [names, *map(_way_out, assistant.egress)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata_for(assistant),
        "spec": spec,
    }


def _way_out(egress: Egress) -> Manifest:
    peer: Manifest = {"ipBlock": {"cidr": egress.cidr}}
    if egress.namespace is not None:
        peer = {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: egress.namespace}}}
    ports = {"ports": _ports("TCP", *egress.ports)} if egress.ports else {}
    return {"to": [peer], **ports}


def _ports(protocol: str, *numbers: int) -> list[Manifest]:
    return [{"protocol": protocol, "port": number} for number in numbers]
