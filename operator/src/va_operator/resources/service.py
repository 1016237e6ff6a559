"""The Service that publishes an assistant."""

from va_operator.api import Manifest, VirtualAssistant
from va_operator.resources.metadata import metadata_for, selector_for


def build_service(assistant: VirtualAssistant) -> Manifest:
    """Return the desired Service.

    ``nodePort`` is left out unless the object sets it: a field that is never sent stays with
    the API server, so a re-apply keeps the port that people have bookmarked.
    """
    wanted = assistant.service
    metadata = metadata_for(assistant)
    if wanted.annotations:
        metadata["annotations"] = dict(wanted.annotations)
    port: Manifest = {
        "name": "http",
        "protocol": "TCP",
        "port": wanted.port,
        "targetPort": "http",
    }
    if wanted.node_port is not None:
        port["nodePort"] = wanted.node_port
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"type": wanted.type, "selector": selector_for(assistant), "ports": [port]},
    }


def ports_as_sent(service: Manifest, node_port: int | None) -> Manifest:
    """Return the merge patch that leaves a Service the ports of ``service`` and no other.

    An apply tells ports apart by their number: one whose number was edited by hand stays, and
    ours cannot come beside it, for it has the same name. The allotted node port is kept.
    """
    [port] = service["spec"]["ports"]
    kept = {"nodePort": node_port} if node_port else {}
    return {"spec": {"ports": [{**kept, **port}]}}
