"""The ConfigMap that holds one revision."""

from va_operator.api import Manifest, VirtualAssistant
from va_operator.context import ResolvedFile
from va_operator.resources.metadata import REVISION_LABEL, metadata_for
from va_operator.revision import Revision, revision_data


def revision_name(assistant: VirtualAssistant, revision: str) -> str:
    """Return the name of the ConfigMap of a revision."""
    return f"{assistant.key.name}-{revision}"


def build_config_map(
    assistant: VirtualAssistant, revision: Revision, files: tuple[ResolvedFile, ...]
) -> Manifest:
    """Return the immutable ConfigMap of a revision."""
    metadata = metadata_for(assistant, revision_name(assistant, revision.id))
    metadata["labels"][REVISION_LABEL] = revision.id
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "immutable": True,
        "data": revision_data(assistant, files),
    }
