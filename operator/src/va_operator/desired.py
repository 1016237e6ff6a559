"""What should exist, and what must be written or deleted for it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from va_operator.api import Manifest, VirtualAssistant
from va_operator.observed import Child, ConfigMapFacts, Pod
from va_operator.resources.config_map import revision_name
from va_operator.resources.deployment import build_deployment, with_replicas, with_template
from va_operator.resources.disruption_budget import build_disruption_budget
from va_operator.resources.metadata import REVISION_LABEL
from va_operator.resources.network_policy import build_network_policy
from va_operator.resources.pod_template import Images
from va_operator.resources.service import build_service
from va_operator.revision import Revision
from va_operator.template_stamp import is_intact, stamp_in, stamp_of

KEPT_REVISIONS: Final = 3
"""Revisions that stay beside the desired one and those that pods use: enough to look back."""

BESIDE_PODS: Final[Mapping[str, Callable[[VirtualAssistant], Manifest | None]]] = {
    "Service": build_service,
    "PodDisruptionBudget": build_disruption_budget,
    "NetworkPolicy": build_network_policy,
}
"""Builders of the children that the spec alone decides, by kind; None is for one that should
not exist. In the order in which people care."""


def desired_deployment(
    assistant: VirtualAssistant, revision: Revision | None, images: Images, seen: Child | None
) -> Manifest | None:
    """Return the Deployment that should exist.

    Without a revision the pods stay as they are and only their number follows the spec; None
    where there are none yet. Pods that nobody asked to change stay too, also where this version
    of the operator would make them differently.
    """
    if revision is not None:
        wanted = build_deployment(assistant, revision.id, images)
        return with_pods_kept(wanted, seen) if seen and _nothing_asked(wanted, seen) else wanted
    if seen is None or "template" not in seen.owned.get("spec", {}):
        return None
    name = {"name": assistant.key.name, "namespace": assistant.key.namespace}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        **with_replicas(seen.owned, assistant.pods_wanted),
        "metadata": {**seen.owned.get("metadata", {}), **name},
    }


def only_upgrades(wanted: Manifest, seen: Child | None) -> bool:
    """Tell whether pods would be made anew for nothing but other images of the operator's.

    A Deployment without a stamp is from before there were stamps: its revision decides.
    """
    template = seen.owned.get("spec", {}).get("template") if seen else None
    if seen is None or template is None or not wanted["spec"]["replicas"]:
        return False
    new, old = stamp_in(wanted), stamp_of(seen)
    if new is None or (old and old.images == new.images):
        return False
    if old:
        return old.asked == new.asked and is_intact(seen, old)
    return bool(_revision_label(template) == _revision_label(wanted["spec"]["template"]))


def with_pods_kept(wanted: Manifest, seen: Child) -> Manifest:
    """Return a Deployment as it should be, but with the pods that it has."""
    return with_template(wanted, seen.owned["spec"]["template"], stamp_of(seen))


def _nothing_asked(wanted: Manifest, seen: Child) -> bool:
    new, old = stamp_in(wanted), stamp_of(seen)
    return bool(
        new and old and new[:2] == old[:2] and new.sent != old.sent and is_intact(seen, old)
    )


def _revision_label(template: Manifest) -> str | None:
    label: str | None = template.get("metadata", {}).get("labels", {}).get(REVISION_LABEL)
    return label


def outdated_revisions(
    assistant: VirtualAssistant,
    revision: Revision,
    existing: Iterable[ConfigMapFacts],
    pods: Iterable[Pod],
) -> tuple[ConfigMapFacts, ...]:
    """Return the revision ConfigMaps that nobody needs any more, oldest first.

    Kept are the desired one, those that any pod was made from, and the newest few.
    """
    # By name, for labels can be edited.
    used = {revision_name(assistant, id_) for id_ in (revision.id, *(p.revision for p in pods))}
    unused = sorted(
        (found for found in existing if found.key.name not in used),
        key=lambda found: (found.created, found.key.name),
    )
    owned = [found for found in unused if found.owner_uid == assistant.uid]
    return tuple(owned[:-KEPT_REVISIONS])


def holds(
    assistant: VirtualAssistant, revision: Revision, existing: Iterable[ConfigMapFacts]
) -> bool:
    """Tell whether the revision's ConfigMap exists and is ours."""
    name = revision_name(assistant, revision.id)
    return any(found.key.name == name and found.owner_uid == assistant.uid for found in existing)
