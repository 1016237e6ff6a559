"""What should exist, and what must be written or deleted for it. Pure."""

from collections.abc import Iterable
from typing import Final

from va_operator.api import Manifest, VirtualAssistant
from va_operator.observed import Child, ConfigMapFacts, Pod
from va_operator.owned import same
from va_operator.resources.config_map import revision_name
from va_operator.resources.deployment import Images, build_deployment, with_replicas
from va_operator.revision import Revision

KEPT_REVISIONS: Final = 3
"""Revisions that stay beside the desired one and those that pods use: enough to look back."""


def desired_deployment(
    assistant: VirtualAssistant, revision: Revision | None, images: Images, seen: Child | None
) -> Manifest | None:
    """Return the Deployment that should exist.

    Without a revision the pods stay as they are and only their number follows
    the spec; None where there are none yet.
    """
    if revision is not None:
        return build_deployment(assistant, revision.id, images)
    if seen is None or "template" not in seen.owned.get("spec", {}):
        return None
    name = {"name": assistant.key.name, "namespace": assistant.key.namespace}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        **with_replicas(seen.owned, assistant.pods_wanted),
        "metadata": {**seen.owned.get("metadata", {}), **name},
    }


def must_write(wanted: Manifest, seen: Child | None) -> bool:
    """Tell whether a child differs from what it should be."""
    return seen is None or not same(wanted, seen.owned)


def outdated_revisions(
    assistant: VirtualAssistant,
    revision: Revision,
    existing: Iterable[ConfigMapFacts],
    pods: Iterable[Pod],
) -> tuple[str, ...]:
    """Return the names of revision ConfigMaps that nobody needs any more, oldest first.

    Kept are the desired one, those that any pod was made from, and the newest few.
    """
    used = {revision.id, *(pod.revision for pod in pods)}
    unused = sorted(
        (found for found in existing if found.revision not in used),
        key=lambda found: (found.created, found.key.name),
    )
    owned = [found for found in unused if found.owner_uid == assistant.uid]
    return tuple(found.key.name for found in owned[:-KEPT_REVISIONS])


def holds(
    assistant: VirtualAssistant, revision: Revision, existing: Iterable[ConfigMapFacts]
) -> bool:
    """Tell whether the revision's ConfigMap exists and is ours."""
    name = revision_name(assistant, revision.id)
    return any(found.key.name == name and found.owner_uid == assistant.uid for found in existing)
