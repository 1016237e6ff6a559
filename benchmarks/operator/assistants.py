"""The VirtualAssistants that the benchmark creates, changes and deletes."""

import json
from typing import Any

from va_operator.api import API_VERSION, KIND
from va_operator.kinds import ASSISTANTS

Manifest = dict[str, Any]

MOST_NODE_PORTS = 2500
"""The default range has 2,768 node ports: above this the Services are of type ClusterIP."""

TEXT = """\
# Ada Marlowe

Ada Marlowe is a bridge engineer. She lives in Bergen, Norway, and was born on 4 March 1986.
Ada works at Fjordspan AS, where she leads the building of the Sotra bridge.
She studied civil engineering at NTNU in Trondheim and graduated in 2011.
She plays the cello in a string quartet. Her dog is called Pixel.
"""


def name_of(number: int) -> str:
    """Return the name of one of many."""
    return f"assistant-{number:05d}"


def service_type(count: int) -> str:
    """Return the type of Service that so many assistants can have."""
    return "NodePort" if count <= MOST_NODE_PORTS else "ClusterIP"


def files(edition: int) -> list[Manifest]:
    """Return the context; another edition is another revision."""
    return [{"name": "ada.md", "inline": f"{TEXT}This is edition {edition}.\n"}]


def assistant(
    name: str, namespace: str, *, service: str = "NodePort", replicas: int = 2
) -> Manifest:
    """Return an assistant with an inline text and the embedded model."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "context": {"files": files(1)},
            "service": {"type": service},
        },
    }


def change(edition: int) -> str:
    """Return the merge patch that gives an assistant another text."""
    return json.dumps({"spec": {"context": {"files": files(edition)}}})


def path(namespace: str, name: str | None = None, sub: str | None = None) -> str:
    """Return the path of an assistant, or of all in a namespace."""
    return ASSISTANTS.path(namespace, name, sub)
