"""What exists, as the watches last saw it, cut down to what decisions need.

Every watched object passes one of these readers at the door, so that a thousand of
them stay small and nobody deeper reads raw bodies.
"""

from dataclasses import dataclass
from typing import Any

from va_operator.api import Key, Manifest, key_of
from va_operator.owned import owned_fields
from va_operator.resources.metadata import INSTANCE_LABEL, REVISION_LABEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A Deployment or Service."""

    key: Key
    uid: str
    resource_version: str
    generation: int
    owner: tuple[str, str] | None
    """Kind and name of the controlling owner."""
    owner_uid: str | None
    being_deleted: bool
    owned: Manifest
    """The fields that we last applied."""
    status: Manifest
    node_port: int | None = None
    """Of a Service: the port that was allotted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigMapFacts:
    """Any ConfigMap, without its data."""

    key: Key
    uid: str
    resource_version: str
    owner_uid: str | None
    created: str
    """RFC 3339; later sorts later."""
    revision: str | None
    """Of our own: which revision it holds."""
    instance: str | None
    """Of our own: the assistant that it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What keeps a pod from running."""

    kind: str
    """Kubernetes' own word for it, such as `ImagePullBackOff`."""
    container: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod of an assistant."""

    key: Key
    uid: str
    resource_version: str
    assistant: Key
    revision: str
    ip: str | None
    host_ip: str | None
    ready: bool
    being_deleted: bool
    started: bool
    """Whether the container that answers runs."""
    troubles: tuple[Trouble, ...]

    @property
    def can_be_asked(self) -> bool:
        """Whether there is somebody to answer."""
        return self.started and self.ip is not None and not self.being_deleted


def read_child(body: Manifest) -> Child:
    """Read a Deployment or Service."""
    metadata, spec = body["metadata"], body.get("spec") or {}
    ports, owner = spec.get("ports") or [{}], _owner(metadata)
    return Child(
        key=key_of(body),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        owner=(owner["kind"], owner["name"]) if owner else None,
        owner_uid=owner["uid"] if owner else None,
        being_deleted="deletionTimestamp" in metadata,
        owned=owned_fields(body),
        status=body.get("status") or {},
        node_port=ports[0].get("nodePort"),
    )


def read_config_map(body: Manifest) -> ConfigMapFacts:
    """Read the metadata of a ConfigMap."""
    metadata = body["metadata"]
    labels, owner = metadata.get("labels") or {}, _owner(metadata)
    return ConfigMapFacts(
        key=key_of(body),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner_uid=owner["uid"] if owner else None,
        created=metadata["creationTimestamp"],
        revision=labels.get(REVISION_LABEL),
        instance=labels.get(INSTANCE_LABEL),
    )


def read_pod(body: Manifest) -> Pod:
    """Read a pod."""
    metadata, status = body["metadata"], body.get("status") or {}
    labels = metadata.get("labels") or {}
    conditions = {item["type"]: item for item in status.get("conditions") or ()}
    containers = status.get("containerStatuses") or ()
    return Pod(
        key=key_of(body),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        assistant=Key(metadata["namespace"], labels.get(INSTANCE_LABEL, "")),
        revision=labels.get(REVISION_LABEL, ""),
        ip=status.get("podIP"),
        host_ip=status.get("hostIP"),
        ready=conditions.get("Ready", {}).get("status") == "True",
        being_deleted="deletionTimestamp" in metadata,
        started=any(
            item["name"] == "assistant" and "running" in (item.get("state") or {})
            for item in containers
        ),
        troubles=_troubles(status, conditions),
    )


def _owner(metadata: Manifest) -> Manifest | None:
    """Return the reference to the controlling owner."""
    references: list[Manifest] = metadata.get("ownerReferences") or []
    return next((found for found in references if found.get("controller")), None)


_HARMLESS = {"ContainerCreating", "PodInitializing", "Completed"}


def _troubles(status: Manifest, conditions: dict[str, Any]) -> tuple[Trouble, ...]:
    scheduled = conditions.get("PodScheduled", {})
    found = []
    if scheduled.get("status") == "False":
        found.append(
            Trouble(
                kind=scheduled.get("reason", "Unschedulable"),
                container=None,
                message=scheduled.get("message", ""),
            )
        )
    if status.get("phase") == "Failed":
        found.append(
            Trouble(
                kind=status.get("reason", "Failed"),
                container=None,
                message=status.get("message", ""),
            )
        )
    for item in (
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ):
        found += _container_troubles(item)
    return tuple(found)


def _container_troubles(item: Manifest) -> list[Trouble]:
    """Read a container's state into words that stay the same while the trouble does.

    A container that crashes alternates between running and waiting, and one without an
    image between pulling and waiting, with messages that count: a status that followed
    them would never come to rest.
    """
    waiting = (item.get("state") or {}).get("waiting") or {}
    reason, message = waiting.get("reason"), waiting.get("message") or ""
    ended = (item.get("lastState") or {}).get("terminated")
    if ended and not item.get("ready") and item.get("restartCount"):
        last = f"it ended with {ended.get('reason', 'Error')}, exit code {ended.get('exitCode')}"
        return [Trouble(kind="CrashLoopBackOff", container=item["name"], message=last)]
    if reason in {"ErrImagePull", "ImagePullBackOff"}:
        why = message.rpartition("ErrImagePull: ")[2]
        return [Trouble(kind="ImagePullBackOff", container=item["name"], message=why)]
    if reason and reason not in _HARMLESS:
        return [Trouble(kind=reason, container=item["name"], message=message)]
    return []
