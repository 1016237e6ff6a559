"""Names, labels and owners: what all children have in common."""

from importlib.metadata import version
from typing import Final

from va_operator.api import API_VERSION, KIND, Manifest, VirtualAssistant

APP_NAME: Final = "virtual-assistant"
MANAGED_BY: Final = "virtual-assistant-operator"
VERSION: Final = version("va-operator")
"""Read once: looking it up takes longer than building all children."""

NAME_LABEL: Final = "app.kubernetes.io/name"
INSTANCE_LABEL: Final = "app.kubernetes.io/instance"
REVISION_LABEL: Final = "virtualassistant.dev/revision"
CHILDREN_SELECTOR: Final = f"app.kubernetes.io/managed-by={MANAGED_BY}"
"""What the operator watches: all children of all assistants."""


def selector_for(assistant: VirtualAssistant) -> dict[str, str]:
    """Return the labels that select the pods; immutable in a Deployment, so never more."""
    return {NAME_LABEL: APP_NAME, INSTANCE_LABEL: assistant.key.name}


def pod_labels_for(assistant: VirtualAssistant) -> dict[str, str]:
    """Return the labels of the pods, which an operator of a new version must not change."""
    return {
        **selector_for(assistant),
        "app.kubernetes.io/component": "assistant",
        "app.kubernetes.io/part-of": APP_NAME,
        "app.kubernetes.io/managed-by": MANAGED_BY,
    }


def labels_for(assistant: VirtualAssistant) -> dict[str, str]:
    """Return Kubernetes' recommended labels, for the children themselves."""
    return {**pod_labels_for(assistant), "app.kubernetes.io/version": VERSION}


def metadata_for(assistant: VirtualAssistant, name: str | None = None) -> Manifest:
    """Return the metadata of a child, which Kubernetes deletes with its owner.

    ``blockOwnerDeletion`` stays false: true would need a permission on the
    assistants' finalizers where that is enforced, and nothing waits for it.
    """
    return {
        "name": name or assistant.key.name,
        "namespace": assistant.key.namespace,
        "labels": labels_for(assistant),
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": assistant.key.name,
                "uid": assistant.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }
