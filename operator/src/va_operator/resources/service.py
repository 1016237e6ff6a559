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
