"""What exists, as the watches last saw it, cut down to what decisions need.

Every watched object passes one of these readers at the door, so that a thousand of
them stay small and nobody deeper reads raw bodies.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from va_operator.api import Key, Manifest, key_of
from va_operator.owned import owned_fields
from va_operator.resources.metadata import INSTANCE_LABEL, REVISION_LABEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A child that has the name of its assistant, such as its Deployment.

    What is large is kept as JSON: as text it takes a tenth of the memory.
    """

    key: Key
    uid: str
    resource_version: str
    generation: int
    owner: tuple[str, str] | None
    """Kind and name of the controlling owner."""
    owner_uid: str | None
    being_deleted: bool
    owned_json: str
    status_json: str
    paused: bool = False
    """Of a Deployment: whether somebody keeps its controller from rolling out."""
    type: str | None = None
    """Of a Service, like the ports: what it is, which is not always what was asked for."""
    port: int | None = None
    node_port: int | None = None
    """The port that was allotted."""

    @property
    def owned(self) -> Manifest:
        """The fields that we last applied."""
        fields: Manifest = json.loads(self.owned_json)
        return fields

    @property
    def status(self) -> Manifest:
        """Its status, as Kubernetes wrote it."""
        status: Manifest = json.loads(self.status_json)
        return status


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


NODE_LOST: Final = "NodeLost"
"""The kind of trouble of a pod whose node is silent."""


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
    unready: str
    """Why it is not ready, in the kubelet's words; empty where it says nothing."""
    being_deleted: bool
    finished: bool
    """Whether it ended for good, such as one that was evicted; it lingers until it is swept up."""
    started: bool
    """Whether the container that answers runs."""
    troubles: tuple[Trouble, ...]

    @property
    def can_be_asked(self) -> bool:
        """Whether there is somebody to answer."""
        return self.started and self.ip is not None and not self.being_deleted

    @property
    def lost(self) -> bool:
        """Whether its node tells nothing of it any more."""
        return any(trouble.kind == NODE_LOST for trouble in self.troubles)


def read_child(body: Manifest) -> Child:
    """Read a child that has the name of its assistant."""
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
        owned_json=json.dumps(owned_fields(body)),
        status_json=json.dumps(body.get("status") or {}),
        paused=bool(spec.get("paused")),
        type=spec.get("type"),
        port=ports[0].get("port"),
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
    ready = conditions.get("Ready", {})
    return Pod(
        key=key_of(body),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        assistant=Key(metadata["namespace"], labels.get(INSTANCE_LABEL, "")),
        revision=labels.get(REVISION_LABEL, ""),
        ip=status.get("podIP"),
        host_ip=status.get("hostIP"),
        ready=ready.get("status") == "True",
        unready=ready.get("message", "") if ready.get("status") != "True" else "",
        being_deleted="deletionTimestamp" in metadata,
        finished=status.get("phase") in {"Failed", "Succeeded"},
        started=any(
            item["name"] == "assistant" and "running" in (item.get("state") or {})
            for item in containers
        ),
        troubles=_troubles(body, status, conditions),
    )


def _owner(metadata: Manifest) -> Manifest | None:
    """Return the reference to the controlling owner."""
    references: list[Manifest] = metadata.get("ownerReferences") or []
    return next((found for found in references if found.get("controller")), None)


_HARMLESS = {"ContainerCreating", "PodInitializing", "Completed"}


def _troubles(body: Manifest, status: Manifest, conditions: dict[str, Any]) -> tuple[Trouble, ...]:
    if _is_lost(status, conditions):
        node = (body.get("spec") or {}).get("nodeName", "")
        return (Trouble(kind=NODE_LOST, container=None, message=f"node '{node}' is silent"),)
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


def _is_lost(status: Manifest, conditions: dict[str, Any]) -> bool:
    """Tell whether the control plane speaks for a kubelet that does not.

    The node lifecycle controller takes `Ready` from the pods of a silent node and leaves
    `ContainersReady` and the reason as they were, which a kubelet never does (a readiness gate
    that is not met has a reason of its own).
    """
    if status.get("reason") == NODE_LOST:
        return True
    ready, containers = conditions.get("Ready", {}), conditions.get("ContainersReady", {})
    return bool(
        ready.get("status") == "False"
        and not ready.get("reason")
        and containers.get("status") == "True"
    )


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
